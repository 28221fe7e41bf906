"""One account whose parameters change at seams keeps its positions, and is a bot restarted with them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from agreement import assert_documents_agree
from builders import MarketRows, market_data, run_config
from hypothesis import given, settings
from papertrading import NAME, MemoryStore
from recorded import recorded_market
from reference.markets import stitched_runs
from reference.naive import run_stitched
from toy_market import START, configured, pair

from bot.backtest import ReplayWindow, replay
from bot.backtest.baseline import held_throughout
from bot.backtest.result import trade_document
from bot.backtest.stitched import Seam, StitchedRun, stitch
from bot.clock import SimulatedClock
from bot.config.run_config import RunConfig
from bot.models import HOUR_MS, CloseReason
from bot.paper.feed import FeedBatch
from bot.paper.orchestrator import PaperOrchestrator, SessionPlan, SessionRequest
from bot.paper.recorded_feed import RecordedFeed
from bot.paper.session import PairAccounts, session_document
from bot.paper.session_store import SessionStatus
from bot.timestamps import parse_time_ms

SIMPLE = {"min_volume_24h": 0, "min_holding_periods": 300, "min_coverage": "0.5"}
Changes = Sequence[tuple[int, dict[str, Any]]]

many = settings(max_examples=60, derandomize=True)


class StoppedFeed(RecordedFeed):
    """A recorded feed whose session is asked to stop before anything of a moment is told."""

    orchestrator: PaperOrchestrator
    stop_ms: int

    async def next_batch(self) -> FeedBatch:
        later = self._moments[self._moments > self._told_ms]
        if len(later) and int(later[0]) >= self.stop_ms:
            self.orchestrator.wish(SessionRequest.STOP)
            await asyncio.Event().wait()
        return await super().next_batch()


def windows(market: MarketRows) -> Any:
    def build(config: RunConfig) -> ReplayWindow:
        rows = {symbol: market[symbol] for symbol in config.symbols}
        return ReplayWindow.build(config, market_data(rows, config.end))

    return build


def stitched(market: MarketRows, start_ms: int, changes: Changes) -> StitchedRun:
    seams = [Seam(moment, run_config(**values)) for moment, values in changes]
    return stitch(start_ms, seams, windows(market))


def assert_naive_agrees(market: MarketRows, start_ms: int, changes: Changes) -> StitchedRun:
    run = stitched(market, start_ms, changes)
    document = {
        "metrics": run.metrics.document(),
        "trades": [trade_document(trade) for trade in run.trades],
        "equity": run.curve.document(),
    }
    assert_documents_agree(document, run_stitched(market, start_ms, changes))
    return run


def assert_paper_agrees(market: MarketRows, start_ms: int, changes: Changes) -> StitchedRun:
    """Trade on paper, stop before each seam, go on with its parameters, and compare all that was booked."""
    told = [(moment, {**values, "end_dead_markets": False}) for moment, values in changes]
    run = stitched(market, start_ms, told)
    times = [point[0] for point in run.equity]
    first = run.stages[0].first
    store, clock = MemoryStore(), SimulatedClock(times[first])
    symbols = run.stages[0].window.instruments
    data = market_data({symbol: market[symbol] for symbol in symbols}, run.stages[0].config.end)
    stops = [times[stage.first] for stage in run.stages[1:]]
    for stage, stop_ms in zip(run.stages, [*stops, None], strict=True):
        if store.saved is not None:
            store.saved = replace(store.saved, config=session_document(stage.config))
        feed = StoppedFeed({pair.symbol: pair for pair in data.symbols}, clock)
        plan = SessionPlan(NAME, stage.config, times[-1] if stop_ms is None else None)
        feed.stop_ms = times[-1] + 1 if stop_ms is None else stop_ms
        feed.orchestrator = PaperOrchestrator(plan, PairAccounts(), feed, clock, store)
        status = asyncio.run(feed.orchestrator.run())
    assert status is SessionStatus.ENDED
    assert store.trades(NAME) == list(run.trades)
    expected = sorted(run.payments, key=lambda payment: (payment.t_ms, payment.symbol))
    assert store.payments(NAME) == expected
    assert store.equity(NAME) == run.equity[first:]
    assert store.saved is not None
    assert store.saved.account.skipped_entries == run.metrics.skipped_entries
    return run


@many
@given(stitched_runs())
def test_drawn_seams_and_parameters_agree_with_the_naive_reference_to_the_last_digit(
    drawn: tuple[dict[str, Any], int, Changes],
) -> None:
    assert_naive_agrees(*drawn)


@many
@given(stitched_runs(patient=True))
def test_drawn_rules_of_patience_go_on_over_seams_as_in_the_naive_reference(
    drawn: tuple[dict[str, Any], int, Changes],
) -> None:
    assert_naive_agrees(*drawn)


@many
@given(stitched_runs(patient=True))
def test_drawn_seams_give_the_books_of_a_paper_session_restarted_with_their_parameters(
    drawn: tuple[dict[str, Any], int, Changes],
) -> None:
    assert_paper_agrees(*drawn)


def until(end_ms: int, rows: dict[str, Any]) -> dict[str, Any]:
    """Return the rows of a pair up to a moment: the naive reference reads all that it is given."""
    series = ("funding", "spot", "perp", "mark")
    return rows | {name: [row for row in rows[name] or () if row[0] <= end_ms] for name in series}


@pytest.mark.real_data
def test_recorded_markets_agree_with_both_over_seams_that_change_pairs_fees_sizing_and_strategy(
    real_data: Path,
) -> None:
    stems = {f"{coin}/USDT:USDT": f"{coin}USDT" for coin in ("ETH", "XRP", "ADA")}
    held = recorded_market(real_data / "binance", stems, from_ms=parse_time_ms("2020-12-01"))
    market = {symbol: until(parse_time_ms("2021-04-01"), rows) for symbol, rows in held.items()}
    start, window = parse_time_ms("2021-01-01"), {"start": "2021-01-01", "end": "2021-04-01"}
    pairs = list(stems)
    changes = [
        (
            start,
            {"symbols": pairs, "min_funding_rate": "0.0001", "exit_funding_rate": "-1", "perp_leverage": 3}
            | {"max_simultaneous_positions": 3},
        ),
        (
            parse_time_ms("2021-01-20"),
            {"symbols": pairs[:2], "strategy_mode": "composite", "entry_threshold": "0.3", "perp_leverage": 2}
            | {"exit_threshold": "0.2", "slippage_bps": 20},
        ),
        (
            parse_time_ms("2021-02-20"),
            {"symbols": pairs[1:], "min_funding_rate": "0.0002", "spot_taker": "0", "sizing_base": "equity"}
            | {"max_price_age_hours": 1},
        ),
    ]
    told = [(moment, {**SIMPLE, **values, **window}) for moment, values in changes]
    run = assert_paper_agrees(market, start, told)
    naive = [
        (moment, {**values, "start": start, "end": parse_time_ms("2021-04-01")}) for moment, values in told
    ]
    assert_naive_agrees(market, start, naive)
    assert {trade.reason for trade in run.trades} >= {CloseReason.SEAM, CloseReason.SIGNAL, CloseReason.END}


def toy(rates: dict[int, str], changes: dict[int, dict[str, Any]], **pairs: Any) -> StitchedRun:
    """Return the run of changes, by hour, over X at a price of 100 and other pairs."""
    market = {"X": pair(rates, ["100"] * max(rates)), **pairs}
    always = {"initial_capital": 10000, "exit_funding_rate": -1, "min_funding_rate": "0.00001"}
    seams = [
        Seam(START + hour * HOUR_MS, configured(market, **{"symbols": ["X"], **always, **values}))
        for hour, values in changes.items()
    ]
    return stitch(START, seams, windows(market))


def test_a_position_open_across_a_seam_at_which_the_same_trial_is_chosen_books_nothing_there() -> None:
    rates = dict.fromkeys(range(1, 9), "0.01")
    run = toy(rates, {0: {}, 4: {}, 6: {}})
    assert run.trades == replay(run.stages[0].config, run.stages[0].window).trades
    assert [(trade.opened_at_ms, trade.reason, trade.funding_payments) for trade in run.trades] == [
        (START + HOUR_MS, CloseReason.END, 7)
    ]


def test_a_position_open_across_a_seam_keeps_quantity_entry_and_margin_and_ends_by_the_rules_in_force() -> (
    None
):
    rates = dict.fromkeys(range(1, 9), "0.01")
    change = {"exit_funding_rate": "0.02", "spot_taker": "0.001", "perp_leverage": 4, "allocation": "0.5"}
    run = toy(rates, {0: {}, 4: change, 5: {**change, "initial_capital": 4000}})
    first, second = run.trades[:2]
    assert (first.opened_at_ms, first.closed_at_ms) == (START + HOUR_MS, START + 4 * HOUR_MS)
    assert (first.reason, first.quantity, first.fees) == (CloseReason.SIGNAL, 50, 5)
    assert (second.opened_at_ms, second.quantity) == (START + 5 * HOUR_MS, 15)


def test_folds_are_added_never_multiplied_where_sizing_is_by_the_initial_capital() -> None:
    run = toy(
        {1: "0.2", 2: "0.2", 3: "0.2", 4: "-0.1"},
        {0: {}, 3: {"exit_funding_rate": "-0.9"}, 4: {"exit_funding_rate": "-0.8"}},
    )
    moments = [START + hour * HOUR_MS for hour in (0, 3, 4, 100)]
    assert run.pnl_between(moments) == [Decimal(1000), Decimal(1000), Decimal(-500)]
    assert (run.metrics.net_pnl, run.metrics.total_return) == (Decimal(1500), 0.15)


def test_a_pair_no_longer_traded_is_closed_at_its_first_settlement_with_fresh_prices() -> None:
    calm = dict.fromkeys(range(1, 10), "0.01")
    seldom = pair({1: "0.01", 2: "0.02", 5: "0.02", 8: "0.02", 9: "0.02"}, ["50"] * 9)
    seldom["spot"] = [row for row in seldom["spot"] if not 2 <= (row[0] - START) // HOUR_MS <= 5]
    run = toy(calm, {0: {"symbols": ["X", "Y"], "max_simultaneous_positions": 2}, 4: {}}, Y=seldom)
    assert [(trade.symbol, trade.closed_at_ms - START, trade.reason) for trade in run.trades] == [
        ("Y", 8 * HOUR_MS, CloseReason.SEAM),
        ("X", 9 * HOUR_MS, CloseReason.END),
    ]


def test_before_its_first_seam_the_account_is_cash_and_learns_from_what_settles() -> None:
    run = toy(dict.fromkeys(range(1, 9), "0.01"), {4: {}})
    assert [trade.opened_at_ms - START for trade in run.trades] == [4 * HOUR_MS]
    assert run.equity[:3] == [(START + hour * HOUR_MS, Decimal(10000)) for hour in (1, 2, 3)]
    assert run.metrics.time_in_market == 0.5


def test_hold_over_the_same_days_is_one_run_where_account_and_pairs_stay() -> None:
    rates = dict.fromkeys(range(1, 9), "0.01")
    run = toy(rates, {0: {}, 4: {"min_funding_rate": "0.05"}})
    held = stitch(
        START,
        [Seam(START + stage.first, held_throughout(stage.config)) for stage in run.stages],
        lambda _: run.stages[0].window,
    )
    assert [(trade.opened_at_ms, trade.reason) for trade in held.trades] == [
        (START + HOUR_MS, CloseReason.END)
    ]
