"""Judgement of a sweep's selection: the sums that are missing by replay, then one report a panel."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.clock import Clock
from bot.kernel.comparing import fastest_comparing
from bot.market_store.database import write_transaction
from bot.market_store.sql import seal_times
from bot.market_store.store import HistoricalDataStore
from bot.numbers.arrays import IntArray
from bot.selection.distinct import TrialSet
from bot.selection.judging import JudgedSearch, judged_search
from bot.selection.looks import Lifetime
from bot.selection.report import SelectionReport
from bot.selection.settings import ValidationSettings
from bot.selection.stored.report_text import report_text
from bot.selection.trial_sums import better
from sweeps.analysis.progress import SweepView, get_spec
from sweeps.errors import DataChangedError, SweepStateError
from sweeps.lifecycle.data_pin import check_pin
from sweeps.lifecycle.repository import sweep_state
from sweeps.spec.panels import PanelWindow
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured, completed_numbers
from sweeps.storage.results import CompletedTrials
from sweeps.storage.selection import HeldSums, forget_sums, held_panels, keep_sums, open_reports
from sweeps.storage.stored_trials import LEDGER, blocks_with
from sweeps.work.chunk_buffer import BatchSizer, ChunkLimits
from sweeps.work.panels import JudgedTrials, SweepPanels, packed_sums
from sweeps.work.replay import WindowCache, prepare, replay_batch
from sweeps.work.report_parts import ReportParts
from sweeps.work.verifying import row_compatibility

_MOST_TRIALS, _LONGEST_MS = 4_000, 1_000
"""Trials without sums that are replayed before theirs are stored, or for how long."""
_MOST_SO_FAR_BYTES = 8 * 2**20

Told = Callable[[int, int], None]
"""Takes how many of the missing trials were replayed, and how many there are."""
Complete = Callable[[JudgedSearch, TrialSet], SelectionReport]
"""Returns the report on some trials with what takes more than sums."""


@dataclass(frozen=True, slots=True)
class JudgedSelection:
    """Reports on the selection of a sweep, panel by panel, also as JSON text to be stored.

    `panels` are those of the sweep, `trials` its completed ones with their objective. `replayable` are the
    sums, by their panel and where they begin, of trials that the kernel replays again if they are asked for.
    """

    reports: Sequence[tuple[PanelWindow, SelectionReport]]
    text: str
    panels: SweepPanels
    trials: Measured
    replayable: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class _Judged:
    """Panels of a sweep under some settings, and its completed trials."""

    spec: SweepSpec
    panels: SweepPanels
    completed: TrialSet
    missing: IntArray
    replayable: dict[str, list[int]]
    data_pin: str | None
    obstacle: str | None


def judged_selection(
    engine: sa.Engine,
    sweep_id: int,
    settings: ValidationSettings,
    clock: Clock,
    told: Told = lambda _done, _total: None,
    windows: WindowCache | None = None,
) -> JudgedSelection:
    """Return the judged selection of a sweep.

    The `clock` tells how much is done at a time. `windows` are what its process has read before, of sweeps on
    the same history as well.

    Trials without sums, such as those taken over from another sweep or judged before it was extended, are
    replayed, some at a time, and leave theirs; whatever `told` raises ends this, to be gone on with later.
    Raises: UnknownSweepError; SweepStateError where they cannot be replayed as they were.
    """
    windows = windows or WindowCache(HistoricalDataStore(engine))
    with engine.connect() as connection:
        found = _found(connection, sweep_id, settings)
        seals = seal_times(connection)
    windows.enter(sweep_id, lambda: _check_data(engine, found), pin=found.data_pin, seals=seals)
    if len(found.missing):
        try:
            _replay_missing(engine, sweep_id, found, clock, told, windows)
        except DataChangedError as error:
            raise SweepStateError(f"sweep {sweep_id} cannot be judged: {error}") from None
    with engine.connect() as connection:
        parts = ReportParts(connection, windows, sweep_id, found.spec, found.completed, found.obstacle)
        judged = _judged(connection, sweep_id, found.panels, found.completed, parts.added)
        if not judged.reports:
            raise SweepStateError(f"sweep {sweep_id} has no completed trial: there is nothing to judge")
        return JudgedSelection(judged.reports, judged.text, found.panels, parts.trials, found.replayable)


def selection_so_far(connection: sa.Connection, sweep: SweepView, settings: ValidationSettings) -> str | None:
    """Return the reports on the trials of a sweep that have left sums by now, as `judged_selection`.

    None without any, where there are so many that looking at them would take long, and where sums of trials
    went with an earlier report: the others alone would be told to be all.
    """
    panels = SweepPanels(connection, get_spec(connection, sweep.id), settings)
    held = {panel.digest: HeldSums(connection, sweep.id, panel.digest) for panel in panels}
    if sum(parts.size for parts in held.values()) > _MOST_SO_FAR_BYTES:
        return None
    judged_ones = TrialSet()
    for parts in held.values():
        for _, head in parts.heads():
            judged_ones.add(head.judged)
    if len(judged_ones) < max(1, sweep.trials_done - sweep.trials_failed - sweep.trials_reused):
        return None
    judged = _judged(connection, sweep.id, panels, judged_ones)
    return judged.text if judged.reports else None


def forget_needless_sums(
    connection: sa.Connection, sweep_id: int, spec: SweepSpec, judged: SweepPanels
) -> None:
    """Delete sums that no report is to be made from: of other settings, or of other days than today's.

    `spec` is that of the sweep now, `judged` are the panels of the report that has just been made, maybe of
    before it was extended.
    """
    wanted = {row.settings for row in open_reports(connection, sweep_id)}
    if spec.validation:
        wanted.add(spec.validation)
    kept = {
        panel.digest
        for settings in wanted
        for panel in (
            judged
            if settings == judged.settings and spec.trial_count == judged.spec.trial_count
            else SweepPanels(connection, spec, settings)
        )
    }
    if needless := held_panels(connection, sweep_id) - kept:
        forget_sums(connection, sweep_id, needless)


def _found(connection: sa.Connection, sweep_id: int, settings: ValidationSettings) -> _Judged:
    compatible = row_compatibility(connection, sweep_id)
    panels = SweepPanels(connection, compatible.spec, settings)
    spec = compatible.spec
    held, replayable = TrialSet(), dict[str, list[int]]()
    for panel in panels:
        for first, head in HeldSums(connection, sweep_id, panel.digest).heads():
            held.add(head.judged)
            if head.by_kernel:
                replayable.setdefault(panel.digest, []).append(first)
    completed, missing = TrialSet(), TrialSet()
    for numbers in completed_numbers(connection, sweep_id):
        completed.add(numbers)
        missing.add(numbers[~held.has(numbers)])
    if len(missing) and compatible.obstacle is not None:
        reason = f"{len(missing):,} of its trials left no sums and cannot be replayed: {compatible.obstacle}"
        raise SweepStateError(f"sweep {sweep_id} cannot be judged: {reason}")
    pin, obstacle = compatible.data_pin, compatible.obstacle
    return _Judged(spec, panels, completed, missing.numbers, replayable, pin, obstacle)


def _check_data(engine: sa.Engine, found: _Judged) -> None:
    with engine.connect() as connection:
        check_pin(connection, found.spec, found.data_pin)


def _replay_missing(
    engine: sa.Engine, sweep_id: int, found: _Judged, clock: Clock, told: Told, windows: WindowCache
) -> None:
    done, sizer = 0, BatchSizer(ChunkLimits(), alone=False)
    while done < len(found.missing):
        told(done, len(found.missing))
        judged: list[JudgedTrials] = []
        first, began = done, clock.now_ms()
        while first < min(len(found.missing), done + _MOST_TRIALS) and clock.now_ms() - began < _LONGEST_MS:
            some, at = found.missing[first : first + sizer.size], clock.now_ms()
            judged += _replayed(engine, sweep_id, found, some, windows)
            sizer.adjust(clock.now_ms() - at, len(some))
            first += len(some)
        parts = packed_sums(judged)
        for part in parts:
            if part.by_kernel:
                found.replayable.setdefault(part.panel, []).append(part.first)
        with write_transaction(engine) as connection:
            sweep_state(connection, sweep_id)  # raises for one that was deleted meanwhile
            keep_sums(connection, sweep_id, parts)
        done = first


def _replayed(
    engine: sa.Engine, sweep_id: int, found: _Judged, numbers: IntArray, windows: WindowCache
) -> list[JudgedTrials]:
    """Return the sums of some trials, replayed as they were; raises SweepStateError if they cannot be."""
    ready, refused = prepare(found.spec, numbers.tolist(), windows)
    for refusal in refused:
        reason = f"trial {refusal.number:,} cannot be replayed: {refusal.error.message}"
        raise SweepStateError(f"sweep {sweep_id} cannot be judged: {reason}")
    batch = replay_batch(ready)
    with engine.connect() as connection:
        for replayed in batch:
            _refuse_others(connection, sweep_id, replayed.completed)
    judged = (found.panels.sums(replayed) for replayed in batch)
    return [one for one in judged if one is not None]


def _refuse_others(connection: sa.Connection, sweep_id: int, replayed: CompletedTrials) -> None:
    """Raise SweepStateError if trials book something else than what is stored of them."""
    numbers = replayed.numbers.tolist()
    for block in blocks_with(connection, sweep_id, numbers, (LEDGER,)) if numbers else ():
        ledgers, places = block.ledgers, block.places(replayed.numbers)
        if ledgers is None:  # stored before there were any
            continue
        at = np.searchsorted(replayed.numbers, block.numbers[places])
        other = (replayed.columns.ledgers[at] != ledgers[places]).any(axis=1)
        if other.any():
            trial = f"trial {replayed.numbers[at[other.argmax()]]:,}"
            reason = f"{trial} no longer books what it did; was its strategy changed? Clone the sweep"
            raise SweepStateError(f"sweep {sweep_id} cannot be judged: {reason}")


@dataclass(frozen=True, slots=True)
class _Reports:
    """Reports on panels, and which of them holds the best trial of all."""

    reports: Sequence[tuple[PanelWindow, SelectionReport]]
    best: int

    @property
    def text(self) -> str:
        """The reports as JSON text."""
        documents = [_document(window, report) for window, report in self.reports]
        return json.dumps({"best": self.best, "panels": documents})


def _judged(
    connection: sa.Connection,
    sweep_id: int,
    panels: SweepPanels,
    trials: TrialSet,
    complete: Complete = lambda judged, _trials: judged.report,
) -> _Reports:
    """Return the reports on every panel that has one of these trials."""
    reports, best = [], []
    for panel, mine in panels.parted(trials):
        if count := len(mine):
            parts = HeldSums(connection, sweep_id, panel.digest)
            lifetime = Lifetime(count, count, 0.0)
            judged = judged_search(panel.panel, parts, lifetime, fastest_comparing())
            reports.append((panel.window, complete(judged, mine)))
            best.append(judged.best)
    winner = better(best)
    return _Reports(reports, best.index(winner) if winner else 0)


def _document(window: PanelWindow, report: SelectionReport) -> dict[str, Any]:
    return {
        "exchange": window.exchange,
        "symbols": sorted(window.symbols),
        "start_ms": window.start,
        "end_ms": window.end,
        "settled": [[*pair, *days] for pair, days in window.settled.items()],
        "report": report_text(report),
    }
