"""Compare columns of exact values with thresholds."""

from bisect import bisect_left
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple, cast

import numpy as np

from bot.memo import Memo
from bot.numbers.arrays import BoolArray
from bot.numbers.columns import DecimalColumn, Mantissas
from bot.numbers.money import WIDE, scaled

_ALL = slice(None)
_MAX_THRESHOLDS = 2_000


class Condition(NamedTuple):
    """Condition that a row holds `least` or more, in units of the column's last place; None: no row does.

    Equal conditions on one column hold at the same rows, so that trials share what follows from one.
    """

    column: "ThresholdColumn"
    least: int | None

    def holds(self) -> BoolArray:
        """Return the mask of rows at which the condition holds."""
        return self.column.from_least(self.least)


class ThresholdColumn:
    """Column of exact values to compare with thresholds; `known` masks the rows that have a value."""

    def __init__(self, values: DecimalColumn, known: BoolArray | None = None) -> None:
        self.values = values
        self._exponent = values.exponent
        self._mantissas = values.mantissas
        self.known = known
        self._reached = Memo(_MAX_THRESHOLDS).get
        self._sorted: Mantissas | None = None
        self._peaks: list[Decimal] | None = None

    def reaches(self, threshold: Decimal) -> Condition:
        """Return the condition that a value is `threshold` or more."""
        return self._reached(threshold, lambda: Condition(self, self.least_at(threshold)))

    def least_at(self, threshold: Decimal) -> int:
        """Return the smallest mantissa whose value is `threshold` or more."""
        return int(threshold.scaleb(-self._exponent, context=WIDE).to_integral_value(ROUND_CEILING))

    def exceeds(self, bound: Decimal, times: int) -> Condition:
        """Return the condition that `times` a value, a number of 1 or more, is more than `bound`."""
        most = bound.scaleb(-self._exponent, context=WIDE).to_integral_value(ROUND_FLOOR)
        return Condition(self, int(most) // times + 1)

    def rising(self, satisfies: Callable[[Decimal], bool]) -> Condition:
        """Return the condition that a value `satisfies` a predicate that stays true for larger values."""
        # A Python predicate on Decimals: bisecting the sorted values asks it log2(n) times only.
        if self._sorted is None:
            self._sorted = cast("Mantissas", np.sort(self._mantissas))
        ordered = self._sorted
        places = range(len(ordered))
        place = bisect_left(places, True, key=lambda at: satisfies(self._value(int(ordered[at]))))
        return Condition(self, None if place == len(places) else int(ordered[place]))

    def first_at_least(self, threshold: Decimal, start: int) -> int:
        """Return the first place from `start` on whose value is `threshold` or more.

        The number of values stands for none.
        """
        if self._peaks_ahead()[start] < threshold:
            return len(self._mantissas)
        return start + int(self._from(self.least_at(threshold), slice(start, None)).argmax())

    def where(self, mask: BoolArray) -> "ThresholdColumn":
        """Return the column with values at the rows of `mask` alone: elsewhere no threshold is reached."""
        return ThresholdColumn(self.values, mask if self.known is None else self.known & mask)

    def from_least(self, least: int | None) -> BoolArray:
        """Return the mask of values of `least` or more, in units of the last place; None is more than any."""
        if least is None:
            return np.zeros(len(self._mantissas), dtype=bool)
        return self._from(least)

    def _peaks_ahead(self) -> list[Decimal]:
        """Return the highest value from each place on, and at the end one below all."""
        if self._peaks is None:
            known = self._mantissas if self.known is None else self._mantissas[self.known]
            lowest = int(known.min(initial=0)) - 1
            values = np.append(self._mantissas, lowest)
            if self.known is not None:
                values[:-1][~self.known] = lowest
            peaks = np.maximum.accumulate(values[::-1])[::-1].tolist()
            known_peaks = {whole: self._value(whole) for whole in set(peaks)}
            self._peaks = [known_peaks[whole] for whole in peaks]
        return self._peaks

    def _from(self, least: int, places: slice = _ALL) -> BoolArray:
        reached = np.asarray(self._mantissas[places] >= least, dtype=bool)
        return reached if self.known is None else reached & self.known[places]

    def _value(self, mantissa: int) -> Decimal:
        return scaled(mantissa, self._exponent)
