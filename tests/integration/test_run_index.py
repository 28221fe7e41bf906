"""Runs found again in the blocks of other sweeps: scattered, twice there, deleted, and known to lookups."""

from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import BASE, chunks_of, forget_columns, stored_rows, submit, sweep_spec

from bot.clock import SystemClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.lifecycle.deleting import delete_sweep
from sweeps.spec.spec import SweepSpec
from sweeps.storage.stored_runs import is_stored_run
from sweeps.storage.tables import RUN_KEY_HEAD, UNKNOWN_HISTORY, sweep_fingerprint
from sweeps.work import run_index
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

AXES: dict[str, Any] = {
    "perp_leverage": [1, 2, 3, 4],
    "min_funding_rate": ["0.00002", "0.00005", "0.0001", "0.0002", "0.9"],
}
SPEC = sweep_spec(grid=AXES, reuse=True)
TURNED = sweep_spec(grid=dict(reversed(AXES.items())), reuse=True)


@pytest.fixture
def runner(engine: sa.Engine) -> ChunkRunner:
    return ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())


def worked(engine: sa.Engine, runner: ChunkRunner, spec: SweepSpec, *, size: int = 3) -> int:
    sweep_id = submit(engine, spec, size=size)
    for found in chunks_of(engine, sweep_id):
        runner.run(sweep_id, found.id, "test")
    return sweep_id


def sources(engine: sa.Engine, sweep_id: int) -> list[tuple[int | None, int | None]]:
    return [(row["reused_sweep"], row["reused_number"]) for row in stored_rows(engine, sweep_id)]


def transposed(number: int) -> int:
    """Return the number in `SPEC` of a trial of `TURNED`."""
    entry, leverage = divmod(number, len(AXES["perp_leverage"]))
    return leverage * len(AXES["min_funding_rate"]) + entry


def test_runs_in_another_order_are_found_wherever_their_blocks_are(
    engine: sa.Engine, runner: ChunkRunner
) -> None:
    first = worked(engine, runner, SPEC)
    second = worked(engine, runner, TURNED, size=7)
    assert sources(engine, second) == [(first, transposed(number)) for number in range(TURNED.trial_count)]
    before, after = stored_rows(engine, first), stored_rows(engine, second)
    for row in after:
        same = before[row["reused_number"]]
        own = {"sweep_id", "number", "reused_sweep", "reused_number"}
        assert {name: row[name] for name in row if name not in own} == {
            name: same[name] for name in same if name not in own
        }


def test_a_run_that_two_sweeps_have_is_told_as_the_first_one_replayed_it(
    engine: sa.Engine, runner: ChunkRunner
) -> None:
    first = worked(engine, runner, SPEC)
    for _ in range(2):
        assert {sweep for sweep, _ in sources(engine, worked(engine, runner, SPEC))} == {first}


def test_what_a_first_sweep_lacks_is_taken_from_the_next_one(engine: sa.Engine, runner: ChunkRunner) -> None:
    first = worked(engine, runner, SPEC)
    forget_columns(engine, first, ["ledger"])
    second = worked(engine, runner, SPEC)
    assert set(sources(engine, second)) == {(None, None)}
    assert {sweep for sweep, _ in sources(engine, worked(engine, runner, SPEC))} == {second}


def test_runs_of_a_deleted_sweep_are_replayed_again(engine: sa.Engine, runner: ChunkRunner) -> None:
    first = worked(engine, runner, SPEC)
    second = submit(engine, SPEC, size=10)
    runner.run(second, 0, "test")
    with write_transaction(engine) as connection:
        delete_sweep(connection, first)
    runner.run(second, 1, "test")
    assert {sweep for sweep, _ in sources(engine, second)[:10]} == {first}
    assert set(sources(engine, second)[10:]) == {(None, None)}


def test_sweeps_of_before_there_were_fingerprints_are_looked_through(
    engine: sa.Engine, runner: ChunkRunner
) -> None:
    first = worked(engine, runner, SPEC)
    with write_transaction(engine) as connection:
        connection.execute(sweep_fingerprint.update().values(fingerprint=UNKNOWN_HISTORY))
    assert {sweep for sweep, _ in sources(engine, worked(engine, runner, SPEC))} == {first}


def test_no_more_runs_are_remembered_than_the_bound(
    engine: sa.Engine, runner: ChunkRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked(engine, runner, SPEC, size=20)
    monkeypatch.setattr(run_index, "MOST_RUNS", 0)
    assert set(sources(engine, worked(engine, runner, SPEC))) == {(None, None)}


def test_a_stored_run_is_known_by_its_key_and_history_alone(engine: sa.Engine, runner: ChunkRunner) -> None:
    sweep_id = worked(engine, runner, SPEC)
    with engine.connect() as connection:
        histories = connection.execute(sa.select(sweep_fingerprint.c.fingerprint)).scalars().all()
        [history] = [f"{number:015x}{'0' * 49}" for number in histories]
        for row in stored_rows(engine, sweep_id):
            assert is_stored_run(connection, row["run_key"], history)
            assert not is_stored_run(connection, row["run_key"][:-1] + "x", history)
            assert not is_stored_run(connection, row["run_key"], "f" * 64)


def test_blocks_of_other_sweeps_are_read_once_in_a_process(engine: sa.Engine, runner: ChunkRunner) -> None:
    worked(engine, runner, SPEC, size=20)
    heads: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        given = parameters.values() if isinstance(parameters, dict) else parameters
        if statement.startswith("SELECT trial_block.data") and RUN_KEY_HEAD in given:
            heads.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    counts = []
    for capital in (1_000, 2_000, 3_000):
        other = sweep_spec(grid=AXES, reuse=True, base={**BASE, "initial_capital": capital})
        worked(engine, runner, other, size=20)
        counts.append(len(heads))
    assert counts == [1, 2, 3]


def test_own_blocks_are_passed_over_when_a_sweep_goes_on_after_another(
    engine: sa.Engine, runner: ChunkRunner
) -> None:
    first, second = submit(engine, SPEC, size=10), submit(engine, TURNED, size=10)
    for chunk_id in (0, 1):
        runner.run(first, chunk_id, "test")
        runner.run(second, chunk_id, "test")
    assert {sweep for sweep, _ in sources(engine, first)} <= {None, second}
    assert {sweep for sweep, _ in sources(engine, second)} <= {None, first}


def test_runs_of_the_newest_sweeps_are_remembered_where_there_are_too_many(
    engine: sa.Engine, runner: ChunkRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_index, "MOST_RUNS", 30)
    old = worked(engine, runner, SPEC, size=20)
    newer = sweep_spec(grid=AXES, reuse=True, base={**BASE, "initial_capital": 2_000})
    other = sweep_spec(grid=AXES, reuse=True, base={**BASE, "initial_capital": 3_000})
    again = worked(engine, runner, newer, size=20)
    worked(engine, runner, other, size=20)
    assert {sweep for sweep, _ in sources(engine, worked(engine, runner, newer, size=20))} == {again}
    assert {sweep for sweep, _ in sources(engine, worked(engine, runner, SPEC, size=20))} == {None}
    assert old
