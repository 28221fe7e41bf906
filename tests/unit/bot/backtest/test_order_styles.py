"""Maker and taker orders by leg and by reason, worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest
from toy_market import configured, pair, window

from bot.backtest import replay
from bot.backtest.attribution import attribute
from bot.errors import InvalidInputError
from bot.models import CloseReason, Trade
from bot.numbers.money import exact

COSTS = {
    "slippage_bps": 100,
    "maker_slippage_bps": -10,
    "spot_taker": "0.002",
    "spot_maker": "0.001",
    "perp_taker": "0.004",
    "perp_maker": "-0.001",
    "min_holding_periods": 1000,
}
TAKEN, MADE = {"buy": "101", "sell": "99"}, {"buy": "99.9", "sell": "100.1"}


def traded(prices: list[str], rates: dict[int, str], **values: Any) -> Trade:
    market = {"X": pair(rates, prices)}
    config = configured(market, **{**COSTS, **values})
    result = replay(config, window(market, config))
    with exact():
        parts = attribute(result.trades, config.costs)
        assert parts.net_pnl == result.metrics.net_pnl
    return result.trades[0]


@pytest.mark.parametrize(
    ("style", "legs", "spot", "perp"),
    [
        ("taker", "both", (TAKEN, TAKEN), (TAKEN, TAKEN)),
        ("maker", "both", (MADE, MADE), (MADE, MADE)),
        ("maker", "long", (MADE, MADE), (TAKEN, TAKEN)),
        ("maker", "short", (TAKEN, TAKEN), (MADE, MADE)),
        ("maker_entry", "both", (MADE, TAKEN), (MADE, TAKEN)),
        ("maker_entry", "short", (TAKEN, TAKEN), (MADE, TAKEN)),
    ],
)
@pytest.mark.parametrize("reason", [CloseReason.SIGNAL, CloseReason.END])
def test_makers_fill_the_legs_and_the_ends_of_a_hedge_that_they_are_asked_for(
    style: str, legs: str, spot: tuple[dict[str, str], ...], perp: tuple[dict[str, str], ...], reason: str
) -> None:
    rates = {1: "0.01", 2: "-0.01" if reason == CloseReason.SIGNAL else "0.01", 3: "0.01"}
    trade = traded(["100"] * 4, rates, order_style=style, maker_legs=legs)
    assert trade.reason == reason
    fills = [trade.spot_entry, trade.spot_exit, trade.perp_entry, trade.perp_exit]
    assert fills == [
        Decimal(price) for price in (spot[0]["buy"], spot[1]["sell"], perp[0]["sell"], perp[1]["buy"])
    ]
    rates_of = {"spot": ("0.001", "0.002"), "perp": ("-0.001", "0.004")}
    fees = sum(
        trade.quantity * price * Decimal(rates_of[leg][kind is TAKEN])
        for price, leg, kind in zip(fills, ("spot", "spot", "perp", "perp"), (*spot, *perp), strict=True)
        if price is not None
    )
    assert trade.fees == pytest.approx(fees, abs=Decimal("2e-8"))


def test_what_margin_or_an_exchange_forces_is_taken() -> None:
    leveraged = {"order_style": "maker", "perp_leverage": 5, "instrument": {"mmr": "0.05"}}
    rates = dict.fromkeys(range(1, 5), "0.01")
    forced = traded(["100", "100", "114", "114"], rates, **leveraged)
    assert forced.reason is CloseReason.MARGIN
    assert (forced.spot_entry, forced.spot_exit) == (Decimal("99.9"), Decimal(114) * Decimal("0.99"))
    taken = traded(["100", "100", "140", "140"], rates, **leveraged)
    assert taken.reason is CloseReason.LIQUIDATION
    assert taken.spot_exit == Decimal(140) * Decimal("0.99")


def test_the_rates_of_a_leg_stand_above_those_of_its_market() -> None:
    own = {"long_maker": "0", "short_maker": "0", "long_taker": "0.5", "short_taker": "0.5"}
    made = traded(["100"] * 4, {1: "0.01", 2: "0.01", 3: "0.01"}, order_style="maker", **own)
    assert made.fees == 0
    own |= {"long_taker": "0", "short_taker": "0", "long_maker": "0.5", "short_maker": "0.5"}
    assert traded(["100"] * 4, {1: "0.01", 2: "0.01", 3: "0.01"}, **own).fees == 0


def test_the_ranker_asks_for_the_fees_of_the_style() -> None:
    market = {"X": pair({1: "0.001", 2: "0.001", 3: "0.001"}, ["100"] * 4)}
    taker = configured(market, **{**COSTS, "min_holding_periods": 1})
    maker = taker.varied({"order_style": "maker"})  # 0.012 a round trip against none
    shown = window(market, taker)
    assert [len(replay(config, shown).trades) for config in (taker, maker)] == [0, 1]


def test_rebates_above_what_a_hedge_ties_up_open_nothing() -> None:
    market = {"X": pair({1: "0.01", 2: "0.01", 3: "0.01"}, ["100"] * 4)}
    config = configured(market, order_style="maker", short_maker="-0.9", perp_leverage=50, long_maker="-0.9")
    metrics = replay(config, window(market, config)).metrics
    assert (metrics.total_trades, metrics.skipped_entries) == (0, 2)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("order_style", "post_only", '"taker", "maker" or "maker_entry"'),
        ("maker_legs", "spot", '"both", "long" or "short"'),
        ("spot_maker", "-1", "greater than -1"),
        ("short_maker", "1", "less than 1"),
        ("long_taker", "-0.0001", "greater than or equal to 0"),
        ("maker_slippage_bps", "-10000", "greater than -10000"),
    ],
)
def test_a_style_or_rate_that_cannot_be_is_refused_by_name(field: str, value: str, told: str) -> None:
    market = {"X": pair({1: "0.01", 2: "0.01"}, ["100"] * 3)}
    with pytest.raises(InvalidInputError, match=told) as refused:
        configured(market, **{field: value})
    assert [error.field for error in refused.value.errors] == [field]


def test_accounts_of_equal_costs_share_them_and_no_others_do() -> None:
    market = {"X": pair({1: "0.01"}, ["100"])}
    costs = configured(market, **COSTS).costs
    assert configured(market, **COSTS, perp_leverage=3).costs is costs
    for name in COSTS.keys() - {"min_holding_periods"}:
        assert configured(market, **{**COSTS, name: "0.003"}).costs is not costs
    assert configured(market, **COSTS, order_style="maker").costs is not costs
