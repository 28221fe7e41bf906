"""Coverage as a picture: lanes of bars over one axis of time, in thousandths of its width."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from bot.market.gaps import Gap
from bot.market_store.listing import SeriesListing
from bot.models import DAY_MS
from bot.plurals import counted
from bot.timestamps import iso

WIDTH = 1000
_LEAST = 1.6
"""Narrower bars would not be seen."""

_MOST_TICKS = 10
_STEPS_OF_MONTHS = (1, 2, 3, 6, 12, 24, 60)
_STEPS_OF_DAYS = (1, 2, 5, 7, 10, 15)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a lane: where it begins, how wide it is, how it looks and what it says."""

    left: float
    width: float
    look: str
    text: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis."""

    left: float
    text: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One series: what is held of it in the stretch shown, and the holes over it."""

    label: str
    held: tuple[Bar, ...]
    holes: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """The stretch of time shown, [from_ms, to_ms]."""

    from_ms: int
    to_ms: int

    @classmethod
    def over(cls, series: Sequence[SeriesListing], days: int) -> Self:
        """Return the axis over all rows of `series`, or over their newest `days`."""
        first = min((one.first_ms for one in series), default=0)
        last = max((one.end_ms for one in series), default=DAY_MS)
        return cls(max(first, last - days * DAY_MS) if days else first, max(last, first + 1))

    def ticks(self) -> list[Tick]:
        """Return up to a dozen marks at the starts of years, months or days."""
        return [Tick(self._at(moment), text) for moment, text in _marks(self.from_ms, self.to_ms)]

    def lane(self, series: SeriesListing) -> Lane:
        """Return the held spans of a series."""
        return Lane(series_label(series), tuple(self._held(series)), tuple(self._holes(series)))

    def _held(self, series: SeriesListing) -> Iterator[Bar]:
        spans = [(one.from_ms, one.to_ms, one.hours) for one in series.intervals]
        for index, (from_ms, to_ms, hours) in enumerate(spans or [(series.first_ms, series.end_ms, 0)]):
            # A span of settlements reaches to the next one, or there would be holes at the switches.
            until_ms = spans[index + 1][0] if index + 1 < len(spans) else to_ms
            every = f" every {hours} h" if hours else ""
            bar = self._bar(
                from_ms,
                until_ms,
                f"h{hours}" if hours else "candles",
                f"{series_label(series)}{every}, {_day(from_ms)} to {_day(to_ms)}",
            )
            if bar:
                yield bar

    def _holes(self, series: SeriesListing) -> Iterator[Bar]:
        step_ms = series.timeframe_ms
        for first, last, missing, count in self._merged(series.gaps):
            rows = counted(missing, "row")
            where = f"in {count} gaps, " if count > 1 else ""
            text = f"{series_label(series)}: {rows} missing, {where}{_minute(first)} to {_minute(last)}"
            bar = self._bar(first, last + step_ms, "hole", text)
            if bar:
                yield bar

    def _merged(self, gaps: Sequence[Gap]) -> Iterator[tuple[int, int, int, int]]:
        """Yield (first, last, rows missing, gaps) of gaps that a screen cannot tell apart as one."""
        near_ms = (self.to_ms - self.from_ms) * _LEAST / WIDTH
        current: tuple[int, int, int, int] | None = None
        for gap in gaps:
            if current and gap.from_ms - current[0] < near_ms:
                current = (current[0], gap.to_ms, current[2] + gap.missing, current[3] + 1)
                continue
            if current:
                yield current
            current = (gap.from_ms, gap.to_ms, gap.missing, 1)
        if current:
            yield current

    def _bar(self, from_ms: int, until_ms: int, look: str, text: str) -> Bar | None:
        if until_ms < self.from_ms or from_ms > self.to_ms:
            return None
        left, right = self._at(max(from_ms, self.from_ms)), self._at(min(until_ms, self.to_ms))
        return Bar(left, round(max(right - left, _LEAST), 2), look, text)

    def _at(self, moment_ms: int) -> float:
        return round((moment_ms - self.from_ms) * WIDTH / (self.to_ms - self.from_ms), 2)


def series_label(series: SeriesListing) -> str:
    """Return the name of a series: `funding`, `spot 1h`."""
    if not series.timeframe_ms:
        return series.kind
    minutes = series.timeframe_ms // 60_000
    size = f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"
    return f"{series.kind} {size}"


def _day(moment_ms: int) -> str:
    return iso(moment_ms)[:10]


def _minute(moment_ms: int) -> str:
    return iso(moment_ms)[:16].replace("T", " ")


def _marks(from_ms: int, to_ms: int) -> list[tuple[int, str]]:
    days = (to_ms - from_ms) / DAY_MS
    for step in _STEPS_OF_DAYS:
        if days / step <= _MOST_TICKS:
            first = -(-from_ms // DAY_MS)
            moments = range(first * DAY_MS, to_ms + 1, step * DAY_MS)
            return [(moment, _day(moment)) for moment in moments]
    for step in _STEPS_OF_MONTHS:
        if days / 30.4 / step <= _MOST_TICKS:
            return list(_months(from_ms, to_ms, step))
    return list(_months(from_ms, to_ms, 120))


def _months(from_ms: int, to_ms: int, step: int) -> Iterator[tuple[int, str]]:
    start = datetime.fromtimestamp(from_ms / 1000, UTC)
    month = -(-(start.year * 12 + start.month - 1) // step) * step
    while True:
        year, of_year = divmod(month, 12)
        moment_ms = int(datetime(year, of_year + 1, 1, tzinfo=UTC).timestamp()) * 1000
        if moment_ms > to_ms:
            return
        if moment_ms >= from_ms:
            yield moment_ms, str(year) if step >= 12 else f"{year}-{of_year + 1:02}"
        month += step
