"""Rates at which trials are replayed here, measured by the workers as they go."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.kernel.loading import usable
from bot.models import HOUR_MS
from sweeps.spec.spec import SweepSpec
from sweeps.storage.tables import replay_rate

SECONDS_PER_SETTLEMENT = 2e-6
SECONDS_PER_SETTLEMENT_OF_SEVERAL = 10e-6
"""A guess for trials of several pairs, which share nothing with each other."""

SECONDS_PER_TRIAL = 300e-6
KERNEL_SECONDS_PER_SETTLEMENT = 0.005e-6
KERNEL_SECONDS_PER_TRIAL = 5e-6
"""Guesses for trials in the compiled kernel, of several pairs as well: half of that to half as much again was
measured. With guesses five times as long the first million trials were cut into five times as many chunks.
"""

SECONDS_PER_SETTLEMENT_OF_HEDGES = 50e-6
"""A guess for trials that are replayed as hedges."""

_OF_ALL_MACHINES = sa.select(
    replay_rate.c.strategy,
    sa.func.sum(replay_rate.c.work).label("work"),
    sa.func.sum(replay_rate.c.busy_ms).label("busy_ms"),
).group_by(replay_rate.c.strategy)
_SEVERAL = " of several pairs"
_BY_KERNEL, _AS_HEDGES = " by kernel", " as hedges"
_LONGEST_NAME = 64
_USUAL_INTERVAL_MS = 8 * HOUR_MS
_MEMORY_MS = 600_000


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds that one process takes for a settlement of a pair, by `rate_names`, where that was measured.

    `by_kernel` says whether trials are replayed by the compiled kernel here, or plainly.
    """

    seconds_per_settlement: Mapping[str, float]
    by_kernel: bool

    def measured(self, spec: SweepSpec) -> bool:
        """Return whether trials like those of the sweep have been measured, of all its strategies."""
        return all(name in self.seconds_per_settlement for name in rate_names(spec, by_kernel=self.by_kernel))

    def trial_seconds(self, spec: SweepSpec) -> float:
        """Return about how long an average trial takes on one core; a guess where nothing is measured."""
        work = settlements(spec)
        guess = self._guess(spec, work)
        known, names = self.seconds_per_settlement, rate_names(spec, by_kernel=self.by_kernel)
        return fmean(work * known[name] if name in known else guess for name in names)

    def _guess(self, spec: SweepSpec, work: float) -> float:
        if spec.asks_for_hedges:
            return work * SECONDS_PER_SETTLEMENT_OF_HEDGES
        if self.by_kernel:
            return KERNEL_SECONDS_PER_TRIAL + work * KERNEL_SECONDS_PER_SETTLEMENT
        each = SECONDS_PER_SETTLEMENT_OF_SEVERAL if _has_several(spec) else SECONDS_PER_SETTLEMENT
        return SECONDS_PER_TRIAL + work * each


def rate_names(spec: SweepSpec, *, by_kernel: bool) -> tuple[str, ...]:
    """Return the names under which trials of a sweep are measured, by strategy.

    Those of several pairs are measured apart, those that the kernel replays, and sweeps that ask for hedges.
    """
    engine = _AS_HEDGES if spec.asks_for_hedges else _BY_KERNEL if by_kernel else ""
    kind = (_SEVERAL if _has_several(spec) else "") + engine
    return tuple(f"{name[: _LONGEST_NAME - len(kind)]}{kind}" for name in spec.strategies())


def _has_several(spec: SweepSpec) -> bool:
    return any(len(group) > 1 for group in spec.symbol_groups())


def settlements(spec: SweepSpec) -> float:
    """Return about how many settlements an average trial walks through, at the usual interval of 8 hours."""
    start = fmean(spec.values_of("start"))
    end = fmean(spec.values_of("end"))
    symbols = fmean(len(group) for group in spec.symbol_groups())
    return settlements_between(start, end) * symbols


def settlements_between(start_ms: float, end_ms: float) -> float:
    """Return the number of settlements of a pair from start to end at the usual interval, at least one."""
    return max((end_ms - start_ms) / _USUAL_INTERVAL_MS, 1.0)


def measured_rates(connection: sa.Connection) -> Rates:
    """Return the rates of all machines together."""
    measured = [row for row in connection.execute(_OF_ALL_MACHINES) if row.work and row.busy_ms]
    seconds = {row.strategy: float(row.busy_ms) / 1000 / float(row.work) for row in measured}
    return Rates(seconds, by_kernel=usable() is not None)


def record_rate(
    connection: sa.Connection, host: str, spec: SweepSpec, trials: int, busy_ms: int, *, by_kernel: bool
) -> None:
    """Add what a process measured; older measurements fade once ten minutes have been added up."""
    names = sorted(rate_names(spec, by_kernel=by_kernel))
    work = max(int(trials * settlements(spec)), 1)
    share = {"work": work // len(names), "busy_ms": busy_ms // len(names)}
    rows = [{"strategy": name, "host": host, **share} for name in names]
    connection.execute(_adding(connection.dialect.name), rows)


@cache
def _adding(dialect: str) -> sa.Insert:
    """Return the statement that adds to rates; putting it together takes as long as it does."""
    upsert: Any = (postgresql if dialect == "postgresql" else sqlite).insert(replay_rate)
    fade = sa.case((replay_rate.c.busy_ms > _MEMORY_MS, 2), else_=1)
    measured = ("work", "busy_ms")
    added: sa.Insert = upsert.on_conflict_do_update(
        index_elements=[replay_rate.c.strategy, replay_rate.c.host],
        set_={key: replay_rate.c[key].op("/")(fade) + upsert.excluded[key] for key in measured},
    )
    return added
