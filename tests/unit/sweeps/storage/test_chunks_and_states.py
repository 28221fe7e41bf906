"""Chunk sizes by time, legal moves, stored forms of money and curves."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backtest.result import Curve
from bot.numbers.money import plain
from bot.statistics.metrics import Calendar, packed
from sweeps.errors import ResultRangeError
from sweeps.queue.chunks import MAX_CHUNKS, chunk_ranges, chunk_sizes
from sweeps.spec.metrics import METRICS, MetricKind, natural_direction
from sweeps.storage.columns import money_of_units, money_units
from sweeps.storage.curves import decode_curve, encode_curve
from sweeps.storage.states import CHUNK_MOVES, SWEEP_MOVES, TRIAL_MOVES, SweepState, sweep_sources


@given(
    trials=st.integers(1, 1_000_000),
    seconds=st.floats(1e-5, 100),
    slots=st.integers(0, 64),
)
def test_chunks_cover_every_trial_once_in_few_enough_pieces(trials: int, seconds: float, slots: int) -> None:
    sizes = chunk_sizes(trials, seconds, slots)
    ranges = list(chunk_ranges(sizes))
    assert [hi - lo for lo, hi in ranges] == sizes
    assert min(sizes) > 0
    assert len(ranges) <= MAX_CHUNKS
    assert ranges[0][0] == 0
    assert ranges[-1][1] == trials
    assert all(before[1] == after[0] for before, after in pairwise(ranges))


def test_task_takes_half_a_second_at_most_and_every_slot_has_work() -> None:
    sizes = chunk_sizes(100_000, 0.01, 2)
    assert sizes[:1_990] == [50] * 1_990
    assert chunk_sizes(5, 60, 2) == [1] * 5
    assert chunk_sizes(100, 0.001, 2) == [50, 50]
    assert chunk_sizes(99, 0.001, 2) == [99]  # two would be less than a task is worth


def test_chunks_get_smaller_towards_the_end_so_that_slots_end_together() -> None:
    assert chunk_sizes(100_000, 5e-6, 2) == [25_000] * 2 + [12_500] * 4
    assert chunk_sizes(160, 0.01, 2) == [40, 40, 20, 20, 10, 10, 10, 10]
    assert chunk_sizes(100_000, 5e-6, 1) == [50_000, 25_000, 12_500, 12_500]
    assert chunk_sizes(100_000, 0.01, 2)[-6:] == [25, 25, 13, 13, 12, 12]


def test_tables_of_moves_know_every_state_and_lead_only_to_states() -> None:
    for moves in (SWEEP_MOVES, CHUNK_MOVES, TRIAL_MOVES):
        states = set(type(next(iter(moves))))
        assert set(moves) == states
        assert all(targets <= states for targets in moves.values())
    assert set(sweep_sources(SweepState.CANCELLED)) == {"queued", "running", "paused"}


def test_metrics_have_kinds_and_natural_directions() -> None:
    assert (METRICS["net_pnl"], METRICS["total_trades"], METRICS["sharpe"]) == tuple(MetricKind)
    assert natural_direction("sharpe") == "maximize"
    assert natural_direction("max_drawdown_pct") == "minimize"


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_money_survives_storage_to_the_last_digit(units: int) -> None:
    assert money_units(money_of_units(units)) == units


@pytest.mark.parametrize("amount", ["92233720368.54775808", "-1e11", "0.000000001"])
def test_money_that_no_column_holds_is_refused_with_its_value(amount: str) -> None:
    with pytest.raises(ResultRangeError, match="does not fit"):
        money_units(Decimal(amount))


@given(
    st.lists(
        st.tuples(st.integers(0, 2**45), st.integers(-(2**63) + 1, 2**63 - 1)),
        min_size=1,
        max_size=50,
    )
)
def test_equity_curve_survives_storage_and_documents_to_the_last_digit(points: list[tuple[int, int]]) -> None:
    times, units = zip(*sorted(points), strict=True)
    expected = [(t_ms, Decimal(value).scaleb(-8)) for t_ms, value in zip(times, units, strict=True)]
    curve = decode_curve(encode_curve(Curve(Calendar.of(times), packed(units))))
    assert list(curve.points()) == expected
    assert curve.document() == [[t_ms, plain(equity)] for t_ms, equity in expected]
    assert list(Curve.of_document(curve.document()).points()) == expected
