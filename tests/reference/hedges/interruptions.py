"""Interruptions between two events, moment by moment: legs are taken, hours pass, orders are filled."""

from collections.abc import Iterable
from fractions import Fraction

from tests.reference.hedges.desk import Desk
from tests.reference.hedges.hedge import Hedge
from tests.reference.hedges.held import Held, HeldLeg
from tests.reference.hedges.margins import first_wiped_out_at, maintenance
from tests.reference.hedges.metrics import Notes
from tests.reference.hedges.parameters import HOUR_MS, Stress

ZERO = Fraction(0)


class Interruptions:
    """Steps a to g of what happened since the previous event."""

    def __init__(self, desk: Desk, notes: Notes, hedges: Iterable[Hedge]) -> None:
        self._desk, self._notes = desk, notes
        self._account = desk.account
        contracts = [contract for hedge in hedges for leg in hedge.legs for contract in leg.contracts]
        moments = {stress.at for stress in desk.parameters.stress}
        for contract in contracts:
            moments |= {*contract.trades.closed_at, *contract.marks.closed_at}
            moments |= set() if contract.to_ms is None else {contract.to_ms}
        self._moments = moments

    def pass_time(self, previous: int, t: int) -> None:
        """Do all that happens after `previous` up to `t`."""
        hours = range((previous // HOUR_MS + 1) * HOUR_MS, t + 1, HOUR_MS)
        known = {u for u in self._moments if previous < u < t}
        due = {u for u in self._transfers_due() if previous < u < t}
        for u in sorted({*hours, *known, *due, t}):
            self._charge_interest(u)
            self._liquidate(u)
            self.take_in_transfers(u)
            self._delist(u)
            self._stress(u)
            self._close_second_legs(u)
            if u < t:
                self.fill_due(u)

    def take_in_transfers(self, u: int) -> None:
        """Add transfers that have arrived by `u` to margins and wallets."""
        for held in self._account.held:
            for leg in held.open_legs:
                leg.margin += sum((amount for due, amount in leg.under_way if due <= u), ZERO)
                leg.under_way = [(due, amount) for due, amount in leg.under_way if due > u]
        for transfer in [transfer for transfer in self._account.transfers if transfer.due <= u]:
            self._account.cash[transfer.exchange] += transfer.amount
            self._account.transfers.remove(transfer)

    def fill_due(self, u: int) -> None:
        """Fill closings, then openings, that are due at `u`."""
        for held in list(self._account.held):
            if held.close_reason is not None and held.close_due == u:
                self._desk.close(held, u, held.close_reason)
        for entry in [entry for entry in self._account.waiting if entry.due == u]:
            self._account.waiting.remove(entry)
            self._desk.open(entry, u)

    def _transfers_due(self) -> list[int]:
        legs = [leg for held in self._account.held for leg in held.open_legs]
        to_legs = [due for leg in legs for due, _ in leg.under_way]
        return to_legs + [transfer.due for transfer in self._account.transfers]

    def _charge_interest(self, u: int) -> None:
        if u % HOUR_MS:
            return
        for held in self._account.held:
            for leg in held.open_legs:
                if leg.leg.kind == "borrowed" and held.opened_at < u:
                    self._desk.charge_interest(held, leg, u - HOUR_MS, u)

    def _liquidate(self, u: int) -> None:
        for held in list(self._account.held):
            wiped_out = [
                (leg, price)
                for leg in held.open_legs
                if leg.leg.is_margined and held.opened_at < u
                for price in [self._worst_mark(leg, u)]
                if price is not None and self._is_wiped_out(held, leg, price, u)
            ]
            for leg, price in wiped_out:
                self._desk.liquidate(held, leg, u, price)

    def _worst_mark(self, leg: HeldLeg, u: int) -> Fraction | None:
        """Return the high (of a long the low) of the mark candle that closes at `u`."""
        marks = leg.contract.marks
        index = marks.closing_at(u)
        if index is None:
            return None
        return marks.high(index) if leg.leg.side == "short" else marks.low(index)

    def _is_wiped_out(self, held: Held, leg: HeldLeg, price: Fraction, u: int) -> bool:
        limit = liquidation_price(self._desk, held, leg, u)
        if limit is not None:
            self._notes.distances.append((limit - price) / price * -leg.leg.sign)
        return is_wiped_out(self._desk, held, leg, price, u)

    def _delist(self, u: int) -> None:
        for entry in list(self._account.waiting):
            if any(contract.to_ms == u for contract in entry.contracts):
                self._account.waiting.remove(entry)
        for held in list(self._account.held):
            if held.hedge.is_inverse:
                self._delist_inverse(held, u)
                continue
            for leg in held.legs:
                if leg.is_open and leg.contract.to_ms == u:
                    self._settle(held, leg, u)
                    delay = self._desk.parameters["leg_out_delay_minutes"]
                    self._desk.take(held, leg, u, "delisted", delay)

    def _delist_inverse(self, held: Held, u: int) -> None:
        """End an inverse perp; the end of its spot closes the hedge whole."""
        desk, ends = self._desk, held.long.contract.to_ms == u
        if held.short.is_open and held.short.contract.to_ms == u:
            self._settle(held, held.short, u)
            desk.take(held, held.short, u, "delisted", desk.parameters["leg_out_delay_minutes"])
        if ends:
            if held.short.is_open:
                desk.close_leg(held, held.short, u, made=False)
            held.reason = held.reason or "delisted"
            desk.close_leg(held, held.long, u, made=False)
            desk.finish(held, u)

    def _settle(self, held: Held, leg: HeldLeg, u: int) -> None:
        if not leg.leg.is_perp:
            self._desk.close_leg(held, leg, u, made=False)
            return
        settled = leg.contract.settle_price
        price = leg.contract.mark(u) if settled is None else settled
        self._desk.leave_at(held, leg, u, price, self._desk.orders.rate(leg.leg, u, made=False))

    def _stress(self, u: int) -> None:
        for stress in self._desk.parameters.stress:
            if stress.at == u:
                for held in list(self._account.held):
                    if held.opened_at < u and stress.symbol in (None, held.hedge.name):
                        self._deleverage(held, stress, u)

    def _deleverage(self, held: Held, stress: Stress, u: int) -> None:
        leg = held.long if stress.side == "long" else held.short
        if not leg.is_open or not leg.leg.is_margined:
            return
        price = leg.contract.mark(u) * (1 - leg.leg.sign * stress.adverse)
        self._desk.leave_at(held, leg, u, price, ZERO)
        self._desk.take(held, leg, u, "adl", stress.delay_minutes)

    def _close_second_legs(self, u: int) -> None:
        for held in list(self._account.held):
            if held.second_due == u:
                for leg in held.open_legs:
                    self._desk.close_leg(held, leg, u, made=False)
                self._desk.finish(held, u)


def is_wiped_out(desk: Desk, held: Held, leg: HeldLeg, price: Fraction, u: int) -> bool:
    """Tell whether the balance of a leg at a price is not above its maintenance."""
    brackets = desk.margins.brackets(leg.leg, u)
    return held.balance(leg, price) <= maintenance(brackets, held.notional(leg, price))


def liquidation_price(desk: Desk, held: Held, leg: HeldLeg, u: int) -> Fraction | None:
    """Return the price at which a leg is first wiped out, None if none is."""
    brackets = desk.margins.brackets(leg.leg, u)
    if leg.leg.kind == "inverse":
        start = leg.margin - held.contracts_sold / leg.entry
        notional = first_wiped_out_at(brackets, sign=1, equity_at_zero=start)
        return None if notional is None else held.contracts_sold / notional
    start = leg.margin - leg.leg.sign * held.quantity * leg.entry
    notional = first_wiped_out_at(brackets, sign=leg.leg.sign, equity_at_zero=start)
    return None if notional is None else notional / held.quantity
