"""Reports on the selection of a sweep as they are shown, read from what was stored of them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal, Self

import sqlalchemy as sa

from bot.plurals import counted
from bot.selection.looks import Lifetime
from bot.selection.report import SelectionReport
from bot.selection.sentence import sentence
from bot.selection.settings import ValidationSettings
from bot.selection.stored.report_text import report_of
from bot.selection.verdict import MEANINGS
from bot.timestamps import iso
from sweeps.lifecycle.looks import lifetime_of
from sweeps.lifecycle.seals import SealView, list_seals
from sweeps.spec.panels import PanelWindow
from sweeps.spec.read_pairs import Pair
from sweeps.storage.selection import report_row

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class JudgedPanel:
    """Report on one panel: the trials of one market and window (ms UTC, inclusive)."""

    exchange: str | None
    symbols: tuple[str, ...]
    start_ms: int
    end_ms: int
    report: SelectionReport
    settled: Mapping[Pair, tuple[int, int]] = field(default_factory=dict)
    """As that of `PanelWindow`; empty in reports of before it was stored."""
    sealed: str = ""
    """Sentence about the seal of its market, empty without one."""

    @property
    def window(self) -> PanelWindow:
        """Market, window and symbols."""
        return PanelWindow(str(self.exchange), self.start_ms, self.end_ms, frozenset(self.symbols))

    @property
    def days(self) -> tuple[int, int]:
        """First and last day of its settlements, since 1970."""
        calendar = self.report.panel.calendar
        first = (calendar.first_day - _EPOCH).days
        return first, first + calendar.days - 1

    @property
    def head(self) -> dict[str, Any]:
        """The panel, the verdict on its winner and the sentence about it, as JSON values."""
        verdict = self.report.verdict
        calendar = self.report.panel.calendar
        return {
            "exchange": self.exchange,
            "symbols": list(self.symbols),
            "start": iso(self.start_ms),
            "end": iso(self.end_ms),
            "first_day": calendar.first_day.isoformat(),
            "days": calendar.days,
            "winner": self.report.winner,
            "verdict": verdict.value,
            "meaning": MEANINGS[verdict],
            "sentence": sentence(self.report, self.sealed),
        }


@dataclass(frozen=True, slots=True)
class JudgedPanels:
    """Reports on all panels of a sweep; `best` is the place of the one with the best trial of all."""

    best: int
    panels: Sequence[JudgedPanel]

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the reports that were stored as `text`."""
        document = json.loads(text)
        panels = [_panel(one) for one in document["panels"]]
        return cls(document["best"], panels)

    def over(self, lifetime: Callable[[JudgedPanel], Lifetime]) -> Self:
        """Return the same reports, each over the looks that its days have had by now."""
        panels = [replace(one, report=one.report.over(lifetime(one))) for one in self.panels]
        return replace(self, panels=panels)

    def at(self, place: int | None) -> JudgedPanel:
        """Return the panel at `place`, the best one if left out."""
        return self.panels[self.best if place is None else place]

    def on(self, exchange: str | None, start_ms: int, end_ms: int) -> JudgedPanel | None:
        """Return the panel of an exchange and a window, None where that is not judged."""
        window = start_ms, end_ms
        same = (one for one in self.panels if (one.start_ms, one.end_ms) == window)
        return next((one for one in same if exchange in {None, one.exchange}), None)

    def document(self, place: int | None = None) -> dict[str, Any]:
        """Return the report on the panel at `place`, the best one if left out, beside all panels in short."""
        panel = self.at(place)
        return {
            **panel.report.document(),
            **panel.head,
            "panel": self.best if place is None else place,
            "panels": [one.head for one in self.panels],
        }


def judged_panels(connection: sa.Connection, sweep_id: int, text: str) -> JudgedPanels:
    """Return stored reports over the looks at their days by now."""

    def lifetime(panel: JudgedPanel) -> Lifetime:
        try:
            return lifetime_of(connection, sweep_id, panel.window, panel.days)
        except KeyError:  # its trials are not counted yet
            return panel.report.lifetime

    found = JudgedPanels.of(text).over(lifetime)
    closed = {one.exchange: one for one in list_seals(connection) if one.opened_ms is None}
    panels = [replace(one, sealed=_sealed(closed.get(str(one.exchange)))) for one in found.panels]
    return replace(found, panels=panels)


def _sealed(held: SealView | None) -> str:
    if held is None:
        return ""
    looks = counted(len(held.looks), "look") if held.looks else "no look"
    return f"Sealed from {held.day}{', tainted' if held.tainted else ''}, {looks}."


def made_report(
    connection: sa.Connection, sweep_id: int, settings: ValidationSettings | Literal[False]
) -> JudgedPanels | None:
    """Return the reports on a sweep by its own settings, None where there are none, or not yet."""
    row = report_row(connection, sweep_id, settings) if settings else None
    return None if row is None or row.text is None else judged_panels(connection, sweep_id, row.text)


def _panel(document: dict[str, Any]) -> JudgedPanel:
    return JudgedPanel(
        document["exchange"],
        tuple(document["symbols"]),
        document["start_ms"],
        document["end_ms"],
        report_of(document["report"]),
        {(exchange, symbol): (first, last) for exchange, symbol, first, last in document.get("settled", ())},
    )
