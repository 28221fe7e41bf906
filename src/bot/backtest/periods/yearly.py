"""Change of equity in each UTC year of a curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from bot.backtest.result import Curve
from bot.statistics.metrics import from_units, money_units


@dataclass(frozen=True, slots=True)
class Year:
    """A UTC year: the change of equity in it, marked to market, in quote currency.

    `share` is the change over the equity that the year began with, None unless that was positive; the first
    and the last year of a window may be a part of one, `whole` says whether it is not.
    """

    year: int
    change: Decimal
    share: float | None
    whole: bool


def years(curve: Curve, initial_capital: Decimal, window: tuple[int, int]) -> Sequence[Year]:
    """Return the years from the first event to the last; their changes sum to the final equity less capital.

    A last event at midnight closes the year before it: an instant is no year of its own.
    `window` is the run's start and end in ms UTC, which decides whether a year is whole.
    """
    moments = curve.calendar.times_ms.copy()
    moments[-1] -= len(moments) > 1
    times = moments.astype("datetime64[ms]").astype("datetime64[Y]").astype(np.int64)
    ends = np.append(np.flatnonzero(np.diff(times)), len(times) - 1)
    closes = dict(zip((times[ends] + 1970).tolist(), curve.units[ends].tolist(), strict=True))
    before, found = money_units(initial_capital), []
    for year in range(min(closes), max(closes) + 1):
        after = closes.get(year, before)
        share = float(after - before) / float(before) if before > 0 else None
        whole = window[0] <= _new_year_ms(year) and _new_year_ms(year + 1) <= window[1]
        found.append(Year(year, from_units(after - before), share, whole))
        before = after
    return found


def _new_year_ms(year: int) -> int:
    return int(np.datetime64(f"{year}-01-01", "ms").astype(np.int64))
