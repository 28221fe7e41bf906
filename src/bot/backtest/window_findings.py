"""Findings of a window: what is odd about its data, pair by pair, whatever a run does there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from bot.market.coverage import Coverage
from bot.market.jumps import JumpMoment
from bot.market.quality import END_THERE, NO_RETURN, Finding
from bot.models import DAY_MS, HOUR_MS
from bot.plurals import counted
from bot.signals.volume import CANDLES_PER_DAY

SHOWN_SHARE = 0.05
SHOWN_CANDLES = 24
"""Quiet or flat candles are shown with a run where they are so many and so much of a leg, or where"""
SHOWN_STRETCH_MS = DAY_MS
"""a stretch of them lasts so long."""
_MOST_JUMPS = 100
"""Past so many a series is broken throughout, and no amount is worked out."""
_STRETCHES = frozenset({"zero_volume", "flat"})
SERIOUS = frozenset({"price_jump", "legs_apart", "dead_contract"})
"""Names of findings of which P&L may come that nobody could have earned."""
_ALWAYS = frozenset({"legs_apart", "dead_contract", "record_ends"})


@dataclass(frozen=True, slots=True)
class WindowFinding:
    """One oddity of a pair within a window, whatever a run does there.

    `leg` is None where it is about the pair; times are ms UTC. `jumps` are the moments of a price jump,
    none where there are too many to follow.
    """

    symbol: str
    leg: str | None
    name: str
    count: int
    from_ms: int
    to_ms: int
    detail: str
    jumps: tuple[JumpMoment, ...] = ()

    @property
    def serious(self) -> bool:
        """True if P&L may come of it that nobody could have earned."""
        return self.name in SERIOUS

    @property
    def title(self) -> str:
        """The finding's place and name: `BTC/USDT:USDT perp: zero volume`."""
        return title(self.symbol, self.leg, self.name)

    def document(self) -> dict[str, Any]:
        """Return the finding as JSON values, so that `of` gives it back."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"jumps": [jump.document() for jump in self.jumps]}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Return the finding of a document."""
        return cls(**{**document, "jumps": tuple(map(JumpMoment.of, document["jumps"]))})


def words(name: str) -> str:
    """Return the name of a finding as people write it."""
    return name.replace("_", " ").replace("pnl", "P&L")


def closed_there(detail: str) -> str:
    """Return the detail of a dead contract for runs that end it themselves."""
    return f"{detail.removesuffix(END_THERE)}; end_dead_markets closes there"


def title(symbol: str | None, leg: str | None, name: str) -> str:
    """Return the place of a finding and its name as people write it."""
    place = " ".join(part for part in (symbol, leg) if part)
    return f"{place}: {words(name)}" if place else words(name)


def window_findings(covered: Mapping[str, Coverage]) -> tuple[WindowFinding, ...]:
    """Return the findings about the data of a window, pair by pair."""
    return tuple(found for symbol, one in covered.items() for found in _of_pair(symbol, one))


def _of_pair(symbol: str, covered: Coverage) -> Iterator[WindowFinding]:
    dead = any(one.name == "dead_contract" for one in covered.findings)
    jumped = [one for one in covered.findings if one.name == "price_jump"]
    if jumped:
        yield _joined(symbol, jumped, covered.jumps)
    for one in covered.findings:
        # Once a contract is dead it does not trade: saying so twice explains nothing.
        told = dead and one.leg == "perp" and one.name in _STRETCHES
        if one.name in _ALWAYS or (_is_long(one) and not told):
            yield WindowFinding(symbol, one.leg, one.name, one.count, one.from_ms, one.to_ms, one.detail)
    yield from _volume_window(symbol, covered)


def _is_long(one: Finding) -> bool:
    if one.name not in _STRETCHES or one.leg == "mark" or one.share is None or one.longest_ms is None:
        return False
    many = one.count >= SHOWN_CANDLES and one.share >= SHOWN_SHARE
    return many or one.longest_ms >= SHOWN_STRETCH_MS


def _joined(symbol: str, jumped: Sequence[Finding], jumps: tuple[JumpMoment, ...]) -> WindowFinding:
    """Return the price jumps of all legs of a pair as one finding: what one leg gains the other may lose."""
    detail = "; ".join(f"{one.leg} {one.detail.removesuffix(NO_RETURN)}" for one in jumped) + NO_RETURN
    followed = jumps if len(jumps) <= _MOST_JUMPS else ()
    first_ms, last_ms = jumps[0].before_ms, jumps[-1].after_ms
    return WindowFinding(symbol, None, "price_jump", len(jumps), first_ms, last_ms, detail, followed)


def _volume_window(symbol: str, covered: Coverage) -> Iterator[WindowFinding]:
    detail, first_ms, last_ms = volume_note(covered), covered.first_ms, covered.last_ms
    if detail and covered.perp.found and first_ms is not None and last_ms is not None:
        yield WindowFinding(symbol, "perp", "volume_window", covered.perp.found, first_ms, last_ms, detail)


def volume_note(covered: Coverage) -> str | None:
    """Return a note on the time that `volume_24h` spans, None if that is 24 hours or no perp is traded."""
    step_ms = covered.timeframes_ms.get("perp", HOUR_MS)
    if step_ms == HOUR_MS:
        return None
    return (
        f"volume_24h counts the {CANDLES_PER_DAY} newest perp candles, here of {_lasting(step_ms)}: it spans "
        f"{_lasting(CANDLES_PER_DAY * step_ms)}, so choose min_volume_24h for that"
    )


def _lasting(span_ms: int) -> str:
    if span_ms % DAY_MS == 0:
        return counted(span_ms // DAY_MS, "day")
    return f"{span_ms / HOUR_MS:g} h" if span_ms >= HOUR_MS else f"{span_ms / 60_000:g} min"
