"""Findings of a run: which of its window's oddities it shows, and how much of its P&L they made."""

from decimal import Decimal
from typing import Any

import pytest
from toy_market import START, candles, configured, pair, window

from bot.backtest import Baselines, RunResult, explain, replay
from bot.backtest.findings import Booked, RunFinding, run_findings
from bot.backtest.window_findings import WindowFinding, window_findings
from bot.market.coverage import Coverage, LegCoverage
from bot.market.jumps import JumpMoment
from bot.market.quality import Finding
from bot.models import DAY_MS, HOUR_MS, CloseReason, Trade
from bot.numbers.money import exact

RATES = {1: "0.001", 2: "0.001", 3: "0.001", 4: "0.001", 5: "0.001"}
NOTHING = LegCoverage(48, 48, ())


def run(market: dict[str, Any], **overrides: Any) -> RunResult:
    config = configured(market, initial_capital=1000, **overrides)
    return replay(config, window(market, config))


def covered(*findings: Finding, timeframe_ms: int = HOUR_MS) -> Coverage:
    frames = {"spot": HOUR_MS, "perp": timeframe_ms}
    last_ms = START + 2 * DAY_MS
    return Coverage(START, last_ms, NOTHING, NOTHING, NOTHING, None, frames, findings=findings)


def quiet(
    share: float, longest_ms: int, leg: str = "perp", name: str = "zero_volume", count: int = 24
) -> Finding:
    return Finding(leg, name, count, START, START + DAY_MS, "candles without a trade", share, longest_ms)


def names(*findings: Finding) -> list[str]:
    return [one.name for one in window_findings({"X": covered(*findings)})]


@pytest.mark.parametrize(
    ("share", "longest_ms", "shown"),
    [
        (0.05, HOUR_MS, True),
        (0.0499, DAY_MS - HOUR_MS, False),
        (0.001, DAY_MS, True),
    ],
)
def test_quiet_candles_are_shown_from_a_twentieth_or_a_day_together_on(
    share: float, longest_ms: int, shown: bool
) -> None:
    assert (names(quiet(share, longest_ms)) == ["zero_volume"]) is shown
    assert (names(quiet(share, longest_ms, "spot", "flat")) == ["flat"]) is shown


def test_few_quiet_candles_of_a_short_window_are_not_shown_however_large_their_share() -> None:
    assert names(quiet(0.9, HOUR_MS, count=23)) == []


def test_flat_mark_candles_are_not_shown_for_no_fill_comes_from_them() -> None:
    assert names(quiet(1.0, 9 * DAY_MS, "mark", "flat")) == []


def test_contract_that_is_dead_is_not_said_to_be_quiet_as_well() -> None:
    dead = Finding("perp", "dead_contract", 80, START, START + DAY_MS, "no trade since")
    assert names(quiet(0.5, 9 * DAY_MS), dead, quiet(0.5, 9 * DAY_MS, "spot")) == [
        "dead_contract",
        "zero_volume",
    ]


@pytest.mark.parametrize(
    ("timeframe_ms", "words"),
    [
        (60_000, "here of 1 min: it spans 24 min,"),
        (8 * HOUR_MS, "here of 8 h: it spans 8 days,"),
        (DAY_MS, "here of 1 day: it spans 24 days,"),
    ],
)
def test_volume_of_candles_that_are_not_an_hour_says_which_time_it_spans(
    timeframe_ms: int, words: str
) -> None:
    [found] = window_findings({"X": covered(timeframe_ms=timeframe_ms)})
    assert (found.name, found.leg, found.serious) == ("volume_window", "perp", False)
    assert words in found.detail


def test_candles_of_an_hour_in_which_all_is_well_give_no_finding() -> None:
    assert window_findings({"X": covered()}) == ()


def test_price_pnl_over_a_redenomination_is_told_to_the_last_digit() -> None:
    spot = ["100", "100", "100000", "100000", "100001"]
    perp = ["100", "101", "100900", "100900", "100901"]
    result = run({"X": pair(RATES, spot, perp=perp)}, end=START + 5 * HOUR_MS)
    [trade] = result.trades
    [found] = result.findings
    assert (found.symbol, found.leg, found.name, found.count) == ("X", None, "price_jump", 1)
    assert (found.from_ms, found.to_ms) == (START + 2 * HOUR_MS, START + 3 * HOUR_MS)
    assert (trade.quantity, trade.reason) == (Decimal(5), CloseReason.LIQUIDATION)
    # The spot leg gains 99,900 each, the short loses its margin of 100 instead of one that it had lost.
    assert found.pnl == 5 * (Decimal(99_900) - (Decimal(100) - Decimal(1)))
    assert (found.warning, found.mainly) == (True, True)
    assert result.document()["findings"] == [found.document()]
    assert found.document()["pnl"] == "499005"
    assert RunFinding.of(found.document()) == found
    assert found.sentence.startswith(
        "499005 of the net P&L, more than half of it, was booked across it: spot up"
    )


def test_hedge_that_lives_through_a_jump_gains_what_spot_gains_less_what_the_perp_gains() -> None:
    jump = WindowFinding("X", None, "price_jump", 1, START, START + HOUR_MS, "up", (_moment(),))
    [found] = run_findings([jump], Booked(Decimal(20_000), 1), [_trade(START - 1, START + DAY_MS)])
    assert found.pnl == 2 * (Decimal(5_000 - 50) - Decimal(5_010 - 51))
    assert (found.warning, found.mainly) == (True, False)


@pytest.mark.parametrize(
    ("opened_ms", "closed_ms"), [(START - 9, START), (START + HOUR_MS, START + 2 * HOUR_MS)]
)
def test_hedge_closed_before_a_jump_or_opened_at_its_end_has_nothing_of_it(
    opened_ms: int, closed_ms: int
) -> None:
    jump = WindowFinding("X", None, "price_jump", 1, START, START + HOUR_MS, "up", (_moment(),))
    [found] = run_findings([jump], Booked(Decimal(1), 1), [_trade(opened_ms, closed_ms)])
    assert (found.warning, found.pnl, found.mainly) == (False, None, False)


@pytest.mark.parametrize(("net", "mainly"), [("18", False), ("17.99999999", True), ("-17.9", True)])
def test_part_is_most_of_the_net_from_just_over_half_on(net: str, mainly: bool) -> None:
    jump = WindowFinding("X", None, "price_jump", 1, START, START + HOUR_MS, "up", (_moment("5005.5"),))
    [found] = run_findings([jump], Booked(Decimal(net), 1), [_trade(START - 1, START + DAY_MS)])
    assert (found.pnl, found.mainly) == (Decimal(-9), mainly)


def test_jump_is_a_warning_without_an_amount_where_round_trips_are_not_known() -> None:
    jump = WindowFinding("X", None, "price_jump", 1, START, START + HOUR_MS, "up", (_moment(),))
    [traded] = run_findings([jump], Booked(Decimal(1), 3), None)
    [idle] = run_findings([jump], Booked(Decimal(0), 0), None)
    assert (traded.warning, traded.pnl, idle.warning) == (True, None, False)


def test_pairs_that_were_not_traded_are_left_out_but_not_where_nothing_was() -> None:
    found = [WindowFinding(name, "perp", "zero_volume", 9, START, START, "quiet") for name in ("X", "Y")]
    assert [one.symbol for one in run_findings(found, Booked(Decimal(1), 1), [_trade(0, 1)])] == ["X"]
    assert [one.symbol for one in run_findings(found, Booked(Decimal(0), 0), [])] == ["X", "Y"]


def test_pnl_after_the_end_of_a_contract_is_the_first_finding_and_says_what_to_do() -> None:
    dead = WindowFinding("X", "perp", "dead_contract", 80, START, START + DAY_MS, "no trade since")
    booked = Booked(Decimal(160), 1, False, 100, 0, Decimal("91.12"))
    [late, noted] = run_findings([dead], booked, [_trade(0, START + DAY_MS)])
    assert (late.name, late.symbol, late.warning, late.mainly) == ("pnl_after_market_end", "X", True, True)
    assert (late.from_ms, late.to_ms, late.pnl) == (START, START + DAY_MS, Decimal("91.12"))
    assert "set end_dead_markets to true" in late.detail
    assert (noted.name, noted.warning) == ("dead_contract", False)


def test_dead_contract_of_a_run_that_booked_nothing_after_it_is_only_noted() -> None:
    dead = WindowFinding("X", "perp", "dead_contract", 80, START, START + DAY_MS, "no trade since")
    [found] = run_findings([dead], Booked(Decimal(1), 1, False, 9, 0, Decimal(0)), [_trade(0, 1)])
    assert (found.name, found.warning) == ("dead_contract", False)
    [older] = run_findings([dead], Booked(Decimal(1), 1), None)
    assert older.warning


def test_dead_contract_that_the_run_ends_itself_is_noted_without_advice() -> None:
    detail = "no trade since then; end the window there, or set end_dead_markets to true"
    dead = WindowFinding("X", "perp", "dead_contract", 80, START, START + DAY_MS, detail)
    [found] = run_findings([dead], Booked(Decimal(1), 1, ends_dead=True), [_trade(0, 1)])
    assert (found.warning, found.detail) == (False, "no trade since then; end_dead_markets closes there")


def test_pnl_after_an_end_is_told_where_the_record_merely_stops_or_is_not_known() -> None:
    stops = WindowFinding("X", "perp", "record_ends", 0, START, START + DAY_MS, "the record ends")
    booked = Booked(Decimal(100), 1, False, 9, 0, Decimal(10))
    [late, _] = run_findings([stops], booked, [_trade(0, 1)])
    assert (late.name, late.symbol, late.from_ms, late.mainly) == ("pnl_after_market_end", "X", START, False)
    [late] = run_findings([], booked, None)
    assert (late.symbol, late.from_ms, late.pnl) == (None, None, Decimal(10))


@pytest.mark.parametrize(("missed", "paid", "warning"), [(1, 99, True), (1, 100, False), (0, 5, None)])
def test_missed_settlements_are_a_warning_from_one_in_a_hundred_on(
    missed: int, paid: int, warning: bool | None
) -> None:
    found = run_findings([], Booked(Decimal(1), 1, False, paid, missed), [])
    assert [one.warning for one in found] == ([] if warning is None else [warning])
    assert all(one.detail.startswith(f"{missed} of {missed + paid} settlements due while") for one in found)


def test_finding_of_a_window_survives_being_stored() -> None:
    jump = WindowFinding("X", None, "price_jump", 1, START, START + HOUR_MS, "up", (_moment(),))
    assert WindowFinding.of(jump.document()) == jump


def test_jumps_past_a_hundred_are_counted_and_warned_about_without_an_amount() -> None:
    market = {"X": pair(RATES, ["1", "1000"] * 60)}
    [most] = [one for one in run(market, end=START + 101 * HOUR_MS).findings if one.pnl is not None]
    assert (most.name, most.count, most.warning) == ("price_jump", 100, True)
    ended = run(market, end=START + 102 * HOUR_MS).findings
    [found] = [one for one in ended if one.name == "price_jump"]
    assert (found.count, found.warning, found.pnl) == (101, True, None)


def test_nothing_after_the_window_is_a_finding_of_it() -> None:
    market = {"X": pair(RATES, ["100"] * 6 + ["100000"] * 6)}
    assert run(market, end=START + 6 * HOUR_MS).findings == ()
    assert [one.name for one in run(market, end=START + 7 * HOUR_MS).findings] == ["price_jump"]


def test_volume_gate_names_the_time_it_judged_where_that_is_no_day() -> None:
    hours = candles(["100"] * 40)
    wide = {"timeframe_ms": {"perp": 4 * HOUR_MS}, "perp": ["100"] * 10}
    market = {"X": {**pair({4: "0.001", 8: "0.001"}, ["100"] * 9), **wide, "perp": hours[::4]}}
    config = configured(market, min_volume_24h=10**9, max_price_age_hours=9)
    shown = window(market, config)
    [report] = explain(replay(config, shown), shown, Baselines(shown)).blocked
    assert (report.gate, report.document()["note"]) == ("min_volume_24h", report.note)
    assert "here of 4 h: it spans 4 days" in (report.note or "")


def _moment(perp_after: str = "5010") -> JumpMoment:
    prices = Decimal(50), Decimal(51), Decimal(5_000), Decimal(perp_after)
    return JumpMoment(START, START + HOUR_MS, *prices)


def _trade(opened_ms: int, closed_ms: int) -> Trade:
    with exact():
        prices = Decimal(49), Decimal(50), Decimal(5_100), Decimal(5_110)
        amounts = Decimal(1), Decimal(2), Decimal(-18), Decimal(-19)
    return Trade("X", opened_ms, closed_ms, Decimal(2), *prices, *amounts, 9, CloseReason.SIGNAL)
