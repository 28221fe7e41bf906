"""Trips of one slot, at any settlement, are priced as a run that makes just that trip books it."""

import gc
import weakref
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from builders import market_data, run_config
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.markets import runs
from toy_market import candles, configured, pair, window

from bot.backtest import ReplayWindow, replay
from bot.backtest.random_runs import NO_CHOICE, NO_TRIPS, random_entries
from bot.backtest.slot_trips import SlotPrices, SlotTrips
from bot.config.run_config import RunConfig
from bot.numbers.money import exact
from bot.statistics.metrics import money_units


def net_of(config: RunConfig, shown: ReplayWindow, symbol: str, entry: int, end: int) -> int:
    with exact():
        slots = SlotTrips(config, shown, symbol)
        return int(slots.net_pnls(np.array([entry]), np.array([end]))[0])


@settings(max_examples=40, derandomize=True)
@given(runs())
def test_true_trips_of_whole_slots_earn_what_the_run_booked(
    drawn: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    market, values = drawn
    config = run_config(**{**values, "sizing_base": "initial", "dynamic_sizing": False, "allocation": "0.3"})
    config = config.varied({"max_portfolio_exposure": None})
    rows = {symbol: market[symbol] for symbol in config.symbols}
    shown = ReplayWindow.build(config, market_data(rows, config.end))
    result = replay(config, shown)
    times = {symbol: shown.calendar.times_ms[shown.event_series(symbol).settles] for symbol in rows}
    with exact():
        for symbol, own in times.items():
            slots = SlotTrips(config, shown, symbol)
            for trade in result.trades:
                if trade.symbol == symbol and _ends_at_a_settlement(trade.closed_at_ms, own):
                    entry = np.searchsorted(own, [trade.opened_at_ms])
                    end = np.searchsorted(own, [trade.closed_at_ms])
                    assert slots.net_pnls(entry, end).tolist() == [money_units(trade.net_pnl)]


def _ends_at_a_settlement(closed_ms: int, own: Any) -> bool:
    return closed_ms in own


@settings(max_examples=40, derandomize=True)
@given(
    runs(),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12),
    st.sampled_from([1, 20, 200_000]),
)
def test_trips_earn_the_same_alone_and_after_others_of_their_account(
    drawn: tuple[dict[str, Any], dict[str, Any]], places: list[tuple[float, float]], payments: int
) -> None:
    market, values = drawn
    config = run_config(**{**values, "fee_model": "flat"})
    rows = {symbol: market[symbol] for symbol in config.symbols}
    shown = ReplayWindow.build(config, market_data(rows, config.end))
    prices = SlotPrices.shared(shown)
    for symbol in config.symbols:
        last = int(np.count_nonzero(shown.event_series(symbol).settles)) - 1
        trips = np.array([sorted((round(a * last), round(b * last))) for a, b in places])
        alone = [net_of(config, shown, symbol, *trip) for trip in trips.tolist()]
        with exact(), pytest.MonkeyPatch.context() as patch:
            patch.setattr("bot.backtest.slot_trips._PAYMENTS_AT_ONCE", payments)
            patch.setattr("bot.backtest.slot_trips._MOST_PAYMENTS", payments)
            slots, fresh = prices.of(config, shown, symbol), SlotTrips(config, shown, symbol)
            one_by_one = [fresh.net_pnls(*trip[:, None]).tolist() for trip in trips]
            together_at_last = fresh.net_pnls(*trips.T).tolist()
            together = slots.net_pnls(*trips.T).tolist()
            again = [slots.net_pnls(*trip[:, None]).tolist() for trip in reversed(trips)]
        assert together == together_at_last == alone
        assert one_by_one == [[one] for one in alone]
        assert again == [[one] for one in reversed(alone)]


def test_shared_prices_of_a_window_do_not_keep_it_alive() -> None:
    config, shown = toy(dict.fromkeys(range(1, 7), "0.01"), ["100"] * 6)
    with exact():
        SlotPrices.shared(shown).of(config, shown, "X").net_pnls(np.array([0]), np.array([5]))
    gc.disable()  # what refers to itself would be freed here as well
    try:
        left = weakref.ref(shown)
        del shown
        assert left() is None
    finally:
        gc.enable()


def test_slots_of_two_accounts_of_a_window_are_priced_apart() -> None:
    config, shown = toy(dict.fromkeys(range(1, 7), "0.01"), ["100"] * 6)
    half = config.varied({"allocation": Decimal("0.5")})
    prices = SlotPrices.shared(shown)
    with exact():
        found = [
            prices.of(one, shown, "X").net_pnls(np.array([0]), np.array([5])).tolist()
            for one in (config, half, config)
        ]
    assert found == [[250 * 10**8], [125 * 10**8], [250 * 10**8]]


def toy(rates: dict[int, str], prices: list[str], **values: Any) -> tuple[RunConfig, ReplayWindow]:
    market = {"X": pair(rates, prices, **values.pop("series", {}))}
    always = {"initial_capital": 10000, "exit_funding_rate": -1, "min_funding_rate": "0.00001"}
    config = configured(market, **{**always, **values})
    return config, window(market, config)


def test_a_trip_gets_one_slot_of_the_initial_capital_and_its_settlements_after_entry() -> None:
    config, shown = toy(
        dict.fromkeys(range(1, 7), "0.01"), ["100"] * 6, max_simultaneous_positions=2, sizing_base="equity"
    )
    # A slot of 5,000 buys 25 of each leg: 25 a settlement.
    assert [net_of(config, shown, "X", 1, end) for end in (1, 2, 5)] == [0, 25 * 10**8, 100 * 10**8]


def test_a_trip_without_fresh_prices_at_its_entry_earns_nothing() -> None:
    config, shown = toy(dict.fromkeys(range(1, 7), "0.01"), ["100"] * 2)
    assert [net_of(config, shown, "X", entry, 5) for entry in (2, 4)] == [150 * 10**8, 0]


def test_a_trip_is_liquidated_between_its_settlements_and_loses_the_rest_of_its_funding() -> None:
    prices = ["100"] * 6
    config, shown = toy(
        dict.fromkeys(range(1, 7), "0.01"), prices, series={"mark": candles(prices, {4: "250"})}
    )
    # 50 of each leg: two settlements of 50 are received, the margin of 5,000 is lost.
    assert net_of(config, shown, "X", 0, 5) == (2 * 50 - 5000) * 10**8
    assert net_of(config, shown, "X", 0, 2) == 2 * 50 * 10**8
    assert net_of(config, shown, "X", 3, 5) == 2 * 50 * 10**8


def test_random_entries_of_a_run_keep_every_trip_and_count_the_true_one() -> None:
    rates = {hour: "0.01" if hour in {5, 6, 7} else "-0.02" for hour in range(1, 41)}
    config, shown = toy(rates, ["100"] * 40, exit_funding_rate=0)
    found = random_entries(replay(config, shown), shown)
    assert found.symbols["X"].lengths == (3,)
    assert found.net_pnl == (2 * 50 - 100) * 10**8
    assert len(found.drawn) == 1000
    assert max(found.drawn) == 3 * 50 * 10**8
    assert found.p == (1 + sum(one >= found.net_pnl for one in found.drawn)) / 1001


@pytest.mark.parametrize(
    ("values", "reason"), [({"min_funding_rate": 1}, NO_TRIPS), ({}, NO_CHOICE)], ids=["no trip", "no choice"]
)
def test_random_entries_without_a_choice_say_why(values: dict[str, Any], reason: str) -> None:
    config, shown = toy(dict.fromkeys(range(1, 7), "0.01"), ["100"] * 6, **values)
    found = random_entries(replay(config, shown), shown)
    assert (found.p, found.missing) == (None, reason)
