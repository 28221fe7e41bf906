"""Pages of a series that are still to be fetched: pure functions over times."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of time [from_ms, until_ms)."""

    from_ms: int
    until_ms: int

    @property
    def length_ms(self) -> int:
        """Return the length of the page in ms."""
        return self.until_ms - self.from_ms


def pages(since_ms: int, until_ms: int, held: tuple[int, int] | None, span_ms: int) -> Iterator[Page]:
    """Yield the pages of [since_ms, until_ms) that lie outside what is held, [held[0], held[1]).

    The held stretch always grows at its edges: earlier pages come backwards from its first row, later ones
    forwards from its last, so that a fetch that is cut off leaves no hole behind.
    """
    if held is None:
        yield from _forwards(since_ms, until_ms, span_ms)
        return
    first_ms, beyond_ms = held
    upper = first_ms
    while upper > since_ms:
        lower = max(since_ms, upper - span_ms)
        yield Page(lower, upper)
        upper = lower
    yield from _forwards(beyond_ms, until_ms, span_ms)


def _forwards(from_ms: int, until_ms: int, span_ms: int) -> Iterator[Page]:
    while from_ms < until_ms:
        yield Page(from_ms, min(until_ms, from_ms + span_ms))
        from_ms += span_ms
