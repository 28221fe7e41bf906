"""Pruning: what ended long ago goes, with all its rows; everything else stays."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import submit, sweep_spec

from bot.clock import SimulatedClock
from bot.market_store.database import compact, database_now_ms, write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.models import DAY_MS
from carrygrid.cli import main
from sweeps.jobs.jobs import JobKind, create_job
from sweeps.jobs.retention import expired, prune
from sweeps.lifecycle.tags import label_sweep
from sweeps.storage.tables import chunk, job, sweep, sweep_fingerprint, sweep_tag, trial_block, trial_curve
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

SPEC = sweep_spec(grid={"perp_leverage": [1, 2, 3]}, curves="all")
OF_SWEEPS = (chunk, trial_block, trial_curve, sweep_fingerprint)


@pytest.fixture
def ended(engine: sa.Engine) -> Callable[..., int]:
    """Return a function that runs a sweep and lets it have ended some days ago."""
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SimulatedClock(1_000_000))

    def run(days_ago: int, state: str = "completed", tag: str | None = None) -> int:
        sweep_id = submit(engine, SPEC)
        runner.run(sweep_id, 0, "me")
        with write_transaction(engine) as connection:
            if tag is not None:
                label_sweep(connection, sweep_id, tags=[tag])
            connection.execute(aged(sweep, days_ago).where(sweep.c.id == sweep_id).values(state=state))
        return sweep_id

    return run


def aged(table: sa.Table, days_ago: int) -> Any:
    return table.update().values(finished_ms=database_now_ms() - days_ago * DAY_MS)


def held(engine: sa.Engine, table: sa.Table) -> set[int]:
    with engine.connect() as connection:
        return set(
            connection.execute(sa.select(table.c.id if table is sweep else table.c.sweep_id)).scalars()
        )


def test_sweeps_that_ended_long_ago_go_with_all_their_rows(engine: sa.Engine, ended: Any) -> None:
    old, young, kept = ended(40), ended(20), ended(40, tag="live")
    running = ended(40, state="running")
    with engine.connect() as connection:
        found = expired(connection, 30, ["live"])
    assert [(one.id, one.name, one.trials) for one in found.sweeps] == [(old, "test", 3)]
    prune(engine, found)
    assert held(engine, sweep) == {young, kept, running}
    for table in OF_SWEEPS:
        assert held(engine, table) == {young, kept, running}
    assert held(engine, sweep_tag) == {kept}


def test_a_sweep_that_runs_again_by_then_stays(engine: sa.Engine, ended: Any) -> None:
    old = ended(40)
    with engine.connect() as connection:
        found = expired(connection, 30)
    with write_transaction(engine) as connection:
        connection.execute(sweep.update().values(state="queued", finished_ms=None))
    prune(engine, found)
    assert held(engine, sweep) == {old}


def test_the_command_says_what_it_would_delete_and_deletes_it(
    engine: sa.Engine,
    database_url: str,
    ended: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CARRYGRID_DATABASE_URL", database_url)
    old = ended(40)
    with write_transaction(engine) as connection:
        create_job(connection, JobKind.BACKTEST, {})
        connection.execute(aged(job, 40).values(state="completed"))
    told = [pruned(capsys, "--dry-run"), pruned(capsys, "--compact"), pruned(capsys)]
    assert [[one["id"] for one in document["sweeps"]] for document in told] == [[old], [old], []]
    assert [(document["jobs"], document["deleted"]) for document in told] == [
        (1, False),
        (1, True),
        (0, True),
    ]


def pruned(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    capsys.readouterr()  # the log of the runner in this process
    with pytest.raises(SystemExit) as left:
        main(["prune", "--older-than", "30", "--json", *options])
    assert left.value.code == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_compacting_shrinks_the_file(engine: sa.Engine, database_url: str, ended: Any) -> None:
    if engine.dialect.name != "sqlite":
        compact(engine)
        return
    path = Path(database_url.removeprefix("sqlite:///"))
    with write_transaction(engine) as connection:
        connection.execute(sa.text("CREATE TABLE bulk (data BLOB)"))
        connection.execute(sa.text("INSERT INTO bulk VALUES (zeroblob(5000000))"))
    compact(engine)
    full = path.stat().st_size
    with write_transaction(engine) as connection:
        connection.execute(sa.text("DROP TABLE bulk"))
    compact(engine)
    assert path.stat().st_size < full - 4_900_000
