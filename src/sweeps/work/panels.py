"""Panels of a sweep with their days, and the sums that trials leave for the judgement of a selection."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Self

import numpy as np
import sqlalchemy as sa

from bot.errors import UnknownExchangeError
from bot.kernel.comparing import fastest_comparing
from bot.kernel.sums import fastest_arithmetic
from bot.market_store.held_history import HeldHistory
from bot.market_store.loading import resolve_exchange
from bot.market_store.pinning import pairs_named_by_lives
from bot.models import DAY_MS
from bot.numbers.arrays import IntArray
from bot.selection.days.calendar import Calendar
from bot.selection.days.whole_returns import MOST_DAYS
from bot.selection.distinct import TrialSet
from bot.selection.panel import Panel
from bot.selection.settings import ValidationSettings
from bot.selection.trial_sums import NO_OBJECTIVE, TrialReturns, TrialSums
from bot.statistics.trial_columns import MetricColumn, TrialColumns, defined
from sweeps.spec.metrics import Direction
from sweeps.spec.panels import PanelWindow, PanelWindows
from sweeps.spec.read_pairs import Pair
from sweeps.spec.spec import SweepSpec
from sweeps.spec.spec_fields import Objective
from sweeps.storage.selection import PackedSums
from sweeps.work.replay import Replayed

_EPOCH = date(1970, 1, 1)
_MOST_RETURNS = 500_000
"""Daily returns that are judged at a time: a thousand trials of a year, some 4 MB for each copy of them."""
_FORM = 2
"""Form of the sums; those of another form are worked out again."""
_MOST_PANELS = 4
"""Panels that a process holds: up to 0.3 MB a year each, for the draws of weeks."""


@dataclass(frozen=True, slots=True)
class SweepPanel:
    """One panel: market and window, the days of its trials, and the digest that its sums are stored under."""

    window: PanelWindow
    panel: Panel
    digest: str

    @classmethod
    def of(cls, window: PanelWindow, panel: Panel) -> Self:
        """Return a panel with its digest."""
        calendar = panel.calendar
        depends_on = {
            "exchange": window.exchange,
            "start": window.start,
            "end": window.end,
            "first_day": calendar.first_day.isoformat(),
            "days": calendar.days,
            "objective": panel.objective,
            "settings": panel.settings.digest,
            "form": _FORM,
        }
        text = json.dumps(depends_on, sort_keys=True, separators=(",", ":"))
        return cls(window, panel, hashlib.sha256(text.encode()).hexdigest())


@lru_cache(maxsize=_MOST_PANELS)
def _shared_panel(calendar: Calendar, objective: str, settings: ValidationSettings) -> Panel:
    """Return the panel of these, so that sweeps share what it has worked out of its days."""
    return Panel(calendar, objective, settings)


class SweepPanels:
    """Panels of a sweep under some settings; a window without settlements has none, its trials all fail."""

    def __init__(self, connection: sa.Connection, spec: SweepSpec, settings: ValidationSettings) -> None:
        """Read the settlements of all symbols; raises StoreError if stored rows are damaged."""
        self.spec, self.settings = spec, settings
        self._windows = PanelWindows.of(spec)
        histories = _histories(connection, self._windows.windows)
        self._panels: list[SweepPanel | None] = []
        for found in self._windows.windows:
            window = replace(found, settled=_settled(found, histories))
            calendar = _calendar(window)
            panel = None if calendar is None else _shared_panel(calendar, spec.objective.metric, settings)
            self._panels.append(None if panel is None else SweepPanel.of(window, panel))

    def __iter__(self) -> Iterator[SweepPanel]:
        return (one for one in self._panels if one is not None)

    def parted(self, trials: TrialSet) -> Iterator[tuple[SweepPanel, TrialSet]]:
        """Yield each panel with those of some trials that belong to it."""
        if len(self._panels) == 1:
            yield from ((panel, trials) for panel in self)
            return
        numbers = trials.numbers
        places = self._windows.places(numbers)
        for place, panel in enumerate(self._panels):
            if panel is not None:
                yield panel, TrialSet(numbers[places == place])

    def sums(self, replayed: Replayed) -> "JudgedTrials | None":
        """Return the sums of completed trials of one window, None if there are none."""
        numbers = replayed.completed.numbers
        if not len(numbers):
            return None
        panel = self._panels[int(self._windows.places(numbers[:1])[0])]
        if panel is None:
            return None
        most = max(1, _MOST_RETURNS // max(panel.panel.calendar.days, 1))
        arithmetic, parts = fastest_arithmetic(), []
        for some in np.split(np.arange(len(numbers)), range(most, len(numbers), most)):
            trials = _trials(panel.panel, replayed, some, self.spec.objective)
            parts.append(TrialSums.of(panel.panel, trials, arithmetic))
        sums = parts[0] if len(parts) == 1 else TrialSums.merged(parts)
        return JudgedTrials(panel, numbers, sums, np.array_equal(replayed.by_kernel, numbers))


@dataclass(frozen=True, slots=True, eq=False)
class JudgedTrials:
    """Sums of completed trials of one panel; whether the kernel replayed them all."""

    panel: SweepPanel
    numbers: IntArray
    sums: TrialSums
    by_kernel: bool


def packed_sums(judged: Sequence[JudgedTrials]) -> list[PackedSums]:
    """Return sums of trials as they are stored: those of each panel together, the kernel's apart."""
    together: dict[tuple[str, bool], list[JudgedTrials]] = {}
    for one in judged:
        together.setdefault((one.panel.digest, one.by_kernel), []).append(one)
    return [
        PackedSums.of(
            panel,
            np.concatenate([one.numbers for one in mine]),
            _condensed(mine),
            by_kernel=by_kernel,
        )
        for (panel, by_kernel), mine in together.items()
    ]


def _condensed(mine: Sequence[JudgedTrials]) -> TrialSums:
    """Return the sums of all these trials of one panel, the rows alone that a judgement may choose."""
    sums = mine[0].sums if len(mine) == 1 else TrialSums.merged([one.sums for one in mine])
    return sums.condensed(mine[0].panel.panel, comparing=fastest_comparing())


def _histories(connection: sa.Connection, windows: Sequence[PanelWindow]) -> dict[str | None, "_Settlements"]:
    symbols: dict[str | None, set[str]] = {}
    for window in windows:
        for exchange, symbol in window.perps:
            symbols.setdefault(exchange, set()).add(symbol)
    found = {}
    for exchange, named in symbols.items():
        with suppress(UnknownExchangeError):
            found[exchange] = _Settlements(connection, exchange, named)
    return found


class _Settlements:
    """Settlements that one exchange holds of perps, those of other names included that lives give them."""

    def __init__(self, connection: sa.Connection, exchange: str | None, symbols: set[str]) -> None:
        lives = pairs_named_by_lives(connection, resolve_exchange(connection, exchange))
        self._names = {symbol: {symbol, *lives.get(symbol, ())} for symbol in symbols}
        self._history = HeldHistory(connection, exchange, sorted(set().union(*self._names.values())))

    def days(self, symbol: str, start_ms: int, end_ms: int) -> list[int]:
        """Return the UTC days, since 1970, of the outermost settlements of a perp in a window."""
        found: list[int] = []
        for name in self._names[symbol]:
            times = self._history.funding(name).t_ms
            first, end = np.searchsorted(times, [start_ms, end_ms + 1]).tolist()
            if first < end:
                found += [int(times[first]) // DAY_MS, int(times[end - 1]) // DAY_MS]
        return found


def _settled(
    window: PanelWindow, histories: Mapping[str | None, "_Settlements"]
) -> dict[Pair, tuple[int, int]]:
    """Return the UTC days of the first and last settlement in the window of every perp that has one."""
    days = {
        (exchange, symbol): histories[exchange].days(symbol, window.start, window.end)
        for exchange, symbol in window.perps
        if exchange in histories
    }
    return {pair: (min(found), max(found)) for pair, found in days.items() if found}


def _calendar(window: PanelWindow) -> Calendar | None:
    """Return the UTC days from the earliest to the latest settlement of any perp in the window."""
    if not window.settled:
        return None
    first, last = min(first for first, _ in window.settled.values()), max(map(max, window.settled.values()))
    return Calendar(_EPOCH + timedelta(days=first), last - first + 1)


def _trials(panel: Panel, replayed: Replayed, places: IntArray, objective: Objective) -> TrialReturns:
    """Return some completed trials over the days of their panel; none where these are too many to judge."""
    calendar = panel.calendar
    if calendar.days > MOST_DAYS:
        places = places[:0]
    days = replayed.days.take(places)
    first, row_of = days.distinct()
    rows = days.take(first).over(calendar.first_day, calendar.days)
    metrics = replayed.completed.columns.metrics
    return TrialReturns(
        replayed.completed.numbers[places],
        rows.rows,
        rows.holds,
        metrics["total_trades"][places].astype(np.int64),
        metrics["funding_payments"][places].astype(np.int64),
        _objectives(replayed.completed.columns, places, objective),
        row_of,
        (rows.row_of, rows.hold_of),
    )


def _objectives(columns: TrialColumns, places: IntArray, objective: Objective) -> MetricColumn:
    """Return the objective of some trials, the higher the better, in units where it is whole."""
    values = columns.column(objective.metric)[places]
    signed = values if objective.direction is Direction.MAXIMIZE else -values
    nothing = NO_OBJECTIVE if values.dtype.kind == "i" else np.nan
    return np.where(defined(objective.metric, values), signed, nothing)
