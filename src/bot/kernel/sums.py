"""Sums of trials by the compiled library, equal in every bit to those of NumPy."""

import numpy as np

from bot.kernel.layouts import Judged, RowPairs, address
from bot.kernel.loading import Library, usable
from bot.kernel.luck import shifts_by
from bot.numbers.arrays import FloatArray, IntArray
from bot.selection.days.calendar import Calendar
from bot.selection.days.digests import WORDS, text_digests
from bot.selection.days.equal_rows import FindingEquals
from bot.selection.days.segments import Segments
from bot.selection.days.whole_returns import MOST_DAYS, too_many_days
from bot.selection.return_sums import PLAIN, Arithmetic, ReturnRows, ReturnSums, SampleSums, Summing


def fastest_arithmetic() -> Arithmetic:
    """Return what works out the sums of trials here: the library, NumPy without it."""
    library = usable()
    return PLAIN if library is None else arithmetic_by(library)


def arithmetic_by(library: Library) -> Arithmetic:
    """Return what works out the sums of trials by `library`."""
    return Arithmetic(_equal_rows_by(library), _sums_by(library), shifts_by(library))


def _sums_by(library: Library) -> Summing:
    # hashlib has code for many processors that have no instructions for SHA-256.
    hashes = library.hashes

    def sums(calendar: Calendar, segments: Segments, rows: ReturnRows) -> ReturnSums:
        count, days, pieces = len(rows), rows.days, len(segments.edges) - 1
        if count and days > MOST_DAYS:
            raise too_many_days(days)
        weeks = 0 if calendar.unfit else calendar.weeks
        exponents, usable = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.bool_)
        digests = np.empty((count, WORDS), dtype=np.uint64)
        texts = np.empty((0 if hashes else count, days + 2), dtype=np.int32)
        sample = SampleSums(np.empty((count, weeks)), np.empty(count), np.empty(count))
        totals, squares, active = np.empty((3, count, pieces), dtype=np.int64)
        returns, places = _matrix(rows.returns), _places(rows.places, rows.returns)
        hold, held = None, None
        if rows.hold is not None and rows.held is not None:
            hold, held = _matrix(rows.hold), _places(rows.held, rows.hold)
        library.sums(
            Judged(
                count,
                days,
                weeks,
                pieces,
                *(None if one is None else address(one) for one in (returns, hold, places, held)),
                address(segments.edges),
                *(address(one) for one in (exponents, usable, digests)),
                None if hashes else address(texts),
                *(address(one) for one in (*sample, totals, squares, active)),
            )
        )
        return ReturnSums(
            exponents,
            usable,
            digests if hashes else text_digests(texts),
            segments.packed(totals, squares, active),
            sample if weeks else None,
        )

    return sums


def _equal_rows_by(library: Library) -> FindingEquals:
    def equal_rows(
        returns: FloatArray, hold: FloatArray, pairs: tuple[IntArray, IntArray] | None = None
    ) -> tuple[IntArray, IntArray]:
        rows = np.arange(len(returns) if pairs is None else len(pairs[0]))
        own, held = (rows, rows) if pairs is None else pairs
        read = _matrix(returns), _matrix(hold), _places(own, returns), _places(held, hold)
        candidate = np.empty(len(rows), dtype=np.int64)
        library.equal_rows(
            RowPairs(len(rows), returns.shape[1], *(address(one) for one in (*read, candidate)))
        )
        first = np.flatnonzero(candidate == rows)
        return first, np.searchsorted(first, candidate)

    return equal_rows


def _matrix(rows: FloatArray) -> FloatArray:
    return np.ascontiguousarray(rows, dtype=np.float64)


def _places(places: IntArray, rows: FloatArray) -> IntArray:
    """Return places as the library reads them; raises IndexError for one that is not among the rows."""
    if len(places) and not 0 <= places.min() <= places.max() < len(rows):
        raise IndexError(f"places {places.min()} to {places.max()} of {len(rows)} rows")
    return np.ascontiguousarray(places, dtype=np.int64)
