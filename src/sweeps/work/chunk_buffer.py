"""Results of a chunk not yet stored, the limits of a chunk, and the size of its batches."""

from bisect import insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.backtest.batch import RunRecord
from sweeps.queue.leases import LEASE_MS
from sweeps.spec.metrics import Direction
from sweeps.spec.spec import SweepSpec, TopCurves
from sweeps.storage.curves import StoredRecord, encode_curve, encode_trades
from sweeps.storage.states import TrialState
from sweeps.watch import TRIAL_TIMEOUT_S
from sweeps.work.replay import Outcome, completed_row, failed_row, row_of


@dataclass(frozen=True, slots=True)
class ChunkLimits:
    """Limits of a chunk: lease, time between two saves, time until it is given back unfinished.

    A batch has at most `max_batch` trials, fewer where it would take longer than `batch_target_ms`; trials
    of a batch that takes longer than `batch_limit_ms` are replayed one by one. A trial may take
    `trial_limit_ms` unless its sweep says otherwise. At most `rows` results wait to be stored.
    """

    lease_ms: int = LEASE_MS
    renew_ms: int = 5_000
    budget_ms: int = 30_000
    trial_limit_ms: int = TRIAL_TIMEOUT_S * 1_000
    batch_limit_ms: int = 20_000
    batch_target_ms: int = 1_000
    rows: int = 1_000
    max_batch: int = 1_000


@dataclass(slots=True)
class ChunkBuffer:
    """Results not yet stored; curves only of trials that can be among the best of the sweep so far."""

    sweep_id: int
    spec: SweepSpec
    rows: list[dict[str, Any]] = field(default_factory=list)
    best: set[int] = field(default_factory=set)
    curves: dict[int, StoredRecord] = field(default_factory=dict)
    started_ms: int = 0
    replayed: int = 0
    timed: int = 0
    busy_ms: int = 0
    leaders: Sequence[tuple[int, Any]] = ()
    ended: Counter[str] = field(default_factory=Counter)
    _ranked: list[tuple[Any, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ranked = sorted((self._rank(value), number) for number, value in self.leaders)

    def add(self, number: int, run_key: str, metrics: dict[str, Any]) -> None:
        """Add a result; raises BotError if it does not fit its row."""
        self._take(completed_row(self.sweep_id, number, run_key, metrics))

    def keep_curve(self, number: int, record: RunRecord) -> None:
        """Keep equity curve and round trips of a trial among the best."""
        self.curves[number] = StoredRecord(number, encode_curve(record.curve), encode_trades(record.trades))

    def without_curves(self) -> list[int]:
        """Return the trials among the best whose curves are still missing."""
        return sorted(self.best - self.curves.keys())

    def settle(self, outcome: Outcome) -> None:
        """Add the outcome of a trial: its result or its failure."""
        if outcome.error is not None:
            self.fail(outcome.number, outcome.error.code, outcome.error.message)
        else:
            self._take(row_of(self.sweep_id, outcome))

    def fail(self, number: int, code: str, message: str) -> None:
        """Add a trial without a result, or with one that cannot be stored whole."""
        if self.rows and self.rows[-1]["number"] == number:
            self.rows.pop()
            self.best.discard(number)
            self.curves.pop(number, None)
        self.rows.append(failed_row(self.sweep_id, number, code, message))

    def measure(self, elapsed_ms: int, *, typical: bool) -> None:
        """End a batch; a typical one counts towards the measured speed of trials."""
        if typical:
            self.timed += self.replayed
            self.busy_ms += elapsed_ms
        self.replayed = 0

    def failed(self) -> list[dict[str, Any]]:
        """Return the rows of trials without a result that are not yet stored."""
        return [row for row in self.rows if row["state"] == TrialState.FAILED]

    def clear(self) -> None:
        """Drop rows that have been stored, and count them in `ended` by state."""
        self.ended.update(str(row["state"]) for row in self.rows)
        self.replayed = self.timed = self.busy_ms = 0
        self.rows.clear()
        self.best.clear()
        self.curves.clear()

    def _take(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        if self._is_among_best(row["number"], row[self.spec.objective.metric]):
            self.best.add(row["number"])

    def _is_among_best(self, number: int, value: Any) -> bool:
        if not isinstance(self.spec.curves, TopCurves):
            return self.spec.curves == "all"
        place = (self._rank(value), number)
        if len(self._ranked) >= self.spec.curves.top and place > self._ranked[-1]:
            return False
        insort(self._ranked, place)
        if len(self._ranked) <= self.spec.curves.top:
            return True
        _, worst = self._ranked.pop()
        self.best.discard(worst)
        self.curves.pop(worst, None)
        return worst != number

    def _rank(self, value: Any) -> tuple[bool, Any]:
        descending = self.spec.objective.direction is Direction.MAXIMIZE
        return value is None, 0 if value is None else -value if descending else value


class BatchSizer:
    """Number of trials to replay in one call, so that a batch takes about as long as it may."""

    def __init__(self, limits: ChunkLimits, *, alone: bool, first: int = 64) -> None:
        self._limits = limits
        self._most = 1 if alone else limits.max_batch
        self.size = max(1, min(self._most, first, 64))

    def go_alone(self) -> None:
        """Replay one trial at a time from now on."""
        self._most = self.size = 1

    def adjust(self, elapsed_ms: int) -> None:
        """Adjust the size to the time that the last batch took."""
        wanted = self.size * self._limits.batch_target_ms // max(elapsed_ms, 1)
        self.size = max(1, min(self._most, wanted, self.size * 8))
