"""Quantity in which a hedge is opened."""

from dataclasses import dataclass
from fractions import Fraction
from math import floor

from tests.reference.hedges.account import Account
from tests.reference.hedges.fees import Orders
from tests.reference.hedges.hedge import Hedge, Leg
from tests.reference.hedges.margins import MarginRules, opening_cap
from tests.reference.hedges.parameters import Parameters
from tests.reference.hedges.signals import Candidate, Contracts

ZERO = Fraction(0)


@dataclass(frozen=True)
class Size:
    """A quantity, what one unit of each leg ties up, and whether participation alone made it smaller."""

    quantity: Fraction
    units: tuple[Fraction, Fraction]
    is_capped: bool


class Sizing:
    """Rules of a run about quantities."""

    def __init__(
        self, parameters: Parameters, account: Account, orders: Orders, margins: MarginRules
    ) -> None:
        self._parameters, self._account = parameters, account
        self._orders, self._margins = orders, margins

    def size(self, candidate: Candidate, t: int) -> Size:
        """Return what may be opened at `t`, which can be nothing."""
        hedge, contracts = candidate.hedge, candidate.contracts
        units = tuple(
            self._unit(leg, contract.known_price(t), t)
            for leg, contract in zip(hedge.legs, contracts, strict=True)
        )
        limits = [self._budget(candidate, t) / sum(units, ZERO)]
        for exchange in {leg.exchange for leg in hedge.legs}:
            unit = sum(
                (unit for unit, leg in zip(units, hedge.legs, strict=True) if leg.exchange == exchange), ZERO
            )
            if unit:
                limits.append(self._account.free(exchange) / unit)
        limits += self._position_limits(hedge, contracts, t) + self._leg_limits(hedge, contracts, t)
        without = self.to_step(min(limits))
        quantity = without
        if self._parameters["max_participation"] is not None:
            quantity = min(quantity, self.to_step(self.participation(contracts, t)))
        assert len(units) == 2
        return Size(quantity, units, quantity < without)

    def to_step(self, quantity: Fraction) -> Fraction:
        """Return the largest multiple of the step that is not above a quantity."""
        step = self._parameters.instrument["qty_step"]
        return floor(quantity / step) * step

    def is_too_small(self, hedge: Hedge, contracts: Contracts, quantity: Fraction, t: int) -> bool:
        """Tell whether a quantity is below what may be traded."""
        instrument = self._parameters.instrument
        return (
            quantity <= 0
            or quantity < instrument["min_qty"]
            or quantity * reference_price(hedge, contracts, t) < instrument["min_notional"]
        )

    def contracts_for(self, quantity: Fraction, fill: Fraction) -> Fraction:
        """Return the dollars of an inverse perp that a quantity is hedged with."""
        size = self._parameters.instrument["contract_size"]
        return floor(quantity * fill / size) * size

    def participation(self, contracts: Contracts, t: int) -> Fraction:
        """Return the largest quantity that the volume of the thinner leg allows."""
        share: Fraction = self._parameters["max_participation"]
        thinnest = min(contract.trades.volume_of_day(t) for contract in contracts)
        return thinnest * share

    def _unit(self, leg: Leg, price: Fraction, t: int) -> Fraction:
        made = self._orders.is_made(leg.side, None)
        fee, slippage = self._orders.rate(leg, t, made=made), self._orders.planned_slippage(made=made)
        fill = price * (1 + leg.sign * slippage)
        if leg.kind == "inverse":
            return ZERO
        share = Fraction(1) if leg.kind == "spot" else 1 / self._margins.leverage(leg)
        return fill * (share + fee)

    def _budget(self, candidate: Candidate, t: int) -> Fraction:
        parameters = self._parameters
        initial = parameters["sizing_base"] == "initial"
        base = parameters["initial_capital"] if initial else self._account.equity(t)
        slots: Fraction = parameters["max_simultaneous_positions"]
        budget: Fraction = candidate.fraction * base * parameters["allocation"] / slots
        return budget

    def _position_limits(self, hedge: Hedge, contracts: Contracts, t: int) -> list[Fraction]:
        price, limits = reference_price(hedge, contracts, t), []
        largest, whole = self._parameters["max_position_size"], self._parameters["max_portfolio_exposure"]
        if largest is not None:
            limits.append(largest / price)
        if whole is not None:
            limits.append((whole - self._exposure(t)) / price)
        return limits

    def _exposure(self, t: int) -> Fraction:
        opened = sum(
            (held.quantity * held.legs[_reference_leg(held.hedge)].entry for held in self._account.held), ZERO
        )
        waiting = (
            entry.quantity * reference_price(entry.hedge, entry.contracts, t)
            for entry in self._account.waiting
        )
        return opened + sum(waiting, ZERO)

    def _leg_limits(self, hedge: Hedge, contracts: Contracts, t: int) -> list[Fraction]:
        limits = []
        for leg, contract in zip(hedge.legs, contracts, strict=True):
            row = leg.borrow_row(t)
            if row is not None and row.max_quantity is not None:
                limits.append(row.max_quantity / contract.factor(row.t))
            if leg.kind == "linear" and self._parameters["margin_model"] == "brackets":
                cap = opening_cap(self._margins.brackets(leg, t), self._margins.leverage(leg))
                if cap is not None:
                    limits.append(cap / contract.known_price(t))
        return limits


def reference_price(hedge: Hedge, contracts: Contracts, t: int) -> Fraction:
    """Return the price of the spot or borrowed leg, else of the long one."""
    return contracts[_reference_leg(hedge)].known_price(t)


def _reference_leg(hedge: Hedge) -> int:
    return 1 if hedge.short.kind == "borrowed" else 0
