"""Carry of hedges, and the two strategies: what may be entered, in which order, and what is to be left."""

from dataclasses import dataclass
from fractions import Fraction

from tests.reference.hedges.contracts import Contract
from tests.reference.hedges.fees import Orders
from tests.reference.hedges.hedge import Hedge
from tests.reference.hedges.parameters import HOUR_MS, Parameters
from tests.reference.naive_numbers import divide, round40, round_places

Contracts = tuple[Contract, Contract]
ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class Candidate:
    """A hedge that may be entered, its place in the order, and its share of a full budget."""

    hedge: Hedge
    contracts: Contracts
    rank: Fraction
    fraction: Fraction


class Signals:
    """Judgement of a strategy on hedges at an event."""

    def __init__(self, parameters: Parameters, orders: Orders) -> None:
        self._parameters = parameters
        self._orders = orders
        self._histories: dict[tuple[str, int, int], list[tuple[int, Fraction]]] = {}

    def borrow_rate(self, hedge: Hedge, t: int) -> Fraction | None:
        """Return the hourly rate of interest in force, None before the first."""
        fixed: Fraction | None = self._parameters["borrow_rate_hourly"]
        row = hedge.short.borrow_row(t)
        return fixed if fixed is not None else (None if row is None else row.rate)

    def carry(
        self, hedge: Hedge, contracts: Contracts, t: int, *, however_old: bool = False
    ) -> Fraction | None:
        """Return the carry per hour, None where a newest record is missing or too old to decide on."""
        total = ZERO
        for leg, contract in zip(hedge.legs, contracts, strict=True):
            if leg.kind == "borrowed":
                interest = self.borrow_rate(hedge, t)
                if interest is None:
                    return None
                total -= interest
            elif leg.is_perp:
                record = contract.newest_settlement(t)
                if record is None:
                    return None
                if not however_old and t - record.t >= 2 * record.interval_hours * HOUR_MS:
                    return None
                total -= leg.sign * record.rate / record.interval_hours
        return total

    def shortest_interval(self, hedge: Hedge, contracts: Contracts, t: int) -> Fraction:
        """Return the smaller of the newest intervals in hours."""
        records = [
            contract.newest_settlement(t)
            for leg, contract in zip(hedge.legs, contracts, strict=True)
            if leg.is_perp
        ]
        return min(record.interval_hours for record in records if record is not None)

    def history(self, hedge: Hedge, contracts: Contracts, t: int) -> list[Fraction]:
        """Return the carry per 8 h at all settlements by `t` that had one, oldest first."""
        key = (hedge.name, id(contracts[0]), id(contracts[1]))
        if key not in self._histories:
            times = sorted({record.t for contract in contracts for record in contract.settlements})
            carries = [(time, self.carry(hedge, contracts, time)) for time in times]
            self._histories[key] = [(time, 8 * carry) for time, carry in carries if carry is not None]
        return [value for time, value in self._histories[key] if time <= t]

    def candidate(self, hedge: Hedge, contracts: Contracts, t: int) -> Candidate | None:
        """Return the hedge as a candidate, None if it may not be entered."""
        carry = self.carry(hedge, contracts, t)
        if carry is None:
            return None
        if self._parameters["strategy_mode"] == "simple":
            return self._ranked(hedge, contracts, t, carry)
        return self._scored(hedge, contracts, t, carry)

    def wants_out(self, hedge: Hedge, contracts: Contracts, t: int, carry: Fraction) -> bool:
        """Tell whether the strategy would leave the hedge, patience apart."""
        if self._parameters["strategy_mode"] == "simple":
            out = 8 * carry < self._parameters["exit_funding_rate"]
        else:
            out = carry <= 0 or self.score(hedge, contracts, t, carry) < self._parameters["exit_threshold"]
        horizon = self._parameters["exit_loss_horizon_hours"]
        if not out or horizon is None:
            return bool(out)
        cost = ZERO
        for leg in hedge.legs:
            made = self._orders.is_made(leg.side, "signal")
            cost += self._orders.rate(leg, t, made=made) + self._orders.base_slippage(made=made)
        return bool(-carry * horizon > cost)

    def _ranked(self, hedge: Hedge, contracts: Contracts, t: int, carry: Fraction) -> Candidate | None:
        parameters, orders = self._parameters, self._orders
        trip = sum(
            orders.rate(leg, t, made=orders.is_made(leg.side, reason))
            for leg in hedge.legs
            for reason in (None, "signal")
        )
        hours = self.shortest_interval(hedge, contracts, t)
        net_yield = hours * carry - trip / parameters["min_holding_periods"]
        busy = all(
            contract.trades.turnover_of_day(t) >= parameters["min_volume_24h"]
            for leg, contract in zip(hedge.legs, contracts, strict=True)
            if leg.is_perp
        )
        if 8 * carry < parameters["min_funding_rate"] or not busy or net_yield <= 0:
            return None
        return Candidate(hedge, contracts, net_yield * 8760 / hours, ONE)

    def _scored(self, hedge: Hedge, contracts: Contracts, t: int, carry: Fraction) -> Candidate | None:
        parameters = self._parameters
        if carry <= 0:
            return None
        score = self.score(hedge, contracts, t, carry)
        if score < parameters["entry_threshold"] or not self._volume_ok(hedge, contracts, t):
            return None
        low, high = parameters["sizing_min_fraction"], parameters["sizing_max_fraction"]
        fraction = low + (high - low) * score if parameters["dynamic_sizing"] else ONE
        return Candidate(hedge, contracts, score, fraction)

    def score(self, hedge: Hedge, contracts: Contracts, t: int, carry: Fraction) -> Fraction:
        """Return the weighted mean of the four sub-scores, in 6 places."""
        parameters = self._parameters
        history = self.history(hedge, contracts, t)
        premium = round40(premium_of(contracts, t))
        parts = {
            "rate_level": min(divide(8 * carry, parameters["rate_cap"]), ONE),
            "trend": self._trend(history),
            "persistence": min(
                divide(Fraction(self._streak(history)), parameters["persistence_max_periods"]), ONE
            ),
            "basis": max(ZERO, min(divide(premium, parameters["basis_cap"]), ONE)),
        }
        weights = {name: parameters[f"weight_{name}"] for name in parts}
        weighted = sum((weights[name] * round_places(part, 8) for name, part in parts.items()), ZERO)
        return round_places(divide(weighted, sum(weights.values(), ZERO)), 6)

    def _trend(self, history: list[Fraction]) -> Fraction:
        span = int(self._parameters["trend_ema_span"])
        averages = [round_places(value, 12) for value in history[:1]]
        for value in history[1:]:
            average = divide(2 * value + (span - 1) * averages[-1], Fraction(span + 1))
            averages.append(round_places(average, 12))
        if len(averages) < span + 1:
            return Fraction(1, 2)
        change, still = averages[-1] - averages[-1 - span], self._parameters["trend_stable_threshold"]
        if change > still:
            return ONE
        return ZERO if change < -still else Fraction(1, 2)

    def _streak(self, history: list[Fraction]) -> int:
        length = 0
        for value in reversed(history):
            if value < self._parameters["persistence_threshold"]:
                break
            length += 1
        return length

    def _volume_ok(self, hedge: Hedge, contracts: Contracts, t: int) -> bool:
        half = int(self._parameters["volume_lookback_days"]) * 24
        for leg, contract in zip(hedge.legs, contracts, strict=True):
            last = contract.trades.count(t)
            if not leg.is_perp or last < 2 * half:
                continue
            newer, older = (contract.trades.volumes(end - half, end) for end in (last, last - half))
            if newer < self._parameters["volume_decline_ratio"] * older:
                return False
        return True


def premium_of(contracts: Contracts, t: int) -> Fraction:
    """Return the premium of the short over the long leg, by their newest prices."""
    long, short = (contract.known_price(t) for contract in contracts)
    return (short - long) / long
