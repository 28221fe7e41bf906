"""What a worker process gathers of a chunk before it is stored, and how much of it at a time."""

from bisect import insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.backtest.batch import Course
from sweeps.queue.leases import LEASE_MS, Curve
from sweeps.spec.metrics import Direction
from sweeps.spec.spec import SweepSpec, TopCurves
from sweeps.storage.curves import encode_curve, encode_trades
from sweeps.storage.states import TrialState
from sweeps.watch import TRIAL_TIMEOUT_S
from sweeps.work.replay import Outcome, completed_row, failed_row, row_of


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a chunk is saved and its lease renewed, and when it is given back unfinished.

    At most `together` trials are replayed at once, fewer where that would take longer than `at_once_ms`;
    those that take longer than `turn_limit_ms` go on alone. A trial may take `trial_limit_ms` unless its
    sweep says otherwise.
    """

    lease_ms: int = LEASE_MS
    renew_ms: int = 5_000
    budget_ms: int = 30_000
    trial_limit_ms: int = TRIAL_TIMEOUT_S * 1_000
    turn_limit_ms: int = 20_000
    at_once_ms: int = 1_000
    rows: int = 1_000
    together: int = 1_000


@dataclass(slots=True)
class Harvest:
    """Results not yet stored; of the curves only those that can be among the best of the sweep so far."""

    sweep_id: int
    spec: SweepSpec
    rows: list[dict[str, Any]] = field(default_factory=list)
    best: set[int] = field(default_factory=set)
    curves: dict[int, Curve] = field(default_factory=dict)
    started_ms: int = 0
    replayed: int = 0
    timed: int = 0
    busy_ms: int = 0
    standing: Sequence[tuple[int, Any]] = ()
    ended: Counter[str] = field(default_factory=Counter)
    _ranked: list[tuple[Any, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ranked = sorted((self._rank(value), number) for number, value in self.standing)

    def add(self, number: int, run_key: str, metrics: dict[str, Any]) -> None:
        """Take in a result; raises BotError if it does not fit its row."""
        self._take(completed_row(self.sweep_id, number, run_key, metrics))

    def keep_curve(self, number: int, course: Course) -> None:
        """Keep equity curve and round trips of a trial among the best."""
        self.curves[number] = Curve(number, encode_curve(course.curve), encode_trades(course.trades))

    def curveless(self) -> list[int]:
        """Return the trials among the best whose curves are still to be had."""
        return sorted(self.best - self.curves.keys())

    def settle(self, outcome: Outcome) -> None:
        """Take in what became of a trial."""
        if outcome.error is not None:
            self.fail(outcome.number, outcome.error.code, outcome.error.message)
        else:
            self._take(row_of(self.sweep_id, outcome))

    def fail(self, number: int, code: str, message: str) -> None:
        """Take in a trial without a result, or with one that cannot be kept whole."""
        if self.rows and self.rows[-1]["number"] == number:
            self.rows.pop()
            self.best.discard(number)
            self.curves.pop(number, None)
        self.rows.append(failed_row(self.sweep_id, number, code, message))

    def measure(self, elapsed_ms: int, *, typical: bool) -> None:
        """End a turn; its trials and its time tell how fast trials are if it was a typical one."""
        if typical:
            self.timed += self.replayed
            self.busy_ms += elapsed_ms
        self.replayed = 0

    def failed(self) -> list[dict[str, Any]]:
        """Return the rows of trials without a result that are not yet stored."""
        return [row for row in self.rows if row["state"] == TrialState.FAILED]

    def clear(self) -> None:
        """Forget what has been stored, and count it in `ended` by state."""
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


class Pace:
    """How many trials to replay at once, so that a turn takes about as long as it may."""

    def __init__(self, rhythm: Rhythm, *, alone: bool, first: int = 64) -> None:
        self._rhythm = rhythm
        self._most = 1 if alone else rhythm.together
        self.trials = max(1, min(self._most, first, 64))

    def go_alone(self) -> None:
        """Replay one trial at a time from now on."""
        self._most = self.trials = 1

    def took(self, elapsed_ms: int) -> None:
        """Learn from a turn."""
        wanted = self.trials * self._rhythm.at_once_ms // max(elapsed_ms, 1)
        self.trials = max(1, min(self._most, wanted, self.trials * 8))
