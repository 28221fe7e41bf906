"""Entry gates: the conditions of an entry, and the nearest miss of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from bot.numbers.money import plain

LOWER_THRESHOLD = "With {gate} at {nearest} or below, the nearest one would have been let in."
"""Advice on a gate named like its parameter, a threshold."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition that kept a pair out: its name, what it asked for, and what it saw.

    `shortfall` (0 or more) orders the misses of one gate; None where there is nothing to measure.
    """

    name: str
    needed: Decimal | None = None
    seen: Decimal | None = None
    shortfall: Decimal | None = None


class Blocked(NamedTuple):
    """An entry that a gate was the first to block: the pair or hedge, and the settlement, ms UTC."""

    symbol: str
    t_ms: int
    gate: Gate


@dataclass(frozen=True, slots=True)
class GateReport:
    """Count of entries that a gate was the first to block, and its nearest miss.

    `note` says what about the data of that pair the gate has to be read with.
    """

    gate: str
    blocked: int
    nearest: Gate
    nearest_symbol: str
    nearest_ms: int
    note: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "gate": self.gate,
            "blocked": self.blocked,
            "needed": _text(self.nearest.needed),
            "nearest": _text(self.nearest.seen),
            "symbol": self.nearest_symbol,
            "at": self.nearest_ms,
            "note": self.note,
        }


def gate_reports(blocked: Iterable[Blocked]) -> list[GateReport]:
    """Return one report a gate, the most frequent first."""
    counts: dict[str, int] = {}
    nearest: dict[str, Blocked] = {}
    for one in blocked:
        name = one.gate.name
        counts[name] = counts.get(name, 0) + 1
        known = nearest.get(name)
        if known is None or _is_nearer(one.gate, known.gate):
            nearest[name] = one
    reports = [
        GateReport(name, counts[name], one.gate, one.symbol, one.t_ms) for name, one in nearest.items()
    ]
    return sorted(reports, key=lambda report: (-report.blocked, report.gate))


def _is_nearer(gate: Gate, known: Gate) -> bool:
    if gate.shortfall is None:
        return False
    return known.shortfall is None or gate.shortfall < known.shortfall


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
