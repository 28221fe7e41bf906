"""Results of a chunk not yet stored, the limits of a chunk, and the size of its batches."""

from bisect import insort
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bot.hedges.runs import AnyRun
from sweeps.errors import KernelDifferenceError
from sweeps.queue.leases import LEASE_MS, Claim
from sweeps.spec.spec import SweepSpec
from sweeps.spec.spec_fields import TopCurves
from sweeps.storage.curves import StoredRecord
from sweeps.storage.leaderboard import NO_CURVE_YET
from sweeps.storage.objective_ranks import UNRANKED, trial_ranks
from sweeps.storage.results import CompletedTrials, Results, failed_row
from sweeps.storage.states import TrialState
from sweeps.watch import TRIAL_TIMEOUT_S
from sweeps.work.panels import JudgedTrials, SweepPanels
from sweeps.work.replay import Refusal, Replayed
from sweeps.work.run_records import RunRecord

_FIRST_BATCH = 128
"""Trials of a process's first batch of a sweep: a small sweep is one; without a kernel it takes seconds."""
_FIRST_WITH_CURVES = 8
"""The same where each trial is replayed plainly for its curve: a pause waits for the end of the batch."""
_STEP = 8
"""Most times that a batch is larger or smaller than the one before."""


@dataclass(frozen=True, slots=True)
class ChunkLimits:
    """Limits of a chunk: lease, time between two saves, time until it is given back unfinished.

    A batch has at most `max_batch` trials, fewer where it would take longer than `batch_target_ms`; trials
    of a batch that takes longer than `batch_limit_ms` are replayed one by one. A trial may take
    `trial_limit_ms` unless its sweep says otherwise. At most `rows` results wait to be stored.
    """

    lease_ms: int = LEASE_MS
    renew_ms: int = 5_000
    budget_ms: int = 5_000
    trial_limit_ms: int = TRIAL_TIMEOUT_S * 1_000
    batch_limit_ms: int = 20_000
    batch_target_ms: int = 1_000
    rows: int = 4_000
    max_batch: int = 1_000


@dataclass(slots=True)
class ChunkBuffer:
    """Results not yet stored, and which of the trials can be among the best of the sweep so far.

    `leaders` are the best so far: rank of the objective, and number; `fingerprints`
    those of the histories that trials were replayed on.
    `judged` are the sums of replayed trials that their selection is judged by, where there are `panels`.
    `sampled` are the runs of trials that have been replayed plainly as samples.
    `by_kernel` counts the trials that the compiled kernel replayed, `left` those it left, by reason; `timed`
    and `busy_ms` are what was measured since the chunk began.
    """

    sweep_id: int
    spec: SweepSpec
    panels: SweepPanels | None = None
    completed: list[CompletedTrials] = field(default_factory=list)
    judged: list[JudgedTrials] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    best: set[int] = field(default_factory=set)
    curves: dict[int, StoredRecord] = field(default_factory=dict)
    sampled: dict[int, AnyRun] = field(default_factory=dict)
    started_ms: int = 0
    replayed: int = 0
    timed: int = 0
    busy_ms: int = 0
    leaders: Sequence[tuple[int, int]] = ()
    fingerprints: set[str] = field(default_factory=set)
    by_kernel: int = 0
    left: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    _by_kernel_before: int = 0
    _ranked: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ranked = sorted(self.leaders)

    @property
    def best_rank(self) -> int | None:
        """Rank of the best trial of the sweep when the chunk began, None if none that has one was known."""
        best = min((rank for rank, _ in self.leaders), default=UNRANKED)
        return None if best == UNRANKED else best

    def __len__(self) -> int:
        """Return the number of trials that wait to be stored."""
        return len(self.failed) + sum(map(len, self.completed))

    def settle(self, replayed: Replayed) -> None:
        """Add trials that have been replayed here."""
        for refusal in replayed.refused:
            self.refuse(refusal)
        self.take_over(replayed.completed)
        self.by_kernel += len(replayed.by_kernel)
        self.left.update({str(reason): count for reason, count in replayed.left.items()})
        self._note_best(replayed.completed)
        if self.panels is not None and (sums := self.panels.sums(replayed)) is not None:
            self.judged.append(sums)

    def take_over(self, trials: CompletedTrials) -> None:
        """Add trials whose curves are not wanted, such as those whose results another sweep has."""
        if len(trials):
            self.completed.append(trials)

    def refuse(self, refusal: Refusal) -> None:
        """Add a trial that was refused."""
        self.fail(refusal.number, refusal.error.code, refusal.error.message)

    def keep_curve(self, ledgers: Mapping[int, bytes], record: RunRecord) -> None:
        """Keep equity curve and round trips of trials among the best that share a run, by their `ledgers`.

        Raises: KernelDifferenceError unless it is the run that their results are of.
        """
        for number, ledger in ledgers.items():
            if ledger != record.ledger:
                raise KernelDifferenceError(number, ["ledger"])
            self.curves[number] = StoredRecord(number, record.equity, record.trades)

    def ledgers(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Return the ledger digests of those of some trials that wait to be stored as completed."""
        return {
            number: trials.columns.ledgers[place].tobytes()
            for trials, place, number in self._waiting(numbers)
        }

    def run_keys(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Return the run keys of those of some trials that wait to be stored as completed."""
        found = self._waiting(numbers)
        return {number: trials.run_keys[place].tobytes() for trials, place, number in found}

    def _waiting(self, numbers: Sequence[int]) -> Iterator[tuple[CompletedTrials, int, int]]:
        for trials in self.completed:
            for place in np.flatnonzero(np.isin(trials.numbers, numbers)).tolist():
                yield trials, place, int(trials.numbers[place])

    def without_curves(self) -> list[int]:
        """Return the trials among the best whose curves are still missing."""
        return sorted(self.best - self.curves.keys())

    def records(self) -> list[StoredRecord]:
        """Return the curves that are known, and the places of the other trials among the best."""
        places = (StoredRecord(number, NO_CURVE_YET, NO_CURVE_YET) for number in self.without_curves())
        return [*self.curves.values(), *places]

    def holds_all(self, claim: Claim) -> bool:
        """Return whether all trials of the sweep wait to be stored, so that nobody can outdo the best."""
        return len(claim.missing) == self.spec.trial_count and not self.ended.total()

    def fail(self, number: int, code: str, message: str) -> None:
        """Add a trial without a result, or with one that cannot be stored whole."""
        if self.completed and self.completed[-1].numbers.tolist() == [number]:
            self.completed.pop()
            if self.judged and self.judged[-1].numbers.tolist() == [number]:
                self.judged.pop()
            self.best.discard(number)
            self.curves.pop(number, None)
        self.failed.append(failed_row(self.sweep_id, number, code, message))

    def measure(self, elapsed_ms: int, *, typical: bool) -> None:
        """End a batch; a typical one counts towards the measured speed of trials."""
        if typical:
            self.timed += self.replayed
            self.busy_ms += elapsed_ms
        self.replayed = 0

    @property
    def mostly_by_kernel(self) -> bool:
        """True where the compiled kernel replayed most of the trials that were timed."""
        return 2 * (self._by_kernel_before + self.by_kernel) > self.timed

    def known(self, claim: Claim) -> int:
        """Return how many trials of the chunk are stored, as far as is known here."""
        return claim.hi - claim.lo - len(claim.missing) + self.ended.total()

    def finished(self) -> dict[TrialState, int]:
        """Return the number of trials that wait to be stored, by state."""
        return {TrialState.COMPLETED: len(self) - len(self.failed), TrialState.FAILED: len(self.failed)}

    def results(self) -> Results:
        """Return what has to be stored of its trials."""
        return Results.of(
            self.sweep_id, self.completed, failed=self.failed, fingerprints=self.fingerprints.copy()
        )

    def clear(self) -> None:
        """Drop results that have been stored, and count them in `ended` by state."""
        self.ended.update({str(state): count for state, count in self.finished().items() if count})
        self._by_kernel_before += self.by_kernel
        self.replayed = self.by_kernel = 0
        self.left.clear()
        self.completed.clear()
        self.judged.clear()
        self.failed.clear()
        self.best.clear()
        self.curves.clear()
        self.sampled.clear()
        self.fingerprints.clear()

    def _note_best(self, trials: CompletedTrials) -> None:
        """Note the trials whose curves are kept: all, none, or the best so far, equal ones by number."""
        if not isinstance(self.spec.curves, TopCurves):
            self.best.update(trials.numbers.tolist() if self.spec.curves == "all" else ())
            return
        top = self.spec.curves.top
        ranks = trial_ranks(self.spec, trials.columns.including(self.spec.objective.metric))
        worst = self._ranked[-1][0] if len(self._ranked) >= top else UNRANKED
        near = np.flatnonzero(ranks <= worst)
        first = near[np.lexsort((trials.numbers[near], ranks[near]))[:top]]
        for place in zip(ranks[first].tolist(), trials.numbers[first].tolist(), strict=True):
            if len(self._ranked) >= top and place > self._ranked[-1]:
                break
            self._insert(place, top)

    def _insert(self, place: tuple[int, int], top: int) -> None:
        """Take a trial among the best, and the worst of them out where there are more than `top`."""
        insort(self._ranked, place)
        self.best.add(place[1])
        if len(self._ranked) > top:
            _, worst = self._ranked.pop()
            self.best.discard(worst)
            self.curves.pop(worst, None)


class BatchSizer:
    """Number of trials to replay in one call, so that a batch takes about as long as it may.

    Trials that go `alone` say nothing about batches: these may be replayed by the compiled kernel.
    """

    def __init__(
        self, limits: ChunkLimits, *, alone: bool, all_curves: bool = False, last: int | None = None
    ) -> None:
        """Begin with the size of the `last` batch of the sweep, if its process has done one."""
        self._limits = limits
        self.alone = alone or limits.max_batch == 1
        first = last or (_FIRST_WITH_CURVES if all_curves else _FIRST_BATCH)
        self.together = max(1, min(limits.max_batch, first))

    @property
    def size(self) -> int:
        """Number of trials of the next batch."""
        return 1 if self.alone else self.together

    def go_alone(self, trials: int) -> None:
        """Replay one trial at a time from now on, and begin smaller than with these `trials` later on."""
        self.alone = True
        self.together = max(1, min(self.together, trials) // _STEP)

    def adjust(self, elapsed_ms: int, trials: int) -> None:
        """Adjust the size to the time that the last batch, of that many `trials`, took.

        A quick one that was all that was left says little; one that was halted is no reason to go alone.
        """
        target = self._limits.batch_target_ms
        if self.alone or (trials < self.together and elapsed_ms <= target):
            return
        least = max(min(trials, 2), min(self.together, trials) // _STEP)
        wanted = max(trials * target // max(elapsed_ms, 1), least)
        self.together = min(self._limits.max_batch, wanted, self.together * _STEP)
