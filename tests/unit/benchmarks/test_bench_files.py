"""The files that the import is measured with are those that users have."""

from pathlib import Path

from benchmarks.coldstarts import canonical_csv
from benchmarks.market import START_MS, generated
from typer.testing import CliRunner

from bot.market.rows import SeriesKind
from bot.market_store.database import open_engine
from bot.market_store.store import HistoricalDataStore
from bot.models import DAY_MS
from carrygrid.cli.app import app


def test_exported_series_are_imported_as_they_were(tmp_path: Path, monkeypatch) -> None:
    [pair] = generated(end_ms=START_MS + 10 * DAY_MS)
    folder = canonical_csv(pair, tmp_path / "csv")
    assert sorted(file.name for file in folder.iterdir()) == [
        *("BTCUSDT-funding.csv", "BTCUSDT-mark-1h.csv", "BTCUSDT-perp-1h.csv", "BTCUSDT-spot-1h.csv"),
    ]
    monkeypatch.setenv("CARRYGRID_HOME", str(tmp_path))
    told = CliRunner().invoke(app, ["data", "import", str(folder), "--exchange", "generated"])
    assert told.exit_code == 0, told.output
    engine = open_engine(f"sqlite:///{tmp_path / 'carrygrid.db'}")
    held = HistoricalDataStore(engine).load("generated", [pair.symbol], START_MS + 10 * DAY_MS).symbols[0]
    engine.dispose()
    for kind, series in ((SeriesKind.SPOT, held.spot), (SeriesKind.PERP, held.perp)):
        assert series.close.decimals() == pair.rows[kind].columns[3].decimals()
        assert series.volume.decimals() == pair.rows[kind].columns[4].decimals()
    assert held.funding.rates.decimals() == pair.rows[SeriesKind.FUNDING].columns[0].decimals()
