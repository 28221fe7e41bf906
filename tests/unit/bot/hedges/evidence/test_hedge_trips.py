"""Trips of one slot, at any settlement of a hedge, are priced as a run that makes just that one books it."""

from typing import Any

import numpy as np
import pytest
from builders import MarketRows, market_data, run_config
from hedge_files import hedge_data
from hypothesis import given, settings
from reference.hedges.drawn import STRUCTURES, made
from reference.markets import runs
from toy_hedges import PRICES, configured, files, market, rows, window

from bot.accounting.event_order import INTERRUPTIONS
from bot.backtest import ReplayWindow, replay
from bot.backtest.random_runs import NO_CHOICE, NO_TRIPS, Moments, random_entries, trips_of
from bot.config.run_config import RunConfig
from bot.errors import InsufficientDataError
from bot.hedges.arithmetic import exact_products
from bot.hedges.engine import replay_hedges
from bot.hedges.evidence.random_trips import random_hedges
from bot.hedges.evidence.slot_trips import HedgeTrips
from bot.hedges.window import HedgeWindow
from bot.market.hedge_data import HedgeData
from bot.models import BookedTrade, CloseReason
from bot.statistics.metrics import money_units

UNIT = 10**8
RELAXED = settings(max_examples=25, derandomize=True)
Run = tuple[MarketRows, dict[str, Any]]


@RELAXED
@given(runs())
def test_random_entries_of_spot_and_a_perp_are_those_of_the_engine_made_for_them(drawn: Run) -> None:
    rows, values = drawn
    config = run_config(**{**values, "exchange": "alpha", "end_dead_markets": False})
    data = market_data({symbol: rows[symbol] for symbol in config.symbols}, config.end, "alpha")
    pairs = {("alpha", one.symbol): one for one in data.symbols}
    try:
        shown = ReplayWindow.build(config, data)
    except InsufficientDataError:
        return
    held = HedgeWindow.build(config, HedgeData("alpha", config.end, pairs, {}, data.fingerprint))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.selection.evidence.random_entries.REPLICATES", 20)
        patch.setattr("bot.backtest.random_runs.REPLICATES", 20)
        known = random_entries(replay(config, shown), shown)
        assert random_hedges(replay_hedges(config, held), held) == known


@pytest.mark.parametrize("structure", STRUCTURES)
def test_first_trip_of_a_run_earns_what_the_run_booked(structure: str) -> None:
    alone = {
        "max_simultaneous_positions": 1,
        "wallet_trigger": None,
        "fee_model": "flat",
        "dynamic_sizing": False,
    }
    reasons = set()
    for seed in range(120):
        held, values = made(seed, structure)
        config = RunConfig.parse({**values, **alone})
        shown = HedgeWindow.build(config, hedge_data(held, values))
        result = replay_hedges(config, shown)
        # What waits to be closed is left alone by its margin policy: trips do not tell that it waited.
        if config.fill_lag_candles and config.margin_policy != "none":
            continue
        for trade in result.trades[:1]:
            with exact_products():
                slots = HedgeTrips(result.config, shown, trade.symbol)
                [trip] = trips_of([trade], slots.moments)
                if _is_of_settlements(trade, slots.moments):
                    assert slots.net_pnls(*trip[:, None]).tolist() == [money_units(trade.net_pnl)], seed
                    reasons.add(trade.reason)
    assert reasons >= {CloseReason.SIGNAL, CloseReason.END, CloseReason.LIQUIDATION}


@pytest.mark.parametrize("structure", [one for one in STRUCTURES if one != "inverse"])
def test_trips_priced_by_columns_are_those_that_are_walked(
    structure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = 0
    for seed in range(25):
        held, values = made(seed, structure)
        plain = {"fill_lag_candles": 0, "impact_bps": 0, "margin_policy": "none"}
        config = RunConfig.parse({**values, **plain})
        shown = HedgeWindow.build(config, hedge_data(held, values))
        for hedge in shown.hedges:
            with exact_products():
                by_columns = HedgeTrips(config, shown, hedge.name)
                times = np.arange(len(by_columns.moments.times_ms))
                trips = np.array([(entry, end) for entry in times for end in times[entry:][:7]])
                if not len(trips):
                    continue
                found = by_columns.net_pnls(*trips.T).tolist()
                with monkeypatch.context() as patch:
                    patch.setattr("bot.hedges.evidence.slot_trips.has_columns", lambda *_: False)
                    walked = HedgeTrips(config, shown, hedge.name).net_pnls(*trips.T).tolist()
            assert found == walked, seed
            compared += sum(map(bool, found))
    assert compared > 200


def test_columns_in_parts_price_as_columns_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    held = files(alpha=market(dict.fromkeys(HOURS, "0.01")), beta=market({2: "0.03", 5: "0.03", 8: "0.03"}))
    trips = [(entry, end) for entry in range(8) for end in range(entry, 8)]
    whole = toy_trips(held, trips, **TWO_PERPS)
    monkeypatch.setattr("bot.hedges.evidence.trip_columns._PAYMENTS_AT_ONCE", 3)
    assert toy_trips(held, trips, **TWO_PERPS) == whole


def _is_of_settlements(trade: BookedTrade, moments: Moments) -> bool:
    """Return whether a trade began by the one decision filled then, and ended as trips of settlements do."""
    if np.count_nonzero(moments.left_ms == trade.opened_at_ms) > 1:
        return False
    if trade.reason in INTERRUPTIONS:
        return trade.closed_at_ms <= int(moments.times_ms[-1])
    return trade.closed_at_ms in moments.left_ms and trade.reason not in (
        CloseReason.MARGIN,
        CloseReason.DISTANCE,
    )


def toy_trips(held: dict[str, str], trips: list[tuple[int, int]], **values: Any) -> list[int]:
    """Return the net P&L of trips, each told by the settlements of entry and end, in quote currency."""
    config = configured(**values)
    shown = window(held, config)
    with exact_products():
        slots = HedgeTrips(config, shown, shown.hedges[0].name)
        return [net // UNIT for net in slots.net_pnls(*np.array(trips).T).tolist()]


HOURS = range(1, 9)
TWO_PERPS = {"structure": "perp_perp", "short_exchange": "beta"}


def test_trips_of_two_perps_of_two_exchanges_get_a_slot_and_the_settlements_of_either_leg_after_entry() -> (
    None
):
    held = files(alpha=market(dict.fromkeys(HOURS, "0.01")), beta=market({2: "0.03", 5: "0.03", 8: "0.03"}))
    # A slot of 5,000 buys 25 of each leg: 25 paid an hour, 75 received at the hours 2, 5 and 8.
    found = toy_trips(held, [(1, 1), (1, 2), (1, 4), (2, 7)], **TWO_PERPS, max_simultaneous_positions=2)
    assert found == [0, -25, 75 - 3 * 25, 2 * 75 - 5 * 25]


def test_trips_of_a_reverse_pay_interest_for_every_hour_between_their_settlements() -> None:
    held = files(alpha=market(dict.fromkeys((1, 3, 6, 8), "-0.01")))
    values = {"structure": "reverse", "borrow_rate_hourly": "0.001"}
    # 50 of each leg: 50 received at a settlement, 5 of interest an hour.
    assert toy_trips(held, [(0, 1), (0, 3), (1, 2)], **values) == [50 - 10, 150 - 35, 50 - 15]


def test_a_trip_lasts_until_its_second_leg_has_followed_one_that_was_liquidated() -> None:
    prices = [*["100"] * 3, *["300"] * 3, *["100"] * 94]
    held = files(alpha=market(dict.fromkeys(HOURS, "0.01"), PRICES), beta=market({1: "0", 8: "0"}, prices))
    values = {**TWO_PERPS, "leg_out_delay_minutes": 60}
    # 50 of each leg: the short is lost at hour 4 with its margin of 5,000, the long
    # pays there, and leaves at hour 5 before it settles.
    assert toy_trips(held, [(1, 2), (1, 3), (1, 4), (1, 7)], **values) == [-50, *[-5000 - 2 * 50] * 3]


def test_trips_with_a_lag_are_entered_and_left_at_the_candles_after_their_settlements() -> None:
    prices = ["100", "100", "100", "100", "100", "110", "110", *["110"] * 93]
    held = files(
        alpha=market({1: "0.01", 3: "0.01", 5: "0.01", 8: "0.01"}, **{"spot-1h": rows(prices)}),
    )
    # 50 of each leg, opened an hour after the settlement and left an hour after another one, where the spot
    # has gained 10; at the last event what is open closes at once.
    found = toy_trips(held, [(0, 1), (0, 2), (1, 3), (3, 3)], fill_lag_candles=1)
    assert found == [50, 2 * 50 + 500, 2 * 50 + 500, 0]


def test_random_entries_of_a_run_of_hedges_keep_every_trip_and_count_the_true_one() -> None:
    alpha = dict.fromkeys(range(1, 41), "0.02")
    beta = {hour: "0.03" if hour in {5, 6, 7} else "0" for hour in range(1, 41)}
    config = configured(**TWO_PERPS, exit_funding_rate=0)
    shown = window(files(alpha=market(alpha), beta=market(beta)), config)
    found = random_hedges(replay_hedges(config, shown), shown)
    [own] = found.symbols.values()
    # 50 of each leg: opened at 5, 50 at 6 and 7 each, -100 at 8. At random -100 an hour, 50 at best thrice.
    assert (own.settlements, own.lengths, found.net_pnl) == (40, (3,), (2 * 50 - 100) * UNIT)
    assert (len(found.drawn), max(found.drawn), min(found.drawn)) == (1000, 150 * UNIT, -300 * UNIT)
    assert found.p == (1 + sum(one >= found.net_pnl for one in found.drawn)) / 1001


@pytest.mark.parametrize(
    ("values", "reason"), [({"min_funding_rate": 1}, NO_TRIPS), ({}, NO_CHOICE)], ids=["no trip", "no choice"]
)
def test_random_entries_of_hedges_without_a_choice_say_why(values: dict[str, Any], reason: str) -> None:
    config = configured(**TWO_PERPS, **values)
    held = files(alpha=market(dict.fromkeys(HOURS, "0")), beta=market(dict.fromkeys(HOURS, "0.01")))
    shown = window(held, config)
    found = random_hedges(replay_hedges(config, shown), shown)
    assert (found.p, found.missing) == (None, reason)
