"""Figures of the hedges of one run, noted while it is played: capital tied, funding by regime, distance."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tests.reference.naive_numbers import book, plain
from tests.reference.naive_trades import Position, Trade


class HedgeFigures:
    """Notes what events show, and sums it up at the end."""

    def __init__(self, regime_high: Fraction) -> None:
        self.high = regime_high
        self.tied: list[tuple[int, Fraction, Fraction]] = []
        self.funding = {name: Fraction(0) for name in ("negative", "neutral", "high")}
        self.highest: dict[tuple[str, int], tuple[Position, Fraction]] = {}

    def after_event(self, t: int, positions: Sequence[Position]) -> None:
        """Note what is tied after an event: spot legs at their entry fills, and margins."""
        margins = sum((position.margin for position in positions), Fraction(0))
        spot = sum((book(position.quantity * position.spot_entry) for position in positions), Fraction(0))
        self.tied.append((t, spot + margins, margins))

    def paid(self, payment: Fraction, carry_8h: Fraction) -> None:
        """Note a settlement under the carry of its moment."""
        regime = "negative" if carry_8h < 0 else "high" if carry_8h >= self.high else "neutral"
        self.funding[regime] += payment

    def tested(self, position: Position, high: Fraction) -> None:
        """Note the highest of the mark candles that might have liquidated a short."""
        key = position.symbol.name, position.opened_at
        if key not in self.highest or high > self.highest[key][1]:
            self.highest[key] = position, high

    def distances(self) -> list[Fraction]:
        """Return how far the highest candle stayed from liquidating each short."""
        found = []
        for position, high in self.highest.values():
            backing = position.margin + position.quantity * position.perp_entry
            wiped_out = backing / (position.quantity * (1 + position.symbol.mmr))
            found.append((wiped_out - high) / high)
        return found

    def average(self) -> Fraction | None:
        """Return the mean over time of what was tied, None for a single event."""
        elapsed = self.tied[-1][0] - self.tied[0][0]
        if not elapsed:
            return None
        weighed = sum(
            (one[1] * (other[0] - one[0]) for one, other in zip(self.tied, self.tied[1:], strict=False)),
            Fraction(0),
        )
        return book(weighed / elapsed)

    def metrics(self, capital: Fraction, trades: Sequence[Trade]) -> dict[str, Any]:
        """Return the metrics as the result document writes them."""
        average = self.average()
        long_pnl = sum((trade.long_pnl for trade in trades), Fraction(0))
        net = sum((trade.net_pnl for trade in trades), Fraction(0))
        price_pnl = sum((trade.price_pnl for trade in trades), Fraction(0))
        return {
            "long_pnl": plain(long_pnl),
            "short_pnl": plain(price_pnl - long_pnl),
            **{f"funding_{name}": plain(amount) for name, amount in self.funding.items()},
            "avg_capital_tied": None if average is None else plain(average),
            "max_margin_used": plain(max(margins for _, _, margins in self.tied)),
            "return_on_capital_tied": float(net / average) if average else None,
            "capital_efficiency": None if average is None else float(average / capital),
            "min_liquidation_distance": float(min(self.distances())) if self.highest else None,
        }
