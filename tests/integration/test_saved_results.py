"""Results of a chunk saved in parts: counters are those of the rows, and nothing is stored twice."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import completed_trials, stored_rows, submit, sweep_spec

from bot.market_store.database import write_transaction
from bot.statistics.trial_metrics import DIGEST_BYTES, METRICS, MetricKind
from sweeps.queue.leases import Claim, claim_chunk, save_trials
from sweeps.storage.results import Results, failed_row
from sweeps.storage.tables import chunk

SPEC = sweep_spec(
    grid={"perp_leverage": list(range(1, 13))}, objective={"metric": "net_pnl", "direction": "minimize"}
)
_ZERO = {name: Decimal(0) if kind is MetricKind.MONEY else 0 for name, kind in METRICS.items()}


def row(number: int, net_pnl: int | None) -> dict[str, Any]:
    undefined, moving = {"sharpe": None}, {"volatility": 0.1}
    money = Decimal(net_pnl or 0)
    return {
        **_ZERO,
        **undefined,
        **moving,
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


def test_what_is_saved_again_stays_as_it_was(engine: sa.Engine) -> None:
    claim = claimed(engine)
    failed = failed_row(claim.sweep_id, 9, "test", "made to fail")
    saves: list[tuple[list[dict[str, Any]], list[dict[str, Any]], tuple[int, ...]]] = [
        ([row(1, 1), row(3, 3)], [failed], (3, 1, 0, 1)),
        ([row(2, 2), row(3, 4)], [], (4, 1, 0, 1)),
        ([row(9, 9)], [failed], (4, 1, 0, 1)),
        ([], [failed], (4, 1, 0, 1)),
        ([], [], (4, 1, 0, 1)),
    ]
    for completed, without_result, expected in saves:
        results = Results.of(claim.sweep_id, [completed_trials(completed)], failed=without_result)
        with write_transaction(engine) as connection:
            save_trials(connection, claim, results, last=False)
            assert counters(connection) == expected
    found = [(one["number"], one["net_pnl"]) for one in stored_rows(engine, claim.sweep_id)]
    assert found == [(1, 1), (2, 2), (3, 3), (9, None)]


@pytest.mark.parametrize("known", [0, 1])
def test_trials_are_stored_once_where_nobody_knows_of_an_earlier_save(engine: sa.Engine, known: int) -> None:
    claim = claimed(engine)
    for numbers, of_these, done in (((1, 2), 0, 2), ((1, 2, 3), known, 3), ((4, 5), 3, 5)):
        trials = completed_trials([row(number, number) for number in numbers])
        with write_transaction(engine) as connection:
            save_trials(connection, claim, Results.of(claim.sweep_id, [trials]), last=False, known=of_these)
            assert counters(connection) == (done, 0, 0, 1)
    assert [one["number"] for one in stored_rows(engine, claim.sweep_id)] == [1, 2, 3, 4, 5]


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


def test_trials_that_are_stored_stay_and_the_others_come_beside_what_else_was_written(
    engine: sa.Engine,
) -> None:
    claim = claimed(engine)

    def save(completed: Sequence[int], failed: Sequence[int], net_pnl: int) -> None:
        trials = completed_trials([row(number, net_pnl) for number in completed])
        rows = [failed_row(claim.sweep_id, number, "test", f"{net_pnl}") for number in failed]
        with write_transaction(engine) as connection:
            save_trials(connection, claim, Results.of(claim.sweep_id, [trials], failed=rows), last=False)

    with write_transaction(engine) as connection:
        connection.execute(chunk.update().values(last_error="before"))
    save([1, 5], [3], 10)
    save([0, 3, 7], [1, 2], 20)
    save([1, 5], [0, 3], 30)
    with engine.connect() as connection:
        assert connection.execute(sa.select(chunk.c.last_error)).scalar_one() == "before"
        assert counters(connection) == (6, 2, 0, 1)
    assert [
        (one["number"], one["net_pnl"] or one["error"]) for one in stored_rows(engine, claim.sweep_id)
    ] == [
        (0, Decimal(20)),
        (1, Decimal(10)),
        (2, "20"),
        (3, "10"),
        (5, Decimal(10)),
        (7, Decimal(20)),
    ]


@pytest.mark.parametrize("text", ["tab\tand\nline \\N", "ÄÖ ☂", ""])
def test_texts_arrive_as_they_are(engine: sa.Engine, text: str) -> None:
    claim = claimed(engine)
    rows = [failed_row(claim.sweep_id, 1, "test", text)]
    with write_transaction(engine) as connection:
        Results.of(claim.sweep_id, failed=rows).store(connection)
    assert stored_rows(engine, claim.sweep_id)[0]["error"] == text
