"""The two strategies: which symbols may be entered, in which order, and which positions are to be left."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from tests.reference.naive_config import Parameters
from tests.reference.naive_fees import Fees
from tests.reference.naive_market import Record, Symbol
from tests.reference.naive_numbers import divide, round_places

ONE, ZERO, HALF = Fraction(1), Fraction(0), Fraction(1, 2)


@dataclass(frozen=True)
class Candidate:
    """Hold a symbol that may be entered, what it is ranked by, and its share of a full budget."""

    symbol: Symbol
    rank: Fraction
    budget_fraction: Fraction


class Strategy(Protocol):
    """Decide on one symbol that settles at `t` and has fresh prices."""

    def candidate(self, symbol: Symbol, t: int) -> Candidate | None:
        """Return the symbol as a candidate, or None if it may not be entered."""

    def wants_out(self, symbol: Symbol, t: int) -> bool:
        """Tell whether a position in the symbol is to be closed."""


class Simple:
    """Compare the newest rate with two thresholds (v1.0)."""

    def __init__(self, parameters: Parameters, fees: Fees) -> None:
        self._parameters = parameters
        self._fees = fees

    def candidate(self, symbol: Symbol, t: int) -> Candidate | None:
        """Return the symbol as a candidate if the ranker passes it."""
        parameters = self._parameters
        record = _newest(symbol, t)
        round_trip = sum(
            (
                self._fees.rate(parameters, leg, reason, t)
                for leg in ("long", "short")
                for reason in (None, "signal")
            ),
            Fraction(0),
        )
        net_yield = record.rate - round_trip / parameters["min_holding_periods"]
        passes = (
            record.rate_8h >= parameters["min_funding_rate"]
            and symbol.perp.turnover_of_newest(t, 24) >= parameters["min_volume_24h"]
            and symbol.spot_active
            and net_yield > 0
        )
        return Candidate(symbol, net_yield * 8760 / record.interval_hours, ONE) if passes else None

    def wants_out(self, symbol: Symbol, t: int) -> bool:
        """Tell whether the newest rate fell below the exit threshold."""
        return _newest(symbol, t).rate_8h < self._parameters["exit_funding_rate"]


class Composite:
    """Compare a weighted score of four sub-scores with two thresholds (v1.1)."""

    def __init__(self, parameters: Parameters, symbols: Mapping[str, Symbol]) -> None:
        self._parameters = parameters
        span, threshold = parameters.count("trend_ema_span"), parameters["persistence_threshold"]
        rates = {name: [record.rate_8h for record in symbol.records] for name, symbol in symbols.items()}
        self._ema = {name: ema_after_each(values, span) for name, values in rates.items()}
        self._streak = {name: streak_after_each(values, threshold) for name, values in rates.items()}

    def candidate(self, symbol: Symbol, t: int) -> Candidate | None:
        """Return the symbol as a candidate if it pays, scores enough and keeps its volume."""
        parameters = self._parameters
        if _newest(symbol, t).rate <= 0:
            return None
        score = self.score(symbol, t)
        if score < parameters["entry_threshold"] or not self.volume_ok(symbol, t):
            return None
        low, high = parameters["sizing_min_fraction"], parameters["sizing_max_fraction"]
        return Candidate(symbol, score, low + (high - low) * score if parameters.dynamic_sizing else ONE)

    def wants_out(self, symbol: Symbol, t: int) -> bool:
        """Tell whether the rate stopped paying or the score fell below the exit threshold."""
        return _newest(symbol, t).rate <= 0 or self.score(symbol, t) < self._parameters["exit_threshold"]

    def score(self, symbol: Symbol, t: int) -> Fraction:
        """Return the weighted mean of the four sub-scores, in 6 places."""
        parameters = self._parameters
        parts = {
            "weight_rate_level": self.rate_level(symbol, t),
            "weight_trend": self.trend(symbol, t),
            "weight_persistence": self.persistence(symbol, t),
            "weight_basis": self.basis(symbol, t),
        }
        weighted = sum((parameters[weight] * part for weight, part in parts.items()), ZERO)
        return round_places(divide(weighted, sum((parameters[weight] for weight in parts), ZERO)), 6)

    def rate_level(self, symbol: Symbol, t: int) -> Fraction:
        """Return the newest rate as a share of the cap, at most 1."""
        level = divide(_newest(symbol, t).rate_8h, self._parameters["rate_cap"])
        return round_places(min(level, ONE), 8)

    def trend(self, symbol: Symbol, t: int) -> Fraction:
        """Return 1 for a rising, 0 for a falling and a half for a stable moving average."""
        newest, span = symbol.record_index(t), self._parameters.count("trend_ema_span")
        if newest < span:
            return HALF
        averages = self._ema[symbol.name]
        change, tolerance = (
            averages[newest] - averages[newest - span],
            self._parameters["trend_stable_threshold"],
        )
        if change > tolerance:
            return ONE
        return ZERO if change < -tolerance else HALF

    def persistence(self, symbol: Symbol, t: int) -> Fraction:
        """Return the length of the newest streak of good rates as a share of the longest that counts."""
        streak = Fraction(self._streak[symbol.name][symbol.record_index(t)])
        return round_places(min(divide(streak, self._parameters["persistence_max_periods"]), ONE), 8)

    def basis(self, symbol: Symbol, t: int) -> Fraction:
        """Return the premium of the perp over the spot as a share of the cap, between 0 and 1."""
        spot, perp = symbol.spot.newest_close(t), symbol.perp.newest_close(t)
        assert spot is not None
        assert perp is not None
        premium = divide(divide(perp - spot, spot), self._parameters["basis_cap"])
        return round_places(max(ZERO, min(premium, ONE)), 8)

    def volume_ok(self, symbol: Symbol, t: int) -> bool:
        """Tell whether the newer half of the volume window holds up against the older half."""
        half = self._parameters.count("volume_lookback_days") * 24
        last = symbol.perp.visible(t)
        if last < 2 * half:
            return True
        newer = symbol.perp.volume_between(last - half, last)
        older = symbol.perp.volume_between(last - 2 * half, last - half)
        return newer >= self._parameters["volume_decline_ratio"] * older


def ema_after_each(rates: list[Fraction], span: int) -> list[Fraction]:
    """Return the moving average after each rate, oldest first; value i uses rates 0 to i only."""
    averages = [round_places(rate, 12) for rate in rates[:1]]
    for rate in rates[1:]:
        average = divide(2 * rate + (span - 1) * averages[-1], Fraction(span + 1))
        averages.append(round_places(average, 12))
    return averages


def streak_after_each(rates: list[Fraction], threshold: Fraction) -> list[int]:
    """Return, for each rate, how many in a row up to it are at least `threshold`."""
    streaks: list[int] = []
    for rate in rates:
        before = streaks[-1] if streaks else 0
        streaks.append(before + 1 if rate >= threshold else 0)
    return streaks


def _newest(symbol: Symbol, t: int) -> Record:
    return symbol.records[symbol.record_index(t)]
