from collections.abc import Sequence
from typing import Any

import pytest

from tests.reference.naive import NoEventsError, run

HOUR = 3_600_000
A, B = "AAA/USDT:USDT", "BBB/USDT:USDT"
FREE = {"spot_taker": "0", "perp_taker": "0", "slippage_bps": "0"}
BASE: dict[str, Any] = {
    "symbols": [A],
    "start": 0,
    "end": 1000 * HOUR,
    "min_volume_24h": "0",
    "allocation": "1",
}


def candles(
    closes: Sequence[str], highs: dict[int, str] | None = None
) -> list[tuple[int, str, str, str, str, str]]:
    """Return hourly candles; the first one closes at hour 0, `highs` is keyed by closing hour."""
    tops = highs or {}
    return [
        ((hour - 1) * HOUR, close, tops.get(hour, close), close, close, "10")
        for hour, close in enumerate(closes)
    ]


def symbol(
    rates: Sequence[str],
    spot: Sequence[str],
    perp: Sequence[str],
    highs: dict[int, str] | None = None,
    **rest: Any,
) -> dict[str, Any]:
    """Return a symbol that settles every 8 hours from hour 0 on, without own marks."""
    return {
        "funding": [(index * 8 * HOUR, rate, 8, None) for index, rate in enumerate(rates)],
        "spot": candles(spot),
        "perp": candles(perp, highs),
        "mark": rest.get("mark"),
        "timeframe_ms": {"spot": HOUR, "perp": HOUR, "mark": HOUR},
        "instrument": {"qty_step": "1", "min_qty": "1", "min_notional": "5", "mmr": "0.005"},
    }


def test_round_trip_books_funding_fees_and_both_legs() -> None:
    # unit = 100*1.001 + 100*(1/1 + 0.001) = 200.2; 10000/200.2 = 49.95 -> q = 49
    # open at 0 h: notional 4900 a leg, fees 4.9 + 4.9, cash 5090.2, equity 9990.2
    # 8 h: 49*100*0.001 = 4.9 received; 16 h: rate 0, a payment of 0, then exit at 110 / 109
    # fees 49*110*0.001 + 49*109*0.001 = 5.39 + 5.341; price_pnl = 5390 - 4900 + 49*(100 - 109) = 49
    # net = 49 + 4.9 - (9.8 + 10.731) = 33.369
    prices = ["100"] * 16
    market = {A: symbol(["0.001", "0.001", "0", "0"], [*prices, *["110"] * 9], [*prices, *["109"] * 9])}

    result = run(market, BASE | {"slippage_bps": "0", "spot_taker": "0.001", "perp_taker": "0.001"})

    assert result["trades"] == [
        {
            "symbol": A,
            "opened_at": 0,
            "closed_at": 16 * HOUR,
            "quantity": "49",
            "spot_entry": "100",
            "perp_entry": "100",
            "spot_exit": "110",
            "perp_exit": "109",
            "funding": "4.9",
            "fees": "20.531",
            "price_pnl": "49",
            "net_pnl": "33.369",
            "funding_payments": 2,
            "reason": "signal",
            "long_entry": "100",
            "long_exit": "110",
            "short_entry": "100",
            "short_exit": "109",
            "long_pnl": "490",
            "short_pnl": "-441",
            "borrow_cost": "0",
            "transfer_cost": "0",
            "top_ups": 0,
            "reductions": 0,
        }
    ]
    assert [equity for _, equity in result["equity"]] == ["9990.2", "9995.1", "10033.369", "10033.369"]
    assert result["metrics"]["max_drawdown"] == "9.8"
    assert result["metrics"]["max_drawdown_pct"] == 9.8 / 10000
    assert result["metrics"]["time_in_market"] == 0.5
    assert result["metrics"]["avg_holding_hours"] == 16.0
    assert result["metrics"]["profit_factor"] is None
    assert result["metrics"]["sharpe"] is not None  # 0 h and 24 h are two UTC days


def test_slippage_worsens_all_four_fills_and_end_closes_after_the_last_funding() -> None:
    # s = 0.001: buy spot 100.1, sell perp 99.9; unit = 100.1 + 99.9 = 200; q = 1000/200 = 5
    # 8 h (last event): own mark absent, mark = perp close 102: 5*102*0.001 = 0.51
    # sell spot 101*0.999 = 100.899, buy perp 102*1.001 = 102.102
    # price_pnl = 504.495 - 500.5 + 5*(99.9 - 102.102) = 3.995 - 11.01 = -7.015
    market = {A: symbol(["0.001", "0.001"], ["100"] * 8 + ["101"], ["100"] * 8 + ["102"])}

    result = run(market, BASE | FREE | {"slippage_bps": "10", "initial_capital": "1000"})

    (trade,) = result["trades"]
    assert (trade["quantity"], trade["spot_entry"], trade["perp_entry"]) == ("5", "100.1", "99.9")
    assert (trade["spot_exit"], trade["perp_exit"], trade["reason"]) == ("100.899", "102.102", "end")
    assert (trade["funding"], trade["price_pnl"], trade["net_pnl"]) == ("0.51", "-7.015", "-6.505")
    assert result["metrics"]["final_equity"] == "993.495"


LEVERED = BASE | FREE | {"initial_capital": "1000", "perp_leverage": "10"}
# Leverage 10 at 100: unit = 100 + 10 = 110, q = 9, margin 90, m + q*entry = 990.
# Liquidation at high*9*1.005 >= 990, that is from 109.4527... on.


def test_high_wick_liquidates_at_the_close_time_of_its_candle() -> None:
    # 3 h: high 109.45 is short of it; 4 h: 109.46 is not. Spot at 4 h is 105: 945 - 900 - 90 = -45
    spot = ["100"] * 4 + ["105"] * 13
    market = {A: symbol(["0.001"] * 3, spot, ["100"] * 17, {3: "109.45", 4: "109.46"})}

    result = run(market, LEVERED)

    (trade,) = result["trades"]
    assert (trade["closed_at"], trade["reason"], trade["perp_exit"]) == (4 * HOUR, "liquidation", None)
    assert (trade["price_pnl"], trade["funding_payments"]) == ("-45", 0)
    assert [equity for _, equity in result["equity"]] == ["1000", "955", "955"]


@pytest.mark.parametrize(("high", "reason"), [("110", "liquidation"), ("109.9999999", "end")])
def test_wick_that_just_uses_up_the_margin_liquidates(high: str, reason: str) -> None:
    # Without maintenance margin the threshold is high*9 >= 990.
    data = symbol(["0.001"] * 2, ["100"] * 9, ["100"] * 9, {1: high})
    data["instrument"]["mmr"] = "0"

    (trade,) = run({A: data}, LEVERED)["trades"]

    assert trade["reason"] == reason


def test_liquidation_by_a_candle_closing_at_the_settlement_comes_before_funding() -> None:
    market = {A: symbol(["0.001"] * 3, ["100"] * 17, ["100"] * 17, {8: "120"})}

    (trade,) = run(market, LEVERED)["trades"]

    assert (trade["closed_at"], trade["funding"], trade["reason"]) == (8 * HOUR, "0", "liquidation")


def test_position_is_liquidated_only_once_the_mark_series_has_begun() -> None:
    # The perp spikes at 2 h, but mark candles exist, the first closing at 5 h; their spike is at 6 h.
    marks = [
        ((hour - 1) * HOUR, "100", "130" if hour == 6 else "100", "100", "100", "0") for hour in range(5, 17)
    ]
    market = {A: symbol(["0.001"] * 3, ["100"] * 17, ["100"] * 17, {2: "150"}, mark=marks)}

    (trade,) = run(market, LEVERED)["trades"]

    assert (trade["closed_at"], trade["reason"]) == (6 * HOUR, "liquidation")


def test_thin_margin_is_closed_at_the_event() -> None:
    # 109.4: maintenance 0.005*9*109.4 = 4.923, balance 990 - 984.6 = 5.4, ratio 0.91 >= 0.8
    # spot at 109: 9*9 = 81, perp 9*(100 - 109.4) = -84.6; funding 9*109.4*0.001 = 0.9846
    market = {A: symbol(["0.001"] * 3, ["100"] * 8 + ["109"] * 9, ["100"] * 8 + ["109.4"] * 9)}

    result = run(market, LEVERED)

    (trade,) = result["trades"]
    assert (trade["closed_at"], trade["reason"]) == (8 * HOUR, "margin")
    assert (trade["price_pnl"], trade["funding"], trade["net_pnl"]) == ("-3.6", "0.9846", "-2.6154")
    assert result["metrics"]["margin_exits"] == 1


def test_entry_below_the_minimum_is_skipped_and_the_next_candidate_tried() -> None:
    # A yields more but one unit of it costs 2000 of 1000; B takes the only slot, and A is ignored then.
    market = {
        A: symbol(["0.002"] * 3, ["1000"] * 17, ["1000"] * 17),
        B: symbol(["0.001"] * 3, ["10"] * 17, ["10"] * 17),
    }

    result = run(market, BASE | FREE | {"initial_capital": "1000", "symbols": [A, B]})

    assert [(trade["symbol"], trade["quantity"]) for trade in result["trades"]] == [(B, "50")]
    assert result["metrics"]["skipped_entries"] == 1


def test_equal_yields_are_entered_in_order_of_symbol() -> None:
    flat = symbol(["0.001"] * 2, ["10"] * 9, ["10"] * 9)

    result = run({B: flat, A: flat}, BASE | FREE | {"symbols": [B, A]})

    assert [trade["symbol"] for trade in result["trades"]] == [A]


def test_stale_price_stops_decisions_but_not_funding() -> None:
    # The rate falls below the exit at 8 h, but the newest spot candle closed at 5 h.
    data = symbol(["0.001", "-0.001", "0.0002"], ["100"] * 17, ["100"] * 17)
    data["spot"] = [row for row in data["spot"] if not 5 * HOUR <= row[0] < 10 * HOUR]

    (trade,) = run({A: data}, BASE | FREE | {"initial_capital": "1000"})["trades"]

    # paid 5*100*0.001 = 0.5, received 5*100*0.0002 = 0.1
    assert (trade["closed_at"], trade["funding"], trade["reason"]) == (16 * HOUR, "-0.4", "end")


def test_composite_enters_exactly_at_its_score() -> None:
    # rate_level 0.0015/0.003 = 0.5; trend: span 1, ema = rate, it rose: 1; persistence 2 of 4: 0.5;
    # basis (101-100)/100/0.02 = 0.5; equal weights: 2.5/4 = 0.625
    # fraction = 0.2 + 0.8*0.625 = 0.7; unit = 201; 10000*0.7/201 = 34.8 -> 34
    market = {A: symbol(["0.001", "0.0015", "0.0015"], ["100"] * 17, ["101"] * 17)}
    weights = {f"weight_{name}": "1" for name in ("rate_level", "trend", "persistence", "basis")}
    config = {
        **BASE,
        **FREE,
        **weights,
        "strategy_mode": "composite",
        "trend_ema_span": 1,
        "persistence_max_periods": 4,
        "basis_cap": "0.02",
        "start": 1,
        "dynamic_sizing": True,
        "sizing_min_fraction": "0.2",
    }

    (trade,) = run(market, config | {"entry_threshold": "0.625"})["trades"]
    nothing = run(market, config | {"entry_threshold": "0.625001"})["trades"]

    assert (trade["opened_at"], trade["quantity"]) == (8 * HOUR, "34")
    assert nothing == []


@pytest.mark.parametrize(("first_closing_hour", "trades"), [(0, 0), (1, 1)])
def test_declining_volume_refuses_only_with_a_full_window(first_closing_hour: int, trades: int) -> None:
    # At 47 h, 48 candles have closed since 0 h: 24 with volume 10, then 24 with 6, less than 0.7 of it.
    data = symbol([], ["100"] * 56, ["100"] * 56)
    data["funding"] = [(47 * HOUR, "0.001", 8, None), (55 * HOUR, "0.001", 8, None)]
    fading = [(*row[:5], "10" if hour < 24 else "6") for hour, row in enumerate(data["perp"])]
    data["perp"] = fading[first_closing_hour:]

    config = BASE | {"strategy_mode": "composite", "volume_lookback_days": 1, "entry_threshold": "0"}

    assert run({A: data}, config)["metrics"]["total_trades"] == trades


def test_window_without_settlements_is_refused() -> None:
    with pytest.raises(NoEventsError):
        run({A: symbol(["0.001"], ["1"], ["1"])}, BASE | {"start": 1})
