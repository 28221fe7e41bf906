"""The track record and the lead over holding of a trial: one number, wherever it is worked out."""

import math
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import BASE, stored_rows, submit, sweep_spec

from bot.backtest import Baselines, ReplayWindow, explain, replay
from bot.clock import SimulatedClock
from bot.market.rows import SeriesKey, SeriesKind
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import DEFAULT_SEED, PROFILES, generate_pair
from bot.models import HOUR_MS
from bot.timestamps import parse_time_ms
from sweeps.spec.spec import SweepSpec
from sweeps.work import kernel_replay
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner
from sweeps.work.verifying import row_compatibility, verify_trials

NEW = ("psr", "t_eff", "skewness", "kurtosis", "net_pnl_over_hold", "sharpe_over_hold")
GRID = {"min_funding_rate": ["0.00002", "0.0001", "0.5"], "perp_leverage": [1, 3]}
HALF_A_YEAR = {**BASE, "exchange": "longer", "end": "2024-07-20"}


@pytest.fixture
def year(engine: sa.Engine) -> sa.Engine:
    """Return a database with a market of more than 26 weeks at an exchange of its own."""
    store, first_ms, last_ms = HistoricalDataStore(engine), *map(parse_time_ms, ("2024-01-01", "2024-08-01"))
    for profile in PROFILES[:2]:
        pair = generate_pair(profile, DEFAULT_SEED, first_ms, last_ms)
        store.put_instrument("longer", pair.symbol, pair.instrument)
        for kind, rows in pair.rows.items():
            timeframe_ms = 0 if kind is SeriesKind.FUNDING else HOUR_MS
            store.merge(SeriesKey("longer", pair.symbol, kind, timeframe_ms), rows, synthetic=True)
    return engine


def spec_of(**changes: Any) -> SweepSpec:
    return sweep_spec(**{"base": HALF_A_YEAR, "grid": GRID, "curves": "none"} | changes)


def run(engine: sa.Engine, spec: SweepSpec) -> tuple[int, list[dict[str, Any]]]:
    sweep_id = submit(engine, spec)
    windows = WindowCache(HistoricalDataStore(engine))
    ChunkRunner(engine, windows, SimulatedClock(1_000_000)).run(sweep_id, 0, "me")
    return sweep_id, [{name: row[name] for name in NEW} for row in stored_rows(engine, sweep_id)]


def test_trial_has_the_numbers_of_its_own_run_whether_replayed_together_plainly_or_taken_over(
    year: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of()
    sweep_id, rows = run(year, spec)
    data = HistoricalDataStore(year)
    for number, row in enumerate(rows):
        config = spec.config(number)
        window = ReplayWindow.build(config, data.load(config.exchange, config.symbols, config.end))
        result = replay(config, window)
        told = result.document()["metrics"]
        beside = explain(result, window, Baselines(window)).document()["hold_baseline"]
        assert [told.get(name, row[name]) for name in NEW] == [row[name] for name in NEW]
        assert beside["sharpe_over_hold"] == row["sharpe_over_hold"]
    with year.connect() as connection:
        compatible = row_compatibility(connection, sweep_id)
    again = verify_trials(year, compatible, range(len(rows)), WindowCache(data))
    assert [found for _, found in again] == [[]] * len(rows)
    assert run(year, spec_of(reuse=True))[1] == rows
    monkeypatch.setattr(kernel_replay, "usable", lambda: None)
    assert run(year, spec)[1] == rows


def test_numbers_do_not_depend_on_the_other_trials_of_a_sweep(year: sa.Engine) -> None:
    _, rows = run(year, spec_of())
    alone = {"min_funding_rate": ["0.0001"], "perp_leverage": [3]}
    symbols = {"symbols": ["BTC/USDT:USDT", ["BTC/USDT:USDT", "ETH/USDT:USDT"]]}
    assert run(year, spec_of(grid=alone))[1] == rows[3:4]
    assert run(year, spec_of(grid=symbols | alone, base=_without(HALF_A_YEAR, "symbols")))[1][0] == rows[3]


def test_trials_that_never_trade_and_windows_below_26_weeks_have_no_record_and_no_zero(
    year: sa.Engine,
) -> None:
    _, rows = run(year, spec_of())
    _, short = run(year, spec_of(base=BASE))
    record = NEW[:4]
    assert [rows[4][name] for name in (*record, "sharpe_over_hold")] == [None] * 5
    assert all(math.isfinite(rows[0][name]) for name in NEW)
    assert [short[0][name] for name in record] == [None] * 4
    assert short[0]["sharpe_over_hold"] is not None


def _without(base: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in base.items() if key != name}
