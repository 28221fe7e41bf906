"""Figures of a run of hedges beside those of its trades and its curve.

Source: docs/domain.md, section 9.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from bot.hedges.markets import Carry
from bot.hedges.positions import HedgeTrade, OpenHedge
from bot.models import CloseReason
from bot.numbers.money import ZERO, book


class Observed:
    """Observations of a run's loop: capital tied, margins, funding by regime, distances, and counts.

    `tied` is what the event at `last_ms` left tied, `tied_time` what has been since that at `first_ms`,
    times ms.
    """

    def __init__(self, regime_high: Decimal) -> None:
        self.regime_high = regime_high
        self.by_regime = dict.fromkeys(("funding_negative", "funding_neutral", "funding_high"), ZERO)
        self.max_margin_used = ZERO
        self.least_distance: Fraction | None = None
        self.capacity: Decimal | None = None
        self.skipped_entries = self.capped_entries = self.events_in_market = 0
        self.first_ms: int | None = None
        self.last_ms = 0
        self.tied = self.tied_time = ZERO

    def note_funding(self, amount: Decimal, carry: Carry | None) -> None:
        """Count a booking of funding by the carry then."""
        if carry is not None and carry.amount < 0:
            name = "funding_negative"
        else:
            is_high = carry is not None and carry.reaches_8h(self.regime_high)
            name = "funding_high" if is_high else "funding_neutral"
        self.by_regime[name] += amount

    def note_distance(self, wipe_out: Fraction | None, extreme: Decimal, side: Decimal) -> None:
        """Take in how far the extreme of a mark candle was from the price that wipes out a leg."""
        if wipe_out is None:
            return
        reached, of = extreme.as_integer_ratio()
        gap = wipe_out.numerator * of - reached * wipe_out.denominator
        distance = Fraction(gap if side < 0 else -gap, reached * wipe_out.denominator)
        if self.least_distance is None or distance < self.least_distance:
            self.least_distance = distance

    def note_entry(self, capacity: Decimal | None, *, capped: bool) -> None:
        """Count an entry: the notional that participation allowed, and whether that made it smaller."""
        self.capped_entries += capped
        if capacity is not None:
            booked = book(capacity)
            self.capacity = booked if self.capacity is None else min(self.capacity, booked)

    def note_event(self, t_ms: int, hedges: Sequence[OpenHedge]) -> None:
        """Take in what is tied after the entries of an event."""
        tied = margins = ZERO
        for hedge in hedges:
            for leg in hedge.open_legs:
                kind = leg.market.kind
                tied += kind.tied(leg)
                if kind.in_coins:
                    margins += book((leg.margin + leg.incoming) * hedge.long.contract.known_price(t_ms))
                elif kind.is_margined:
                    margins += leg.margin + leg.incoming
        if self.first_ms is None:
            self.first_ms = self.last_ms = t_ms
        self.tied_time += self.tied * (t_ms - self.last_ms)
        self.tied, self.last_ms = tied, t_ms
        self.max_margin_used = max(self.max_margin_used, margins)
        self.events_in_market += bool(hedges)

    def note_unchanged(self, times_ms: Sequence[int], hedges: Sequence[OpenHedge]) -> None:
        """Take in events that leave the same tied, and the same margins."""
        self.note_event(times_ms[0], hedges)
        if len(times_ms) > 1:
            self.note_event(times_ms[-1], hedges)
            self.events_in_market += (len(times_ms) - 2) * bool(hedges)

    @property
    def avg_capital_tied(self) -> Decimal | None:
        """The booked mean over time of what was tied, None for one event."""
        if self.first_ms is None or self.last_ms == self.first_ms:
            return None
        return book(self.tied_time / (self.last_ms - self.first_ms))


def count_of(trades: Sequence[HedgeTrade], reason: CloseReason) -> int:
    """Return how many trades ended for a reason."""
    return sum(trade.reason is reason for trade in trades)
