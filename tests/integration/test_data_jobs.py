"""Files and downloads as jobs: rows end in the store once, whatever happens on the way."""

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from exchange_server import DIALECTS, ExchangeServer, serving
from fetching import HOURS, INTERVALS, NOW, served_pair

from bot.clock import SimulatedClock
from bot.errors import InvalidInputError, StoreError
from bot.market.rows import SeriesKind
from bot.market_store.database import write_transaction
from bot.market_store.fetch.fetch_request import FetchRequest
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import parse_time_ms
from sweeps.jobs.data_jobs import DATA_JOBS, ImportRequest
from sweeps.jobs.job_reports import SLICE_MS
from sweeps.jobs.job_runner import JobRunner
from sweeps.jobs.jobs import JobKind, JobView, cancel_job, claim_job, create_job, get_job, recent_jobs
from sweeps.storage.tables import job, job_upload
from sweeps.storage.uploads import checked_name, put_upload, write_upload

DAY = parse_time_ms("2023-01-01")
FUNDING = "timestamp_ms,funding_rate,interval_hours,mark_price\n" + "".join(
    f"{DAY + n * 28_800_000},0.000{n + 1},8,\n" for n in range(5)
)


def sent(engine: sa.Engine, content: bytes, name: str = "BTCUSDT-funding.csv", **said: Any) -> int:
    """Return the job of a file that was sent."""
    with write_transaction(engine) as connection:
        job_id = create_job(connection, JobKind.IMPORT, asdict(ImportRequest("kraken", name, **said)))
        put_upload(connection, job_id, io.BytesIO(content))
    return job_id


def asked(engine: sa.Engine, **changes: Any) -> int:
    """Return the job of a download."""
    values = {"exchange": "binance", "symbols": ["BTC/USDT:USDT"], "since": "2024-01-01"} | changes
    with write_transaction(engine) as connection:
        return create_job(connection, JobKind.FETCH, FetchRequest.parse(values).document())


def shown(engine: sa.Engine, job_id: int) -> JobView:
    with engine.connect() as connection:
        return get_job(connection, DATA_JOBS, job_id)


def files_held(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(job_upload)).scalar_one()


def rows_held(engine: sa.Engine, exchange: str) -> dict[str, int]:
    return {
        series.kind: series.rows
        for listed in HistoricalDataStore(engine).listing()
        if listed.exchange == exchange
        for symbol in listed.symbols
        for series in symbol.series
    }


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with serving(DIALECTS["binance"](served_pair("binance"), NOW)) as server:
        yield server


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_file_is_imported_and_forgotten(engine: sa.Engine, pack: Any) -> None:
    job_id = sent(engine, pack(FUNDING.encode()))
    assert JobRunner(engine).run(job_id) == "completed"
    done = shown(engine, job_id)
    assert done.result is not None
    counts = {name: done.result[name] for name in ("rows_read", "new", "already_there", "refused")}
    assert counts == {"rows_read": 5, "new": 5, "already_there": 0, "refused": 0}
    assert done.progress == {"share": 1.0, "step": "working out coverage and figures"}
    assert rows_held(engine, "kraken") == {"funding": 5}
    assert files_held(engine) == 0


def test_file_of_many_parts_arrives_as_it_was_sent(engine: sa.Engine, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    job_id = sent(engine, content)
    with engine.connect() as connection:
        write_upload(connection, job_id, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == content
    assert files_held(engine) == 3


def test_refused_rows_are_told_by_line_and_the_others_stored(engine: sa.Engine) -> None:
    job_id = sent(engine, (FUNDING + f"{DAY},0.5,8,\n").encode())
    JobRunner(engine).run(job_id)
    result = shown(engine, job_id).result
    assert result is not None
    assert (result["new"], result["refused"]) == (5, 1)
    assert result["refusals"][0]["line"] == 7
    assert "contradicts 0.0001, which is held already" in result["refusals"][0]["reason"]


def test_file_of_many_markets_gives_those_that_were_asked_for(engine: sa.Engine) -> None:
    rows = [
        {"symbol": market, "fundingTime": DAY + n * 28_800_000, "fundingRate": "0.0001"}
        for n in range(2)
        for market in ("BTCUSDT", "ETHUSDT", "XRPUSDT", "BTCUSD_PERP")
    ]
    content = json.dumps(rows).encode()
    JobRunner(engine).run(job_id := sent(engine, content, "funding.json", symbol="BTCUSDT,ETHUSDT"))
    result = shown(engine, job_id).result
    assert result is not None
    assert (result["symbol"], result["rows_read"], result["new"]) == (None, 4, 4)
    assert [one["symbol"] for one in result["series"]] == ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    JobRunner(engine).run(job_id := sent(engine, content, "funding.json"))
    result = shown(engine, job_id).result
    assert result is not None
    assert [(one["symbol"], one["new"], one["refused"]) for one in result["series"]] == [
        ("BTC/USDT:USDT", 0, 0),
        ("ETH/USDT:USDT", 0, 0),
        ("XRP/USDT:USDT", 2, 0),
        ("BTCUSD_PERP", 0, 2),
    ]
    assert result["refusals"] == [
        {"line": 4, "reason": 'coin-margined contracts are read from canonical files only: "BTCUSD_PERP"'}
    ]


def test_download_of_a_dated_future_is_refused_before_anything_is_asked(engine: sa.Engine) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        asked(engine, symbols=["BTC/USDT:USDT", "BTC/USD:BTC-240628"])
    assert str(refusal.value) == 'symbols: dated futures are not modelled: "BTC/USD:BTC-240628"'


def test_download_of_an_inverse_perp_by_another_name_is_refused_at_once(
    engine: sa.Engine,
) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        asked(engine, symbols=["BTC/USDT:USDT", "BTC-USD-SWAP"])
    assert str(refusal.value) == 'symbols: "BTC-USD-SWAP" is named BTC/USD:BTC in downloads'


def test_file_that_says_nothing_is_refused_until_the_answer_comes_with_it(engine: sa.Engine) -> None:
    candles = f"{DAY},1,2,1,2,5,{DAY + 3_599_999},0,1,0,0,0\n".encode()
    job_id = sent(engine, candles, name="export.csv")
    assert JobRunner(engine).run(job_id) == "failed"
    assert shown(engine, job_id).error_code == "import_refused"
    job_id = sent(engine, candles, name="export.csv", kind="spot", symbol="BTCUSDT", timeframe="1h")
    assert JobRunner(engine).run(job_id) == "completed"
    assert rows_held(engine, "kraken") == {"spot": 1}


def test_damaged_file_fails_whole_and_is_forgotten(engine: sa.Engine) -> None:
    job_id = sent(engine, gzip.compress(FUNDING.encode())[:-12])
    assert JobRunner(engine).run(job_id) == "failed"
    assert rows_held(engine, "kraken") == {}
    assert files_held(engine) == 0


def test_job_of_a_dead_worker_is_done_by_the_next_one(engine: sa.Engine) -> None:
    job_id = sent(engine, FUNDING.encode())
    with write_transaction(engine) as connection:
        assert claim_job(connection, job_id) is not None
    assert JobRunner(engine).run(job_id) is None
    with write_transaction(engine) as connection:
        connection.execute(job.update().values(lease_until_ms=1))
    assert JobRunner(engine).run(job_id) == "completed"
    assert rows_held(engine, "kraken") == {"funding": 5}


def test_cancelled_import_is_not_done_and_its_file_forgotten(engine: sa.Engine) -> None:
    job_id = sent(engine, FUNDING.encode())
    with write_transaction(engine) as connection:
        assert cancel_job(connection, DATA_JOBS, job_id).state == "cancelled"
    assert JobRunner(engine).run(job_id) is None
    assert files_held(engine) == 0
    with engine.connect() as connection, pytest.raises(StoreError, match="no longer held; send it again"):
        write_upload(connection, job_id, Path("nowhere"))


@pytest.mark.parametrize(
    "name", ["../x.csv", "/etc/passwd", "a/b.csv", ".hidden", "a\0.csv", "a\n.csv", "", "x" * 201, "a\\b"]
)
def test_name_that_is_a_place_or_no_plain_text_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="is no plain file name"):
        checked_name(name)


def test_download_ends_with_every_row_and_tells_how_far_it_was(
    engine: sa.Engine, server: ExchangeServer
) -> None:
    job_id = asked(engine)
    assert JobRunner(engine, exchange_url=server.url).run(job_id) == "completed"
    done = shown(engine, job_id)
    assert done.result is not None
    new = {one["kind"]: one["new"] for one in done.result["series"]}
    assert new == {"funding": len(INTERVALS), "perp": HOURS, "mark": HOURS, "spot": HOURS, "fees": 2}
    assert rows_held(engine, "binance") == {kind: rows for kind, rows in new.items() if kind != "fees"}
    assert done.result["rules"]["BTC/USDT:USDT"]["qty_step"] == "0.001"
    assert done.progress is not None
    assert done.progress["share"] == 1


class Slices(SimulatedClock):
    """A clock on which a slice is over at every second look."""

    def now_ms(self) -> int:
        """Return a time that is half a slice later than at the last look."""
        self.advance_to(super().now_ms() + SLICE_MS // 2)
        return super().now_ms()


def test_long_download_is_done_in_slices_that_add_up(engine: sa.Engine, server: ExchangeServer) -> None:
    job_id = asked(engine)
    runner = JobRunner(engine, exchange_url=server.url, clock=Slices(NOW))
    states, shares = [], []
    while not states or states[-1] == "queued":
        states.append(runner.run(job_id))
        shares.append((shown(engine, job_id).progress or {})["share"])
    assert states[-1] == "completed"
    assert len(states) > 4
    assert shares == sorted(shares)
    result = shown(engine, job_id).result
    assert result is not None
    new = {one["kind"]: one["new"] for one in result["series"]}
    assert new == {"funding": len(INTERVALS), "perp": HOURS, "mark": HOURS, "spot": HOURS, "fees": 2}


def test_cancelled_download_stops_at_its_next_page_and_keeps_what_came(
    engine: sa.Engine, server: ExchangeServer
) -> None:
    job_id = asked(engine)
    rows = server.rows

    def cancelling(held: Any, *span: int) -> Any:
        if held is server.pair.spot:
            with write_transaction(engine) as connection:
                cancel_job(connection, DATA_JOBS, job_id)
        return rows(held, *span)

    server.rows = cancelling  # type: ignore[method-assign]
    assert JobRunner(engine, exchange_url=server.url).run(job_id) is None
    assert shown(engine, job_id).state == "cancelled"
    held = rows_held(engine, "binance")
    assert held[SeriesKind.FUNDING] == len(INTERVALS)
    assert 0 < held[SeriesKind.SPOT] < HOURS


def test_pair_that_the_exchange_does_not_have_fails_by_name(
    engine: sa.Engine, server: ExchangeServer
) -> None:
    job_id = asked(engine, symbols=["NOPE/USDT:USDT"])
    assert JobRunner(engine, exchange_url=server.url).run(job_id) == "failed"
    found = shown(engine, job_id)
    assert found.error_code == "unknown_symbol"
    assert found.error is not None
    assert found.error.startswith('symbols: "NOPE/USDT:USDT" is no linear perpetual there')


def test_newest_jobs_of_market_data_come_first_and_no_others(engine: sa.Engine) -> None:
    first, second = sent(engine, b"x"), asked(engine)
    with write_transaction(engine) as connection:
        create_job(connection, JobKind.BACKTEST, {})
    with engine.connect() as connection:
        assert [one.id for one in recent_jobs(connection, DATA_JOBS, 10)] == [second, first]
        assert [one.id for one in recent_jobs(connection, DATA_JOBS, 1)] == [second]
