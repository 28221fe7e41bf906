"""One account of hedges whose parameters change at seams keeps what is open, as one of a pair does."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from builders import MarketRows, market_data, run_config
from hypothesis import given, settings
from reference.markets import stitched_runs
from toy_hedges import PRICES, configured, files, market, window
from toy_market import START, pair

from bot.backtest import ReplayWindow
from bot.backtest.stitched import Seam, StitchedRun, stitch
from bot.config.hedge_checks import needs_hedge_engine
from bot.config.run_config import RunConfig
from bot.hedges.engine import replay_hedges
from bot.hedges.evidence.engine_choice import stitch_runs
from bot.hedges.evidence.stitched import StitchedHedges, stitch_hedges
from bot.hedges.runs import AnyWindow
from bot.hedges.window import HedgeWindow
from bot.market.hedge_data import HedgeData
from bot.models import HOUR_MS, CloseReason

Changes = Sequence[tuple[int, dict[str, Any]]]
OF_UNRECORDED_ENDS = {"missed_settlements", "pnl_after_market_end"}
"""Figures of markets that stop without a recorded end, which runs of hedges do not look for."""
RELAXED = settings(max_examples=60, derandomize=True)


@RELAXED
@given(stitched_runs(patient=True))
def test_drawn_seams_of_spot_and_a_perp_agree_with_the_engine_made_for_them_to_the_last_digit(
    drawn: tuple[MarketRows, int, Changes],
) -> None:
    market, start_ms, changes = drawn
    always = {"exchange": "alpha", "end_dead_markets": False}
    seams = [Seam(moment, run_config(**{**values, **always})) for moment, values in changes]

    def of_pairs(config: RunConfig) -> ReplayWindow:
        rows = {symbol: market[symbol] for symbol in config.symbols}
        return ReplayWindow.build(config, market_data(rows, config.end, "alpha"))

    def of_hedges(config: RunConfig) -> HedgeWindow:
        data = market_data({symbol: market[symbol] for symbol in config.symbols}, config.end, "alpha")
        pairs = {("alpha", one.symbol): one for one in data.symbols}
        return HedgeWindow.build(config, HedgeData("alpha", config.end, pairs, {}, data.fingerprint))

    known, found = stitch(start_ms, seams, of_pairs), stitch_hedges(start_ms, seams, of_hedges)
    assert list(map(found.trade_document, found.trades)) == list(map(known.trade_document, known.trades))
    assert found.curve.document() == known.curve.document()
    told = found.metrics_document()
    for name, value in known.metrics_document().items():
        if not (known.stages[0].window.contract_ends and name in OF_UNRECORDED_ENDS):
            assert told[name] == value, name
    assert [stage.first for stage in found.stages] == [stage.first for stage in known.stages]
    assert found.payments == known.payments


def toy(held: dict[str, str], changes: dict[int, dict[str, Any]]) -> StitchedHedges:
    """Return the run of changes, by hour, over files."""
    seams = [Seam(START + hour * HOUR_MS, configured(**values)) for hour, values in changes.items()]
    return stitch_hedges(START, seams, lambda config: window(held, config))


def trips(run: StitchedHedges) -> list[tuple[int, int, Decimal, CloseReason, Decimal]]:
    """Return hours of opening and closing, quantity, reason and net P&L of trades."""
    hour = lambda t_ms: (t_ms - START) // HOUR_MS  # noqa: E731
    return [
        (hour(one.opened_at_ms), hour(one.closed_at_ms), one.quantity, one.reason, one.net_pnl)
        for one in run.trades
    ]


HOURS = range(1, 9)
CARRY = files(
    alpha=market(dict.fromkeys(HOURS, "0.01")),
    beta=market(dict.fromkeys(HOURS, "0.03")),
    gamma=market(dict.fromkeys(HOURS, "0.02")),
)
TWO_PERPS = {"structure": "perp_perp", "short_exchange": "beta"}


def test_two_perps_open_across_a_seam_keep_quantity_entries_and_margins_and_end_by_the_rules_in_force() -> (
    None
):
    change = {**TWO_PERPS, "exit_funding_rate": "0.03", "perp_leverage": 4, "allocation": "0.5"}
    run = toy(CARRY, {0: TWO_PERPS, 4: change, 5: {**change, "exit_funding_rate": -1}})
    # 50 of each leg from 5,000 on each exchange: 150 received and 50 paid an hour. Then half the capital at
    # a leverage of 4 buys 5,000 / (100/4 + 100/4).
    assert trips(run) == [
        (1, 4, Decimal(50), CloseReason.SIGNAL, Decimal(300)),
        (5, 8, Decimal(100), CloseReason.END, Decimal(600)),
    ]
    assert run.metrics.net_pnl == Decimal(900)
    assert run.hedge_metrics.max_margin_used == Decimal(10000)
    assert run.equity[-1] == (START + 8 * HOUR_MS, Decimal(10900))


def test_a_seam_at_which_the_same_parameters_go_on_books_nothing() -> None:
    run = toy(CARRY, {0: TWO_PERPS, 4: TWO_PERPS})
    config = configured(**TWO_PERPS)
    assert run.trades == replay_hedges(config, window(CARRY, config)).trades
    assert trips(run) == [(1, 8, Decimal(50), CloseReason.END, Decimal(700))]


def test_hedge_on_an_exchange_no_longer_traded_is_left_at_the_seam_and_its_cash_follows() -> None:
    run = toy(CARRY, {0: TWO_PERPS, 4: {**TWO_PERPS, "short_exchange": "gamma", "sizing_base": "equity"}})
    # 10,300 after three settlements: 5,150 for each exchange buy 51 of each leg, which earn 51 an hour. What
    # has the name of one that ended since the event before is not entered at the same event.
    assert trips(run) == [
        (1, 4, Decimal(50), CloseReason.SEAM, Decimal(300)),
        (5, 8, Decimal(51), CloseReason.END, Decimal(3 * 51)),
    ]


def test_hedge_of_another_structure_is_left_at_its_first_settlement_after_the_seam() -> None:
    reverse = {"structure": "reverse", "borrow_rate_hourly": "0.001", "min_funding_rate": "0.004"}
    rates = {1: "-0.02", 2: "-0.02", 3: "-0.02", 4: "0.01", 6: "0.01", 8: "0.01"}
    run = toy(files(alpha=market(rates)), {0: reverse, 5: {"impact_bps": 0}})
    # Reverse: 50 of each leg pay 5 of interest an hour; two settlements of 100 received, two of 50 paid.
    assert trips(run) == [(1, 6, Decimal(50), CloseReason.SEAM, Decimal(200 - 100 - 5 * 5))]


def test_before_its_first_seam_an_account_of_hedges_is_cash() -> None:
    run = toy(CARRY, {4: TWO_PERPS})
    assert trips(run) == [(4, 8, Decimal(50), CloseReason.END, Decimal(400))]
    assert run.equity[:3] == [(START + hour * HOUR_MS, Decimal(10000)) for hour in (1, 2, 3)]
    assert run.pnl_between([START, START + 5 * HOUR_MS, START + 9 * HOUR_MS]) == [Decimal(0), Decimal(400)]


def test_runs_of_either_engine_are_one_account_of_hedges_under_full_names() -> None:
    held = {"AAA/USDT:USDT": pair(dict.fromkeys(HOURS, "0.01"), PRICES)}

    def window_of(config: RunConfig) -> AnyWindow:
        if needs_hedge_engine(config):
            return window(CARRY, config)
        return ReplayWindow.build(config, market_data(held, config.end, "alpha"))

    seams = [Seam(START, configured()), Seam(START + 4 * HOUR_MS, configured(impact_bps=1))]
    found = stitch_runs(START, seams, window_of)
    [trade] = found.trades
    assert isinstance(found, StitchedHedges)
    assert (trade.symbol, trade.net_pnl) == ("AAA/USDT>AAA/USDT:USDT", found.metrics.net_pnl)
    assert trade.opened_at_ms == START + HOUR_MS
    usual = stitch_runs(START, seams[:1], window_of)
    assert isinstance(usual, StitchedRun)
    assert usual.metrics.net_pnl == Decimal(350)
