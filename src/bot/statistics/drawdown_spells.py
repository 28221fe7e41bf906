"""Spells that an equity curve spends below its peak, one by one."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from bot.statistics.metrics import Calendar, Units, from_units, running_peaks


@dataclass(frozen=True, slots=True)
class DrawdownSpell:
    """A spell below a peak, ms UTC: from the last event at the peak through its deepest one to the recovery.

    `recovered_ms` is None if the curve ends below the peak. `amount` is the fall at the trough in quote
    currency, `share` that over the peak. A peak that is the initial capital counts from the first event.
    """

    from_ms: int
    trough_ms: int
    recovered_ms: int | None
    amount: Decimal
    share: float


def drawdown_spells(units: Units, initial: int, calendar: Calendar, most: int) -> list[DrawdownSpell]:
    """Return the `most` deepest spells of one curve by share of the peak, the deepest first.

    units: equity after each event of `calendar`; `initial` > 0, all in 1e-8 of the quote currency.
    """
    peaks = running_peaks(units[np.newaxis], initial)[0]
    below = np.concatenate(([False], units < peaks, [False]))
    turns = np.flatnonzero(below[1:] != below[:-1]).tolist()
    times, found = calendar.moments, []
    for start, end in zip(turns[::2], turns[1::2], strict=True):
        trough = start + int(np.argmin(units[start:end]))
        peak, fall = int(peaks[start]), int(peaks[trough]) - int(units[trough])
        recovered = times[end] if end < len(times) else None
        begun = times[max(start - 1, 0)]
        found.append(DrawdownSpell(begun, times[trough], recovered, from_units(fall), fall / peak))
    return sorted(found, key=lambda spell: (-spell.share, spell.from_ms))[:most]
