"""Exits by basis and by distance, and what keeps a pair out after a round trip, worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest
from toy_market import START, configured, pair, window

from bot.backtest import replay
from bot.backtest.entry_blockers import blocked_entries
from bot.models import HOUR_MS, CloseReason, Trade
from bot.strategies.gates import GateReport

PAYING = dict.fromkeys(range(1, 7), "0.01")
TURNING = {hour: "-0.01" if hour in {2, 4} else "0.01" for hour in range(1, 9)}


def trades_of(market: dict[str, Any], **values: Any) -> list[tuple[int, int, CloseReason]]:
    """Return the hours of opening and closing of each trade, and why it was closed."""
    config = configured(market, **values)
    return [_hours(trade) for trade in replay(config, window(market, config)).trades]


def _hours(trade: Trade) -> tuple[int, int, CloseReason]:
    opened, closed = ((t_ms - START) // HOUR_MS for t_ms in (trade.opened_at_ms, trade.closed_at_ms))
    return opened, closed, trade.reason


def blockers(market: dict[str, Any], **values: Any) -> dict[str, GateReport]:
    config = configured(market, **values)
    shown = window(market, config)
    return {report.gate: report for report in blocked_entries(replay(config, shown), shown)}


@pytest.mark.parametrize(
    ("limit", "closed", "reason"),
    [("0.01", 3, CloseReason.BASIS), ("0.0100001", 4, CloseReason.BASIS), ("0.03", 6, CloseReason.END)],
)
def test_a_basis_that_has_grown_to_the_limit_since_opening_closes_a_hedge(
    limit: str, closed: int, reason: CloseReason
) -> None:
    perp = ["101", "101", "102", "103", "103", "103", "103"]  # 1 %, then 2 % and 3 % over spot
    market = {"X": pair(PAYING, ["100"] * 7, perp=perp)}
    first = trades_of(market, basis_exit=limit, max_round_trips=1)
    assert first == [(1, closed, reason)]


@pytest.mark.parametrize(
    ("distance", "closed", "reason"),
    [("0.6", 3, CloseReason.DISTANCE), ("0.5", 4, CloseReason.DISTANCE), ("0.2", 6, CloseReason.END)],
)
def test_a_mark_from_which_so_small_a_rise_would_liquidate_closes_a_hedge(
    distance: str, closed: int, reason: CloseReason
) -> None:
    prices = ["100", "100", "125", "140", "140", "140", "140"]  # liquidated at 200
    market = {"X": pair(PAYING, prices)}
    values = {"exit_liquidation_distance": distance, "max_round_trips": 1, "margin_exit_ratio": 1}
    assert trades_of(market, **values) == [(1, closed, reason)]


def test_margin_comes_before_distance_and_distance_before_basis() -> None:
    market = {"X": pair(PAYING, ["100"] * 7, perp=["100", "100", "199", "199", "199", "199", "199"])}
    every = {"exit_liquidation_distance": "0.1", "basis_exit": "0.1", "max_round_trips": 1}
    short = {"instrument": {"mmr": "0.004"}, "margin_exit_ratio": "0.5"}
    assert trades_of(market, **every, **short) == [(1, 3, CloseReason.MARGIN)]
    assert trades_of(market, **every) == [(1, 3, CloseReason.DISTANCE)]
    assert trades_of(market, basis_exit="0.1", max_round_trips=1) == [(1, 3, CloseReason.BASIS)]


def test_a_cooldown_keeps_a_pair_out_and_is_named_with_its_nearest_miss() -> None:
    market = {"X": pair(TURNING, ["100"] * 9)}
    assert trades_of(market)[:2] == [(1, 2, CloseReason.SIGNAL), (3, 4, CloseReason.SIGNAL)]
    assert trades_of(market, cooldown_hours="3.5") == [
        (1, 2, CloseReason.SIGNAL),
        (6, 8, CloseReason.END),
    ]
    report = blockers(market, cooldown_hours="3.5")["cooldown_hours"]
    assert (report.blocked, report.nearest_symbol) == (2, "X")
    assert (report.nearest.needed, report.nearest.seen) == (Decimal("3.5"), Decimal(3))


def test_the_limit_of_round_trips_keeps_a_pair_out_and_is_named() -> None:
    market = {"X": pair(TURNING, ["100"] * 9)}
    assert trades_of(market, max_round_trips=1) == [(1, 2, CloseReason.SIGNAL)]
    report = blockers(market, max_round_trips=1)["max_round_trips"]
    assert report.blocked == 4  # at the hours 3, 5, 6 and 7; the last one decides nothing
