"""Results of a chunk saved in parts: counters are those of the rows, and nothing is stored twice."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import completed_trials, stored_rows, submit, sweep_spec

from bot.market_store.bulk_insert import insert_columns
from bot.market_store.database import write_transaction
from bot.statistics.trial_metrics import DIGEST_BYTES, METRICS, MetricKind
from sweeps.queue.leases import Claim, claim_chunk, save_trials
from sweeps.storage.results import Results, failed_row
from sweeps.storage.tables import chunk, trial

SPEC = sweep_spec(
    grid={"perp_leverage": list(range(1, 13))}, objective={"metric": "net_pnl", "direction": "minimize"}
)
_ZERO = {name: Decimal(0) if kind is MetricKind.MONEY else 0 for name, kind in METRICS.items()}


def row(number: int, net_pnl: int | None) -> dict[str, Any]:
    undefined = {"sharpe": None}
    money = Decimal(net_pnl or 0)
    return {
        **_ZERO,
        **undefined,
        "net_pnl": money,
        "number": number,
        "run_key": f"{number:064x}",
        "ledger": bytes(DIGEST_BYTES),
    }


def counters(connection: sa.Connection) -> tuple[int, int, int, int | None]:
    found = connection.execute(
        sa.select(chunk.c.trials_done, chunk.c.trials_failed, chunk.c.trials_reused, chunk.c.best_number)
    ).one()
    return tuple(found)  # type: ignore[return-value]


def claimed(engine: sa.Engine, spec: Any = SPEC) -> Claim:
    sweep_id = submit(engine, spec, size=spec.trial_count)
    with write_transaction(engine) as connection:
        claim = claim_chunk(connection, sweep_id, 0, "test")
    assert claim is not None
    return claim


def test_counters_and_best_trial_follow_every_save(engine: sa.Engine) -> None:
    claim = claimed(engine)
    failed = [failed_row(claim.sweep_id, number, "test", "made to fail") for number in (0, 7)]
    parts: list[tuple[list[dict[str, Any]], list[dict[str, Any]], tuple[int, ...]]] = [
        ([], failed[:1], (1, 1, 0, None)),  # type: ignore[list-item]
        ([row(4, 5), row(5, 5)], [], (3, 1, 0, 4)),
        ([row(2, 9)], failed[1:], (5, 2, 0, 4)),
        ([row(1, 5)], [], (6, 2, 0, 1)),
        ([row(9, -3), row(10, -3)], [], (8, 2, 0, 9)),
        ([row(9, -3), row(11, -4)], [], (9, 2, 0, 11)),
        ([], [], (9, 2, 0, 11)),
    ]
    for completed, without_result, expected in parts:
        results = Results.of(claim.sweep_id, [completed_trials(completed)], failed=without_result)
        with write_transaction(engine) as connection:
            save_trials(connection, claim, results, last=False)
            assert counters(connection) == expected


def test_trials_taken_over_are_counted_apart(engine: sa.Engine) -> None:
    claim = claimed(engine)
    trials = completed_trials([row(3, 1), row(4, 2)])
    reused = type(trials)(trials.numbers, trials.run_keys, trials.columns, [(7, 1), None])
    with write_transaction(engine) as connection:
        save_trials(connection, claim, Results.of(claim.sweep_id, [reused]), last=False)
        assert counters(connection) == (2, 0, 1, 3)
    assert [(one["reused_sweep"], one["reused_number"]) for one in stored_rows(engine, claim.sweep_id)] == [
        (7, 1),
        (None, None),
    ]


def test_objective_without_a_value_makes_no_trial_the_best(engine: sa.Engine) -> None:
    claim = claimed(engine, sweep_spec(grid={"perp_leverage": [1, 2]}, objective={"metric": "sharpe"}))
    results = Results.of(claim.sweep_id, [completed_trials([row(0, 1)])])
    with write_transaction(engine) as connection:
        save_trials(connection, claim, results, last=False)
        assert counters(connection) == (1, 0, 0, None)


def test_parts_in_any_order_are_stored_by_number_as_they_were(engine: sa.Engine) -> None:
    claim = claimed(engine)
    parts = [completed_trials([row(8, 8), row(2, 2)]), completed_trials([row(5, 5)])]
    with write_transaction(engine) as connection:
        save_trials(connection, claim, Results.of(claim.sweep_id, parts), last=False)
    found = stored_rows(engine, claim.sweep_id)
    assert [(one["number"], one["net_pnl"], one["run_key"], one["ledger"]) for one in found] == [
        (number, Decimal(number), f"{number:064x}", bytes(DIGEST_BYTES)) for number in (2, 5, 8)
    ]
    assert {one["sharpe"] for one in found} == {None}


def test_rows_that_are_there_stay_and_the_others_come_beside_what_else_was_written(engine: sa.Engine) -> None:
    claim = claimed(engine)

    def insert(connection: sa.Connection, *numbers: int, error: str) -> int:
        rows = [failed_row(claim.sweep_id, number, "test", error) for number in numbers]
        return insert_columns(connection, trial, Results.of(claim.sweep_id, failed=rows).columns)

    with write_transaction(engine) as connection:
        connection.execute(chunk.update().values(last_error="before"))
        assert insert(connection, 1, 3, error="first") == 2
        assert insert(connection, 0, 1, 2, 3, error="second") == 2
        assert insert(connection, 1, 3, error="third") == 0
    with engine.connect() as connection:
        assert connection.execute(sa.select(chunk.c.last_error)).scalar_one() == "before"
    assert [one["error"] for one in stored_rows(engine, claim.sweep_id)] == [
        "second",
        "first",
        "second",
        "first",
    ]


@pytest.mark.parametrize("text", ["tab\tand\nline \\N", "ÄÖ ☂", ""])
def test_texts_arrive_as_they_are(engine: sa.Engine, text: str) -> None:
    claim = claimed(engine)
    rows = [failed_row(claim.sweep_id, 1, "test", text)]
    with write_transaction(engine) as connection:
        insert_columns(connection, trial, Results.of(claim.sweep_id, failed=rows).columns)
    assert stored_rows(engine, claim.sweep_id)[0]["error"] == text


def test_a_row_that_the_table_refuses_is_an_error_of_the_database(engine: sa.Engine) -> None:
    claim = claimed(engine)
    rows = [failed_row(claim.sweep_id + 1, 1, "test", "of a sweep that is not there")]
    columns = Results.of(claim.sweep_id, failed=rows).columns
    with pytest.raises(sa.exc.DBAPIError), write_transaction(engine) as connection:
        insert_columns(connection, trial, columns)
    assert stored_rows(engine, claim.sweep_id + 1) == []


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_connection_that_breaks_while_rows_are_sent_is_an_error_of_the_database(engine: sa.Engine) -> None:
    claim = claimed(engine)
    columns = Results.of(claim.sweep_id, failed=[failed_row(claim.sweep_id, 1, "test", "no")]).columns

    def send_over_a_connection_that_breaks() -> None:
        with write_transaction(engine) as connection:
            pid = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
            values = {name: Breaking(engine, pid, column) for name, column in columns.items()}
            insert_columns(connection, trial, values)

    with pytest.raises(sa.exc.OperationalError):
        send_over_a_connection_that_breaks()
    with write_transaction(engine) as connection:
        assert insert_columns(connection, trial, columns) == 1


class Breaking(list[Any]):
    """Values of a column; as they are sent, the server ends the connection that they are sent over."""

    def __init__(self, engine: sa.Engine, pid: int, values: Sequence[Any]) -> None:
        super().__init__(values)
        self._engine, self._pid = engine, pid

    def __iter__(self) -> Iterator[Any]:
        with self._engine.connect() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": self._pid})
        return iter(self[:] * 10_000)
