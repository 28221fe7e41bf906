"""The account: cash, locked margin, funding and every trade."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from bot.accounting import formulas
from bot.accounting.cash_flows import FLOWS, FUNDING, CashFlow, net_flow
from bot.accounting.closing import Exit, closed_trade
from bot.market.tickers import TickerService
from bot.models import (
    SPOT_PERP,
    CloseReason,
    FundingPayment,
    FundingRate,
    Leg,
    OrderResult,
    Position,
    Trade,
)
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import ZERO, book
from bot.trading.account import (
    AccountState,
    OpenHedge,
    PendingHedge,
    RoundTrips,
    UnfinishedHedge,
    UnwoundSpot,
)
from bot.trading.payments import HedgeSpan, PaymentBook, SpanFunding, as_payment


@dataclass(slots=True)
class _Carry:
    """Cash flows booked on an open hedge, by name, and the number of its settlements."""

    flows: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(FLOWS, ZERO))
    payments: int = 0

    def add(self, flow: CashFlow, amount: Decimal, payments: int = 0) -> None:
        """Count one more amount of a cash flow."""
        self.flows[flow.name] += amount
        self.payments += payments

    @classmethod
    def of(cls, hedge: OpenHedge | PendingHedge) -> "_Carry":
        """Return what was booked on a hedge before."""
        return cls({name: getattr(hedge, name) for name in FLOWS}, hedge.payments)


class PnLTracker:
    """Books what happens to an account; every amount is booked once, so sums are exact."""

    def __init__(self, initial_capital: Decimal) -> None:
        self.cash = initial_capital
        self.margin_locked = ZERO
        self.trades: list[Trade] = []
        self.unwound: list[UnwoundSpot] = []
        self.paid = PaymentBook()
        self.round_trips: dict[str, RoundTrips] = {}
        self._carries: dict[str, _Carry] = {}

    @property
    def payments(self) -> list[FundingPayment]:
        """The settlements booked so far; who has written them down may clear the list."""
        return self.paid.written()

    @property
    def free_cash(self) -> Decimal:
        """Cash that no margin locks, quote currency."""
        return self.cash - self.margin_locked

    def record_open(self, position: Position) -> None:
        """Book the opening of a hedge: spot leg and fees paid, margin locked."""
        self.cash -= position.structure.spot * position.spot_cost + position.entry_fees
        self.margin_locked += position.margin
        self.expect(position.symbol)

    def expect(self, symbol: str) -> None:
        """Be ready for settlements of a pair's perp leg."""
        if symbol not in self._carries:
            self._carries[symbol] = _Carry()

    def record_unwound(self, spot: UnwoundSpot) -> None:
        """Book a spot leg that was closed again because it found no perp leg."""
        self.unwound.append(spot)
        self.cash += spot.price_pnl - spot.fees

    def record_funding(self, quantity: Decimal, funding: FundingRate, mark_price: Decimal) -> Decimal:
        """Book one settlement of a perp leg of `quantity` and return the amount."""
        amount = self._settled(quantity, funding, mark_price)
        self._carries[funding.symbol].add(FUNDING, amount, payments=1)
        return amount

    def record_spans(self, hedges: Iterable[HedgeSpan]) -> list[ExactArray]:
        """Book the settlements of hedges over the same events; return what each has received by each of them.

        The hedges come in the order in which their pairs settle.
        """
        spans, received = [], []
        for hedge in hedges:
            amounts, settling = _amounts(hedge), hedge.pair.settling(hedge.first, hedge.stop)
            sums = amounts.running()
            received.append(sums)
            spans.append(SpanFunding(hedge, amounts if settling is None else amounts[settling]))
            payments, total = len(spans[-1].amounts.mantissas), sums.decimal(-1)
            self._carries[hedge.position.symbol].add(FUNDING, total, payments=payments)
            self.cash += total
        self.paid.add_spans(spans)
        return received

    def record_late_funding(self, trade: Trade, funding: FundingRate, mark_price: Decimal) -> Trade:
        """Book a settlement that became known after its trade had ended; return the trade it makes."""
        amount = self._settled(trade.quantity, funding, mark_price)
        flows = {name: getattr(trade, name) for name in FLOWS}
        flows[FUNDING.name] += amount
        net = formulas.net_pnl(trade.price_pnl, net_flow(flows), trade.fees)
        return trade._replace(**flows, net_pnl=net, funding_payments=trade.funding_payments + 1)

    def record_close(
        self, position: Position, spot_exit: OrderResult, perp_exit: OrderResult, reason: CloseReason
    ) -> Trade:
        """Book a normal close of both legs and return the trade."""
        fees = spot_exit.fee + perp_exit.fee
        return self._end(
            position, Exit(spot_exit.filled_at_ms, spot_exit.price, perp_exit.price, fees, reason)
        )

    def record_liquidation(self, position: Position, spot_exit: OrderResult) -> Trade:
        """Book a liquidation: the perp leg loses its whole margin, the spot leg is closed."""
        end = Exit(spot_exit.filled_at_ms, spot_exit.price, None, spot_exit.fee, CloseReason.LIQUIDATION)
        return self._end(position, end)

    def equity(self, positions: Iterable[Position], tickers: TickerService) -> Decimal:
        """Return cash plus the value of the open hedges at the newest prices."""
        equity = self.cash
        for position in positions:
            ticker = tickers.latest(position.symbol)
            if ticker.spot is not None and ticker.perp is not None:
                prices = ticker.spot, position.perp_entry, ticker.perp
                equity += formulas.hedge_value(*position.structure, position.quantity, *prices)
        return equity

    def unfinished_value(self, hedge: UnfinishedHedge, tickers: TickerService) -> Decimal:
        """Return the value that an unfinished hedge adds to cash at the newest prices."""
        ticker = tickers.latest(hedge.symbol)
        spot, perp = ticker.spot, ticker.perp
        if spot is None or perp is None:
            return ZERO
        sides = hedge.structure
        value = sides.spot * hedge.held(Leg.SPOT) * spot + sides.perp * hedge.held(Leg.PERP) * perp
        value += hedge.proceeds
        if hedge.position is not None:
            lost, opened = hedge.reason is CloseReason.LIQUIDATION, hedge.quantity * hedge.position.perp_entry
            value -= hedge.position.margin if lost else sides.perp * opened
        return book(value) - hedge.fees

    def state(
        self,
        t_ms: int,
        positions: Iterable[Position],
        skipped_entries: int,
        unfinished: Iterable[UnfinishedHedge] = (),
        orders: int = 0,
    ) -> AccountState:
        """Return the state of the account after the event at `t_ms`."""
        carries = ((position, self._carries[position.symbol]) for position in positions)
        hedges = tuple(
            OpenHedge(position, payments=carry.payments, **carry.flows) for position, carry in carries
        )
        pending = ((hedge, self._carries[hedge.symbol]) for hedge in unfinished)
        rest = tuple(PendingHedge(hedge, payments=carry.payments, **carry.flows) for hedge, carry in pending)
        return AccountState(
            t_ms,
            self.cash,
            self.margin_locked,
            hedges,
            skipped_entries,
            rest,
            orders,
            dict(self.round_trips),
        )

    def restore(self, state: AccountState) -> None:
        """Go on from `state`; its closed trades and payments stay where they were written down."""
        self.cash, self.margin_locked = state.cash, state.margin_locked
        self._carries = {hedge.position.symbol: _Carry.of(hedge) for hedge in state.hedges}
        self._carries.update((pending.hedge.symbol, _Carry.of(pending)) for pending in state.unfinished)
        self.round_trips.update(state.round_trips)

    def _settled(self, quantity: Decimal, funding: FundingRate, mark_price: Decimal) -> Decimal:
        per_unit = formulas.unit_funding(mark_price, funding.rate)
        amount = formulas.funding_payment(SPOT_PERP.perp, per_unit, quantity)
        self.paid.add(as_payment(funding, mark_price, quantity, amount))
        self.cash += amount
        return amount

    def _end(self, position: Position, end: Exit) -> Trade:
        carry = self._carries.pop(position.symbol)
        trade = closed_trade(position, carry.flows, carry.payments, end)
        self.cash += position.structure.spot * position.spot_cost + trade.price_pnl - end.fees
        self.margin_locked -= position.margin
        self.trades.append(trade)
        before = self.round_trips.get(trade.symbol)
        count = 1 if before is None else before.trips + 1
        self.round_trips[trade.symbol] = RoundTrips(count, trade.closed_at_ms)
        return trade


def _amounts(hedge: HedgeSpan) -> ExactArray:
    position, pair, first, stop = hedge
    return formulas.funding_payment(position.structure.perp, pair.unit_funding[first:stop], position.quantity)
