"""Markets of the hedges of a run: contracts and rules of each leg, and the carry of the two."""

from bisect import bisect_right
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple, Self

from bot.hedges.arithmetic import divide
from bot.hedges.contracts import Contract
from bot.hedges.legs.kind import LegKind
from bot.hedges.legs.table import Structure
from bot.hedges.maintenance import Maintenance
from bot.market.records.borrow_rates import BorrowRate, BorrowRates
from bot.models import HOUR_MS, Instrument
from bot.numbers.money import ZERO

_EIGHT_HOURS = 8


@dataclass(frozen=True, slots=True, eq=False)
class LegMarket:
    """Market of a leg on one exchange: its contracts in units of the hedge, rules and leverage.

    `borrowing` has the rates and quantities of a borrowed leg; quantities there are in units of the market
    when they were recorded.
    """

    exchange: str
    symbol: str
    kind: LegKind
    side: Decimal
    contracts: tuple[Contract, ...]
    instrument: Instrument
    leverage: Decimal
    maintenance: Maintenance
    borrowing: BorrowRates
    borrow_rate: Decimal | None = None

    @property
    def key(self) -> tuple[str, str, bool]:
        """Identity of what only one hedge may use at a time."""
        return self.exchange, self.symbol, self.kind.borrows

    @property
    def is_exclusive(self) -> bool:
        """True if only one open or waiting hedge may use it."""
        return self.kind.is_perp or self.kind.borrows

    def contract_at(self, t_ms: int) -> Contract | None:
        """Return the contract traded at `t_ms`, None between contracts."""
        return next((one for one in self.contracts if one.lives(t_ms)), None)

    def interest(self, t_ms: int) -> Decimal | None:
        """Return the hourly borrow rate in force, None without one."""
        if self.borrow_rate is not None:
            return self.borrow_rate
        row = self.borrowing.in_force(t_ms)
        return None if row is None else row.hourly_rate

    def most_borrowed(self, t_ms: int) -> Decimal | None:
        """Return the largest quantity that can be borrowed, in units of the hedge; None without a limit."""
        row: BorrowRate | None = self.borrowing.in_force(t_ms) if self.kind.borrows else None
        if row is None or row.max_quantity is None:
            return None
        contract = self.contract_at(t_ms)
        return None if contract is None else row.max_quantity / contract.factor(row.from_ms)


class Carry(NamedTuple):
    """Carry of a hedge: `amount` divided by `hours` is that of one hour, exactly.

    `rate` is that of the `interval_hours` of its newest settlement, `rate_8h` that of eight hours, both to
    40 digits.
    """

    amount: Decimal
    hours: int
    interval_hours: int
    rate: Decimal
    rate_8h: Decimal

    @classmethod
    def of(cls, amount: Decimal, hours: int, interval_hours: int) -> Self:
        """Return the carry of `amount` in so many hours."""
        over = Decimal(hours)
        rate, rate_8h = divide(amount * interval_hours, over), divide(amount * _EIGHT_HOURS, over)
        return cls(amount, hours, interval_hours, rate, rate_8h)

    def costs_more(self, horizon_hours: Decimal, leaving: Decimal) -> bool:
        """Return whether what it is to cost within a horizon exceeds `leaving`, both per unit of notional."""
        return -self.amount * horizon_hours > leaving * self.hours

    def reaches_8h(self, rate_8h: Decimal) -> bool:
        """Return whether it is at or above a rate per eight hours, exactly."""
        return self.amount * _EIGHT_HOURS >= rate_8h * self.hours


class Pair(NamedTuple):
    """Contracts of the long and the short leg."""

    long: Contract
    short: Contract


Carries = dict[tuple[int, int, int, bool], Carry | None]
"""Carry of a hedge by its contracts (their identities), time, and whether old settlements count."""


@dataclass(frozen=True, slots=True, eq=False)
class HedgeMarket:
    """A hedge that can be opened: its name, the markets of its legs, and what is known of its carry."""

    name: str
    structure: Structure
    long: LegMarket
    short: LegMarket
    carries: "Carries" = field(default_factory=dict)

    @property
    def legs(self) -> tuple[LegMarket, LegMarket]:
        """Long and short leg."""
        return self.long, self.short

    @property
    def perps(self) -> tuple[LegMarket, ...]:
        """Legs that settle."""
        return tuple(leg for leg in self.legs if leg.kind.is_perp)

    @property
    def qty_step(self) -> Decimal:
        """The coarser step of both legs."""
        return max(leg.instrument.qty_step for leg in self.legs)

    @property
    def min_qty(self) -> Decimal:
        """The larger least quantity of both legs."""
        return max(leg.instrument.min_qty for leg in self.legs)

    @property
    def min_notional(self) -> Decimal:
        """The larger least notional of both legs."""
        return max(leg.instrument.min_notional for leg in self.legs)

    @property
    def spot_active(self) -> bool:
        """False if the market of its spot or borrowed leg is said to be inactive."""
        return all(leg.instrument.spot_active for leg in self.legs if not leg.kind.is_perp)

    def contracts_at(self, t_ms: int) -> Pair | None:
        """Return the contracts of both legs, None while one of them has none."""
        found = self.long.contract_at(t_ms), self.short.contract_at(t_ms)
        return None if None in found else Pair(*found)  # type: ignore[arg-type]

    def settles(self, t_ms: int) -> bool:
        """Return whether one of its perp legs settles at `t_ms`."""
        return any(
            contract is not None and contract.record_at(t_ms) is not None
            for contract in (leg.contract_at(t_ms) for leg in self.perps)
        )

    def carry(self, pair: Pair, t_ms: int, *, however_old: bool = False) -> Carry | None:
        """Return the carry by the newest settlements, None where they are too old or a rate is missing."""
        key = id(pair.long), id(pair.short), t_ms, however_old
        if key not in self.carries:
            self.carries[key] = self._carry(pair, t_ms, however_old=however_old)
        return self.carries[key]

    def _carry(self, pair: Pair, t_ms: int, *, however_old: bool) -> Carry | None:
        amount, hours = ZERO, 1
        intervals = []
        for leg, contract in zip(self.legs, pair, strict=True):
            if leg.kind.is_perp:
                record = contract.newest_record(t_ms)
                if record is None:
                    return None
                interval_ms = record.interval_hours * HOUR_MS
                if t_ms - record.t_ms >= 2 * interval_ms and not however_old:
                    return None
                amount = amount * record.interval_hours - leg.side * record.rate * hours
                hours *= record.interval_hours
                intervals.append(record.interval_hours)
            elif leg.kind.borrows:
                interest = leg.interest(t_ms)
                if interest is None:
                    if not however_old:
                        return None
                    interest = ZERO
                amount -= interest * hours
        return Carry.of(amount, hours, min(intervals))

    def is_same_history(self, known: Pair, pair: Pair) -> bool:
        """Return whether the perp legs still trade the same contracts: the history is theirs."""
        legs = zip(self.legs, known, pair, strict=True)
        return all(before is now for leg, before, now in legs if leg.kind.is_perp)

    @property
    def settled_ms(self) -> set[int]:
        """Times at which a contract of one of its perp legs settles."""
        return {t_ms for leg in self.perps for contract in leg.contracts for t_ms in contract.settled_ms}

    def settled_until(self, pair: Pair, after_ms: int, t_ms: int) -> list[int]:
        """Return the times in (after_ms, t_ms] at which a perp leg of these contracts settled, ascending."""
        times: set[int] = set()
        for leg, contract in zip(self.legs, pair, strict=True):
            if leg.kind.is_perp:
                first, stop = (bisect_right(contract.settled_ms, at) for at in (after_ms, t_ms))
                times.update(contract.settled_ms[first:stop])
        return sorted(times)
