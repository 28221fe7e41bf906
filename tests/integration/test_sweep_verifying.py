"""Findings of `sweep verify`: any stored number that a replay does not give."""

import json
import zlib
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import BASE, alter_trial, forget_columns, stored_rows, submit, sweep_spec

from bot.clock import SimulatedClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from carrygrid.cli import main
from sweeps.queue.leases import LeaseOutcome
from sweeps.spec.metrics import LATER
from sweeps.storage.tables import failed_trial, sweep, trial_curve
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner
from sweeps.work.verifying import drawn, row_compatibility, verify_trials

SPEC = sweep_spec(
    base={name: value for name, value in BASE.items() if name != "end"},
    grid={"perp_leverage": [1, 2, 3, 4, 5, 6], "end": ["2024-03-30", "2025-03-30"]},
    curves={"top": 2},
)


@pytest.fixture
def completed(engine: sa.Engine) -> int:
    """Return a sweep of which half the trials failed, since no data are held for their whole window."""
    sweep_id = submit(engine, SPEC)
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SimulatedClock(1_000_000))
    assert runner.run(sweep_id, 0, "me") is LeaseOutcome.DONE
    return sweep_id


def differing(engine: sa.Engine, sweep_id: int, sample: int | None = None) -> list[tuple[int, str]]:
    with engine.connect() as connection:
        found, numbers = row_compatibility(connection, sweep_id), drawn(connection, sweep_id, sample)
    assert found.obstacle is None
    windows = WindowCache(HistoricalDataStore(engine))
    return [(d.number, d.name) for _, each in verify_trials(engine, found, numbers, windows) for d in each]


def tamper(engine: sa.Engine, table: sa.Table, number: int, **values: Any) -> None:
    with write_transaction(engine) as connection:
        connection.execute(table.update().where(table.c.number == number).values(**values))


def test_untouched_rows_agree_whether_they_completed_or_failed(engine: sa.Engine, completed: int) -> None:
    assert differing(engine, completed) == []


def test_curves_that_were_packed_by_another_library_agree(engine: sa.Engine, completed: int) -> None:
    with engine.connect() as connection:
        [kept, *_] = connection.execute(sa.select(trial_curve).order_by(trial_curve.c.number)).all()
    repacked = {name: zlib.compress(zlib.decompress(getattr(kept, name)), 9) for name in ("equity", "trades")}
    assert repacked["equity"] != kept.equity
    tamper(engine, trial_curve, kept.number, **repacked)
    assert differing(engine, completed) == []


def test_every_tampered_value_is_named(engine: sa.Engine, completed: int) -> None:
    with engine.connect() as connection:
        curves = connection.execute(sa.select(trial_curve.c.number).order_by(trial_curve.c.number)).scalars()
        kept = list(curves)
    stored = stored_rows(engine, completed)
    done = [row["number"] for row in stored if row["state"] == "completed"]
    failed = [row["number"] for row in stored if row["state"] == "failed"]
    more = stored[done[0]]["total_trades"] + 1
    alter_trial(engine, completed, done[0], total_trades=more, run_key="0" * 64)
    tamper(engine, failed_trial, failed[0], error="another reason")
    tamper(engine, trial_curve, kept[0], equity=b"other")
    expected = {
        (done[0], "total_trades"),
        *((done[0], name) for name in ("extra_round_trips", "win_rate")),  # which are read from it
        (done[0], "run_key"),
        (failed[0], "error"),
        (kept[0], "equity"),
    }
    assert set(differing(engine, completed)) == expected


def test_rows_of_before_the_metrics_of_unsettled_positions_are_held_against_what_they_have(
    engine: sa.Engine, completed: int
) -> None:
    forget_columns(engine, completed, LATER)
    assert differing(engine, completed) == []
    alter_trial(engine, completed, 0, missed_settlements=1)
    assert set(differing(engine, completed)) == {(0, "delistings"), (0, "missed_settlements")}


def test_a_sample_is_drawn_the_same_each_time(engine: sa.Engine, completed: int) -> None:
    with engine.connect() as connection:
        first, again = (drawn(connection, completed, 5) for _ in range(2))
        assert first == again == sorted(set(first))
        assert len(first) == 5
        assert drawn(connection, completed, None) == list(range(12))


def test_rows_of_another_engine_version_are_recognized(engine: sa.Engine, completed: int) -> None:
    with write_transaction(engine) as connection:
        connection.execute(sweep.update().values(engine_version="0.9.0"))
    with engine.connect() as connection:
        obstacle = row_compatibility(connection, completed).obstacle
    assert obstacle is not None
    assert obstacle.startswith("its rows were written by engine 0.9.0, this is ")


def test_the_command_ends_with_status_1_where_a_number_differs(
    engine: sa.Engine,
    database_url: str,
    completed: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CARRYGRID_DATABASE_URL", database_url)
    assert status("sweep", "verify", str(completed), "--all", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"sweep": completed, "trials": 12, "differences": []}
    first = min(row["number"] for row in stored_rows(engine, completed) if row["state"] == "completed")
    alter_trial(engine, completed, first, total_trades=77)
    assert status("sweep", "verify", str(completed)) == 1
    assert f"trial {first}: total_trades is stored as 77" in capsys.readouterr().out
    assert status("sweep", "verify", "99") == 2
    assert "there is no sweep 99" in capsys.readouterr().err
    assert status("sweep", "verify", str(completed), "--all", "--sample", "5") == 2
    assert capsys.readouterr().err == "error: --sample: 5 trials are wanted, and all by --all\n"


def status(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code
