from decimal import Decimal
from typing import Any

from toy_market import START, configured, pair, window

from bot.backtest import ReplayWindow, RunResult, replay
from bot.backtest.decision_trace import decision_snapshots
from bot.backtest.divergence import Divergence, divergences, first_other_size_ms
from bot.backtest.holdings import Action, Holdings
from bot.models import HOUR_MS

RATES = dict(enumerate(["0.001", "0.001", "0.0002", "0", "0.0002", "0.0009", "0"], 1))
MARKET = {"X": pair(RATES, ["100"] * 7)}


def hour(number: int) -> int:
    return START + number * HOUR_MS


def ran(market: dict[str, Any] = MARKET, **overrides: Any) -> tuple[RunResult, ReplayWindow]:
    config = configured(market, **{"initial_capital": 1000, **overrides})
    shown = window(market, config)
    return replay(config, shown), shown


def steps(found: list[Divergence]) -> list[tuple[int, list[str], list[str]]]:
    return [
        ((parted.t_ms - START) // HOUR_MS, [m.action for m in parted.one], [m.action for m in parted.other])
        for parted in found
    ]


def test_runs_part_where_only_one_closes_and_again_where_only_one_opens() -> None:
    patient, _ = ran(exit_funding_rate="0")
    strict, _ = ran(exit_funding_rate="0.0005")
    assert steps(divergences(patient, strict)) == [(3, [], [Action.CLOSE]), (6, [], [Action.OPEN])]
    assert steps(divergences(strict, patient)) == [(3, [Action.CLOSE], []), (6, [Action.OPEN], [])]
    assert divergences(patient, patient) == []


def test_closing_at_the_end_of_a_shorter_window_is_no_difference() -> None:
    whole, _ = ran(exit_funding_rate="0")
    shorter, _ = ran(exit_funding_rate="0", end=hour(3))
    assert divergences(whole, shorter) == []
    later, _ = ran(exit_funding_rate="0", start=hour(2))
    assert steps(divergences(whole, later)) == [(2, [], [Action.OPEN])]


def test_other_sizes_are_told_apart_from_other_moves() -> None:
    one, _ = ran(exit_funding_rate="0")
    levered, _ = ran(exit_funding_rate="0", perp_leverage=4)
    assert divergences(one, levered) == []
    assert first_other_size_ms(one, levered) == hour(1)
    assert first_other_size_ms(one, one) is None


def test_book_knows_what_is_held_before_and_after_a_moment() -> None:
    run, _ = ran(exit_funding_rate="0.0005")
    book = Holdings(run.trades)
    assert [bool(book.held_before(hour(n))) for n in range(1, 8)] == [
        False,
        True,
        True,
        False,
        False,
        False,
        True,
    ]
    assert [bool(book.held_after(hour(n))) for n in range(1, 8)] == [
        True,
        True,
        False,
        False,
        False,
        True,
        False,
    ]


def test_composite_saw_the_score_that_it_decided_on() -> None:
    run, shown = ran(strategy_mode="composite", entry_threshold="0.14", exit_threshold="0.1")
    seen = decision_snapshots(run.config, shown, [(hour(1), "X"), (hour(3), "X"), (hour(7), "X")])
    assert seen.keys() == {(hour(1), "X"), (hour(3), "X")}
    first, third = seen.values()
    rate_level, persistence = Decimal("0.33333333"), Decimal("0.03333333")
    weighted = rate_level * 35 + Decimal("0.5") * 25 + persistence * 25
    assert first.figures["score"] == (weighted / 100).quantize(Decimal("0.000001"))
    assert (first.gate, first.wants_exit) == (None, False)
    assert third.figures["rate_level"] == Decimal("0.06666667")
    assert third.view.funding.rate == Decimal("0.0002")


def test_simple_saw_what_the_fees_leave_of_the_rate() -> None:
    run, shown = ran(spot_taker="0.001", min_holding_periods=2)
    [seen] = decision_snapshots(run.config, shown, [(hour(2), "X")]).values()
    assert seen.figures == {"net_yield": Decimal("0.001") - 2 * Decimal("0.001") / 2}
    assert seen.gate is not None
    assert (seen.gate.name, seen.gate.needed) == ("min_holding_periods", Decimal("0.002"))
    assert seen.gate.seen == Decimal("0.001") * 2
