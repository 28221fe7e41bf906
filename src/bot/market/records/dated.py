"""Rows that are in force from their time until the next one's."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar


class Dated(Protocol):
    """A row with the time in ms UTC from which on it is in force."""

    @property
    def from_ms(self) -> int:
        """Return that time."""


Row = TypeVar("Row", bound=Dated)


class DatedRows(Generic[Row]):
    """Rows of one thing, ascending by their distinct times."""

    __slots__ = ("_times", "rows")

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        self._times = [row.from_ms for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def in_force(self, t_ms: int) -> Row | None:
        """Return the newest row that begins by `t_ms`, None before the first."""
        place = bisect_right(self._times, t_ms)
        return self.rows[place - 1] if place else None
