"""Samples of a chunk's trials that are replayed plainly as well, to check the kernel."""

import numpy as np

from bot.hedges.runs import AnyRun
from sweeps.errors import KernelDifferenceError
from sweeps.spec.spec import SweepSpec
from sweeps.storage.objective_ranks import objective_ranks
from sweeps.work.replay import Replayed, WindowCache, replayed_alone, runs_of

SAMPLE_EVERY = 20_000
_APART = 12_361
"""Numbers between the first samples of one sweep and the next: the golden section of 20,000, prime to it, so
that those of 20,000 sweeps are all different, and those of a few far from each other."""


def first_sample(sweep_id: int) -> int:
    """Return the first trial that a sweep samples by number, which a small one need not have."""
    return sweep_id * _APART % SAMPLE_EVERY


class KernelSamples:
    """Draws and compares the samples of one chunk: one trial in 20,000 by number, and each new best one.

    A best one is better than all before it in its chunk, and than those of its sweep that were known when
    the chunk began: the best of these has `best_rank`, None without any. Sweeps count from another number
    each: of many small ones it is one in 20,000 as well. A chunk without a best has its first one compared.
    """

    def __init__(
        self, sweep_id: int, spec: SweepSpec, windows: WindowCache, best_rank: int | None = None
    ) -> None:
        self._first = first_sample(sweep_id)
        self._spec = spec
        self._windows = windows
        self._compared = False
        self._best = None if best_rank is None else (False, best_rank)

    def compared(self, replayed: Replayed) -> list[tuple[int, AnyRun]]:
        """Replay the samples among trials plainly and return their runs, so that nobody replays them again.

        The windows keep the run of the best for the report on its sweep.
        Raises: KernelDifferenceError if one differs.
        """
        best = self._new_best(replayed)
        drawn = sorted(self._drawn(replayed, best))
        places = {int(replayed.completed.numbers[place]): place for place in drawn}
        runs = list(runs_of(self._spec, list(places), self._windows))
        for number, run in runs:
            plain = replayed_alone(number, run, self._windows)
            if differing := _differing(plain, replayed.take(np.array([places[number]], dtype=np.int64))):
                raise KernelDifferenceError(number, differing)
            if places[number] in best:
                self._windows.keep_run(run)
        return runs

    def _drawn(self, replayed: Replayed, best: set[int]) -> set[int]:
        numbers = replayed.completed.numbers
        counted = np.flatnonzero(numbers % SAMPLE_EVERY == self._first)
        drawn = best | set(counted[np.isin(numbers[counted], replayed.by_kernel)].tolist())
        if not drawn and not self._compared:
            drawn = set(np.flatnonzero(np.isin(numbers, replayed.by_kernel))[:1].tolist())
        self._compared = self._compared or bool(drawn)
        return drawn

    def _new_best(self, replayed: Replayed) -> set[int]:
        """Return the place of the best trial if it is better than all before it and the kernel's work."""
        trials, objective = replayed.completed, self._spec.objective
        known = np.flatnonzero(trials.columns.defined(objective.metric))
        if not len(known):
            return set()
        eligible = self._spec.guard.eligible(trials.columns.metrics)[known]
        ranks = objective_ranks(objective, trials.columns.column(objective.metric)[known])
        rivals = np.flatnonzero(eligible) if eligible.any() else np.arange(len(known))
        first = rivals[ranks[rivals].argmin()]
        rank = not eligible[first], int(ranks[first])
        if self._best is not None and rank >= self._best:
            return set()
        self._best, place = rank, int(known[first])
        return {place} if int(trials.numbers[place]) in replayed.by_kernel else set()


def _differing(plain: Replayed, found: Replayed) -> list[str]:
    """Return the names of what differs between two results of one trial."""
    columns = plain.completed.columns, found.completed.columns
    rows = columns[0].row(0), columns[1].row(0)
    names = [name for name in rows[0] if rows[0][name] != rows[1][name]]
    if columns[0].ledgers.tobytes() != columns[1].ledgers.tobytes():
        names.append("ledger")
    if plain.completed.run_keys.tobytes() != found.completed.run_keys.tobytes():
        names.append("run_key")
    same = plain.days.runs.tobytes() == found.days.runs.tobytes()
    return names if same and plain.days.hold().tobytes() == found.days.hold().tobytes() else [*names, "days"]
