"""Misbehaving executors: the books agree with the venue, and no leg stays unhedged."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic import TypeAdapter

from bot.accounting import formulas
from bot.market.tickers import TickerService
from bot.models import CloseReason, FundingRate, Leg, OrderRequest, OrderResult, Side, Ticker, opening_order
from bot.numbers.money import ZERO, exact
from bot.trading.account import AccountState, Aim
from bot.trading.executor import Executor
from bot.trading.leg_worker import ATTEMPTS
from bot.trading.order_errors import OrderRejectedError, OrderUnknownError, PartlyFilledError
from bot.trading.position_manager import PositionManager
from bot.trading.tracker import PnLTracker

CAPITAL = Decimal(1_000_000)
RATES = {Leg.SPOT: Decimal("0.001"), Leg.PERP: Decimal("0.0005")}
MOODS = ("fill", "part", "reject", "lost but filled", "lost but partly filled", "lost")
NEARLY = Decimal("0.0000005")
STATE = TypeAdapter(AccountState)


@dataclass
class Venue(Executor):
    """Fills, refuses, fills in part, or does not say, as `moods` have it; then it is well again."""

    moods: list[str] = field(default_factory=list)
    silent: int = 0
    prices: dict[Leg, Decimal] = field(
        default_factory=lambda: {Leg.SPOT: Decimal(100), Leg.PERP: Decimal(101)}
    )
    cash: Decimal = CAPITAL
    held: dict[tuple[str, Leg], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    short_value: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    lost: dict[int, OrderResult | None] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list)
    clock: int = 0

    def execute(self, order: OrderRequest) -> OrderResult:
        assert order.quantity > 0
        assert order.number not in self.seen
        self.seen.append(order.number)
        mood = self.moods.pop(0) if self.moods else "fill"
        part = (order.quantity / 3).quantize(Decimal("0.001"))
        if mood == "reject" or ("part" in mood and not part):
            raise OrderRejectedError(order, "refused")
        fill = None if mood == "lost" else self._filled(order, part if "part" in mood else order.quantity)
        if "lost" in mood:
            self.lost[order.number] = fill
            raise OrderUnknownError(order, "timed out")
        assert fill is not None
        if mood == "part":
            raise PartlyFilledError(order, fill)
        return fill

    def outcome(self, order: OrderRequest) -> OrderResult | None:
        if self.silent:
            self.silent -= 1
            raise OrderUnknownError(order, "no answer")
        return self.lost.pop(order.number)

    def liquidate(self, symbol: str, margin: Decimal) -> None:
        self.held[symbol, Leg.PERP] = self.short_value[symbol] = ZERO
        self.cash -= margin

    def equity(self) -> Decimal:
        spot = sum((held for (_, leg), held in self.held.items() if leg is Leg.SPOT), ZERO)
        perp = sum((held for (_, leg), held in self.held.items() if leg is Leg.PERP), ZERO)
        shorts = sum(self.short_value.values(), ZERO)
        return self.cash + spot * self.prices[Leg.SPOT] + shorts + perp * self.prices[Leg.PERP]

    def _filled(self, order: OrderRequest, quantity: Decimal) -> OrderResult:
        price, self.clock = self.prices[order.leg], self.clock + 1
        sign = 1 if order.side is Side.BUY else -1
        self.held[order.symbol, order.leg] += sign * quantity
        fee = formulas.fee(quantity, price, RATES[order.leg])
        self.cash -= fee
        if order.leg is Leg.SPOT:
            self.cash -= sign * quantity * price
        else:
            self._short(order.symbol, -sign * quantity * price)
        return OrderResult(order._replace(quantity=quantity), price, fee, self.clock)

    def _short(self, symbol: str, value: Decimal) -> None:
        self.short_value[symbol] += value
        if not self.held[symbol, Leg.PERP]:
            self.cash += self.short_value.pop(symbol)


class Desk:
    """An account on a venue; `restart` brings it back from what it had written down."""

    def __init__(self, venue: Venue, state: AccountState | None = None) -> None:
        self.venue = venue
        self.tracker = PnLTracker(CAPITAL)
        self.positions = PositionManager(venue, self.tracker, Decimal(2))
        if state is not None:
            self.tracker.restore(state)
            pending = [hedge.hedge for hedge in state.unfinished]
            self.positions.restore((hedge.position for hedge in state.hedges), pending, state.orders)

    def restarted(self) -> "Desk":
        positions = self.positions
        written = STATE.dump_json(
            self.tracker.state(1, positions.held.values(), 0, positions.unfinished.values(), positions.orders)
        )
        return Desk(self.venue, STATE.validate_json(written))

    def equity(self) -> Decimal:
        tickers = TickerService()
        spot, perp = self.venue.prices[Leg.SPOT], self.venue.prices[Leg.PERP]
        tickers.update({symbol: Ticker(symbol, 1, spot, perp, perp, True, ZERO) for symbol in "AB"})
        curve = (
            self.tracker.unfinished_value(hedge, tickers) for hedge in self.positions.unfinished.values()
        )
        return self.tracker.equity(self.positions.held.values(), tickers) + sum(curve, ZERO)


symbols = st.sampled_from("AB")
moods = st.lists(st.sampled_from(MOODS), max_size=8)
quantities = st.decimals(min_value="0.001", max_value=50, places=3)


class MisbehavingVenue(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.venue = Venue()
        self.desk = Desk(self.venue)

    @rule(symbol=symbols, quantity=quantities, moods=moods, silent=st.integers(0, 2 * ATTEMPTS))
    def open(self, symbol: str, quantity: Decimal, moods: list[str], silent: int) -> None:
        positions = self.desk.positions
        if symbol in positions.held or symbol in positions.unfinished:
            return
        self.venue.moods, self.venue.silent = moods, silent
        with exact():
            position = positions.open(symbol, quantity)
        assert positions.held.get(symbol) == position

    @precondition(lambda self: self.desk.positions.held)
    @rule(moods=moods, silent=st.integers(0, 2 * ATTEMPTS))
    def close(self, moods: list[str], silent: int) -> None:
        positions = self.desk.positions
        position = next(iter(positions.held.values()))
        self.venue.moods, self.venue.silent = moods, silent
        before = len(self.desk.tracker.trades)
        with exact():
            trade = positions.close(position, CloseReason.SIGNAL)
        assert (trade is None) == (len(self.desk.tracker.trades) == before)

    @precondition(lambda self: self.desk.positions.held)
    @rule(moods=moods)
    def liquidate(self, moods: list[str]) -> None:
        position = next(iter(self.desk.positions.held.values()))
        self.venue.moods = moods
        self.venue.liquidate(position.symbol, position.margin)
        with exact():
            self.desk.positions.liquidate(position)

    @rule(moods=moods)
    def mend(self, moods: list[str]) -> None:
        self.venue.moods = moods
        with exact():
            self.desk.positions.mend()

    @rule()
    def restart(self) -> None:
        self.desk = self.desk.restarted()

    @rule(
        spot=st.decimals(min_value=50, max_value=150, places=2),
        perp=st.decimals(min_value=50, max_value=150, places=2),
    )
    def move_prices(self, spot: Decimal, perp: Decimal) -> None:
        self.venue.prices = {Leg.SPOT: spot, Leg.PERP: perp}

    @rule()
    def recover(self) -> None:
        self.venue.moods, self.venue.silent = [], 0
        with exact():
            self.desk.positions.mend()
        assert not self.desk.positions.unfinished
        for symbol in "AB":
            assert self.venue.held[symbol, Leg.SPOT] == -self.venue.held[symbol, Leg.PERP]

    @invariant()
    def books_say_what_the_venue_holds(self) -> None:
        positions = self.desk.positions
        for symbol in "AB":
            hedge, held = positions.unfinished.get(symbol), positions.held.get(symbol)
            assert hedge is None or held is None
            if hedge is not None and hedge.unknown is not None:
                # An opening that nobody has answered for stays unknown while what it may hold is given up.
                order = hedge.unknown
                opens = order.side is opening_order(hedge.structure.side(order.leg))
                assert opens or hedge.held(order.leg) >= order.quantity
                continue
            long = hedge.held(Leg.SPOT) if hedge else held.quantity if held else ZERO
            assert self.venue.held[symbol, Leg.SPOT] == long
            assert self.venue.held[symbol, Leg.PERP] == -positions.perp_held(symbol)

    @invariant()
    def equity_is_what_the_venue_would_pay(self) -> None:
        if not any(hedge.unknown for hedge in self.desk.positions.unfinished.values()):
            with exact():
                assert abs(self.desk.equity() - self.venue.equity()) < NEARLY * (1 + len(self.venue.seen))

    def teardown(self) -> None:
        self.recover()
        with exact():
            for position in tuple(self.desk.positions.held.values()):
                self.desk.positions.close(position, CloseReason.END)
        assert not any(self.venue.held.values())
        assert self.desk.tracker.margin_locked == 0
        assert abs(self.desk.tracker.cash - self.venue.cash) < NEARLY * (1 + len(self.venue.seen))


TestMisbehavingVenue = MisbehavingVenue.TestCase
TestMisbehavingVenue.settings = settings(TestMisbehavingVenue.settings, max_examples=50)


@pytest.fixture
def desk() -> Desk:
    return Desk(Venue())


def opened(desk: Desk, *moods: str) -> None:
    desk.venue.moods = list(moods)
    with exact():
        desk.positions.open("A", Decimal(9))


def test_a_short_filled_in_part_keeps_that_part_hedged_and_sells_the_rest(desk: Desk) -> None:
    opened(desk, "fill", "part", *["reject"] * ATTEMPTS)
    assert desk.positions.held["A"].quantity == 3
    [unwound] = desk.tracker.unwound
    assert (unwound.quantity, unwound.price_pnl, unwound.fees) == (6, 0, Decimal("0.6"))


def test_a_short_that_nobody_sells_leaves_nothing_but_the_cost_of_trying(desk: Desk) -> None:
    opened(desk, "fill", *["reject"] * (ATTEMPTS + 1))
    assert not desk.positions.held
    assert not desk.positions.unfinished
    assert desk.tracker.cash == CAPITAL - 2 * Decimal("0.9")


def test_an_order_that_timed_out_is_asked_about_and_never_sent_again(desk: Desk) -> None:
    desk.venue.silent = ATTEMPTS
    opened(desk, "fill", "lost but filled")
    hedge = desk.positions.unfinished["A"]
    assert hedge.unknown == OrderRequest("A", Leg.PERP, Side.SELL, Decimal(9), number=2)
    with exact():
        desk.positions.mend()
    assert desk.positions.held["A"].quantity == 9
    assert desk.venue.seen == [1, 2]


def test_an_opening_that_nobody_answers_for_is_remembered_with_nothing_held(desk: Desk) -> None:
    desk.venue.silent = ATTEMPTS
    opened(desk, "lost but filled")
    hedge = desk.positions.unfinished["A"]
    assert hedge.unknown == OrderRequest("A", Leg.SPOT, Side.BUY, Decimal(9), number=1)
    assert (hedge.held(Leg.SPOT), hedge.held(Leg.PERP)) == (0, 0)
    with exact():
        desk.positions.mend()
    assert not desk.positions.unfinished
    assert not any(desk.venue.held.values())


@pytest.mark.parametrize(("moods", "leg", "number"), [([], Leg.SPOT, 3), (["fill"], Leg.PERP, 4)])
def test_a_close_that_nobody_answers_for_is_neither_taken_back_nor_over(
    desk: Desk, moods: list[str], leg: Leg, number: int
) -> None:
    opened(desk)
    desk.venue.moods, desk.venue.silent = [*moods, "lost but filled"], ATTEMPTS
    with exact():
        assert desk.positions.close(desk.positions.held["A"], CloseReason.SIGNAL) is None
        hedge = desk.positions.unfinished["A"]
        assert not desk.positions.held
        assert (hedge.unknown and hedge.unknown.leg, hedge.unknown and hedge.unknown.number) == (leg, number)
        assert hedge.held(leg) == 9
        desk.positions.mend()
    [trade] = desk.tracker.trades
    assert (trade.quantity, desk.positions.unfinished) == (9, {})
    assert not any(desk.venue.held.values())
    assert desk.venue.seen == [1, 2, 3, 4]


def test_a_close_that_is_refused_altogether_leaves_the_hedge_as_it_was(desk: Desk) -> None:
    opened(desk)
    position = desk.positions.held["A"]
    desk.venue.moods = ["reject"] * (ATTEMPTS + 1)
    with exact():
        assert desk.positions.close(position, CloseReason.SIGNAL) is None
    assert desk.positions.held == {"A": position}


def test_a_short_that_cannot_be_bought_back_is_funded_and_closed_when_it_can(desk: Desk) -> None:
    opened(desk)
    desk.venue.moods = ["fill", "part"] + ["reject"] * ATTEMPTS
    with exact():
        assert desk.positions.close(desk.positions.held["A"], CloseReason.SIGNAL) is None
        assert desk.positions.unfinished["A"].aim is Aim.CLOSE
        record = FundingRate("A", 9, Decimal("0.001"), 8, Decimal(100), Decimal("0.001"))
        assert desk.tracker.record_funding(desk.positions.perp_held("A"), record, Decimal(100)) == Decimal(
            "0.6"
        )
        desk.positions.mend()
    [trade] = desk.tracker.trades
    assert (trade.quantity, trade.funding, trade.perp_exit) == (9, Decimal("0.6"), 101)


def test_spot_that_finds_no_buyer_when_its_contract_ends_is_sold_later_and_settled_once(desk: Desk) -> None:
    opened(desk)
    desk.venue.moods = ["part"] + ["reject"] * ATTEMPTS
    short = OrderRequest("A", Leg.PERP, Side.BUY, Decimal(9), forced=True)
    with exact():
        settled = OrderResult(short, Decimal(99), Decimal("0.7"), 5)
        assert desk.positions.delist(desk.positions.held["A"], settled) is None
        assert (desk.positions.perp_held("A"), desk.positions.unfinished["A"].held(Leg.SPOT)) == (0, 6)
        desk.positions.mend()
    [trade] = desk.tracker.trades
    assert (trade.reason, trade.quantity, trade.perp_exit) == (CloseReason.DELISTED, 9, 99)
    assert trade.price_pnl == 9 * (101 - 99)
    assert trade.fees == 9 * (2 * Decimal("0.1") + Decimal("0.0505")) + Decimal("0.7")
