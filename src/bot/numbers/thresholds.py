"""Compare exact values at the events of a window with thresholds."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from bot.memo import Memo
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.columns import DecimalColumn
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import WIDE, ZERO, scaled

_MOST = np.iinfo(np.int64).max
_ALL = slice(None)
_MAX_THRESHOLDS = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class EventMask:
    """Event mask; `next[k]` is the first event of the mask from event k on.

    Past the last event stands for never.
    """

    mask: BoolArray
    next: npt.NDArray[np.int32]

    @classmethod
    def of(cls, mask: BoolArray) -> Self:
        """Return the event mask of `mask`."""
        # Two entries past the end, both "never": a search may start right after the last event, or one later.
        count = len(mask)
        marked = np.where(mask, np.arange(count, dtype=np.int32), np.int32(count))
        found = np.full(count + 2, count, dtype=np.int32)
        found[:count] = np.minimum.accumulate(marked[::-1])[::-1]
        return cls(mask, found)

    def first(self, place: int) -> int:
        """Return the first event of the mask from `place` on; the number of events stands for none."""
        return self.next.item(place)


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
        self._distinct: list[int] | None = None
        self._ahead: IntArray | None = None
        self._peaks: list[Decimal] | None = None

    @classmethod
    def from_decimals(cls, values: Sequence[Decimal | None]) -> Self:
        """Return `values`, some of which may not be known."""
        column = DecimalColumn.from_decimals([ZERO if value is None else value for value in values])
        return cls(column, np.array([value is not None for value in values], dtype=bool))

    def at_least(self, threshold: Decimal) -> BoolArray:
        """Return the mask of values of `threshold` or more; rows without a value are False."""
        return self._from(self._mantissa(threshold))

    def first_at_least(self, threshold: Decimal, start: int) -> int:
        """Return the first place from `start` on whose value is `threshold` or more.

        The number of values stands for none.
        """
        if self._peaks_ahead()[start] < threshold:
            return len(self._mantissas)
        return start + int(self._from(self._mantissa(threshold), slice(start, None)).argmax())

    def reaches(self, threshold: Decimal) -> Condition:
        """Return the condition that a value is `threshold` or more."""
        return self._reached(threshold, lambda: Condition(self, self._mantissa(threshold)))

    def rising(self, satisfies: Callable[[Decimal], bool]) -> Condition:
        """Return the condition that a value `satisfies` a predicate that stays true for larger values."""
        # A Python predicate on Decimals: bisecting the distinct values asks it log2(n) times only.
        if self._distinct is None:
            self._distinct = np.unique(self._mantissas).tolist()
        place = bisect_left(self._distinct, True, key=lambda whole: satisfies(self._value(whole)))
        return Condition(self, None if place == len(self._distinct) else self._distinct[place])

    def where(self, mask: BoolArray) -> "ThresholdColumn":
        """Return the column with values at the rows of `mask` alone: elsewhere no threshold is reached."""
        return ThresholdColumn(self.values, mask if self.known is None else self.known & mask)

    def from_least(self, least: int | None) -> BoolArray:
        """Return the mask of values of `least` or more, in units of the last place; None is more than any."""
        if least is None:
            return np.zeros(len(self._mantissas), dtype=bool)
        return self._from(least)

    def first_reaching(
        self, start: IntArray, end: IntArray, amounts: ExactArray, units: ExactArray
    ) -> IntArray:
        """Return, per row, the first index from `start` on whose value is amount / unit or more.

        Before `end`, which lies after `start`; the number of values stands for none, or for one that was not
        looked for. Amounts and units are above zero.
        """
        # The highest value of each span, compared exactly, rules out most rows before any search.
        found = np.full(len(start), len(self._mantissas))
        some = np.flatnonzero(self._highest_between(start, end) * units >= amounts)
        if len(some):
            found[some] = self._searched(start[some], amounts[some], units[some])
        return found

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

    def _searched(self, start: IntArray, amounts: ExactArray, units: ExactArray) -> IntArray:
        highest, count = self._highest_ahead(), len(self._mantissas)
        # value >= amount / unit is mantissa >= ceil(amount / (unit * scale)): the floor, plus one unless it
        # is exact. Nothing is divided with rounding, so that a tie counts as reached.
        scale = Decimal(1).scaleb(self._exponent)
        floor = amounts // (units * scale)
        exact = floor * (units * scale) >= amounts
        least = np.minimum(floor.mantissas + ~exact, _MOST).astype(np.int64)
        # Binary lifting from the largest power of two down: skip 2**power values while all of them are too
        # low.
        places = np.array(start)
        for power in range(len(highest) - 1, -1, -1):
            ahead = highest[power, np.minimum(places, count)]
            places = np.where(ahead < least, np.minimum(places + (1 << power), count), places)
        return places

    def _highest_between(self, start: IntArray, end: IntArray) -> ExactArray:
        """Return, per row, the highest value from `start` to before `end`."""
        # Sparse table: a span is covered by two overlapping blocks of the largest power of two that fits in
        # it.
        highest = self._highest_ahead()
        powers = np.maximum(np.frexp(end - start)[1] - 1, 0)
        peaks = np.maximum(highest[powers, start], highest[powers, end - (1 << powers)])
        return ExactArray(peaks, self._exponent)

    def _highest_ahead(self) -> IntArray:
        """Return, a row for each power of two, the highest of that many values from each place on.

        At and past the last place nothing is as low as any threshold, so that searches end there.
        """
        if self._ahead is None:
            values = self._mantissas if self.known is None else np.where(self.known, self._mantissas, -1)
            levels = [np.append(values, _MOST).astype(np.int64)]
            while (reach := 1 << len(levels)) < len(levels[0]):
                half, before = reach // 2, levels[-1]
                shifted = np.append(before[half:], np.full(half, before[-1]))
                levels.append(np.maximum(before, shifted))
            self._ahead = np.stack(levels)
        return self._ahead

    def _from(self, least: int, places: slice = _ALL) -> BoolArray:
        reached = np.asarray(self._mantissas[places] >= least, dtype=bool)
        return reached if self.known is None else reached & self.known[places]

    def _mantissa(self, least: Decimal) -> int:
        """Return the smallest mantissa whose value is not below `least`."""
        return int(least.scaleb(-self._exponent, context=WIDE).to_integral_value(ROUND_CEILING))

    def _value(self, mantissa: int) -> Decimal:
        return scaled(mantissa, self._exponent)
