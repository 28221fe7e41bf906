"""How fast trials are replayed here, measured by the workers as they go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.models import HOUR_MS
from sweeps.spec import SweepSpec
from sweeps.tables import replay_rate

SECONDS_PER_SETTLEMENT = 2e-6
SECONDS_PER_TRIAL = 300e-6
_USUAL_INTERVAL_MS = 8 * HOUR_MS
_MEMORY_MS = 600_000


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds that one process takes for a settlement of a pair, by strategy, where that was measured."""

    seconds_per_settlement: Mapping[str, float]

    def measured(self, strategies: Sequence[str]) -> bool:
        """Return whether all of `strategies` have been measured."""
        return all(name in self.seconds_per_settlement for name in strategies)

    def trial_seconds(self, spec: SweepSpec) -> float:
        """Return about how long an average trial takes on one core; a guess where nothing is measured."""
        work = settlements(spec)
        guess = SECONDS_PER_TRIAL + work * SECONDS_PER_SETTLEMENT
        known = self.seconds_per_settlement
        return fmean(work * known[name] if name in known else guess for name in spec.strategies())


def settlements(spec: SweepSpec) -> float:
    """Return about how many settlements an average trial walks through, at the usual interval of 8 hours."""
    start = fmean(spec.values_of("start"))
    end = fmean(spec.values_of("end"))
    symbols = fmean(len(group) for group in spec.symbol_groups())
    return max((end - start) / _USUAL_INTERVAL_MS, 1.0) * symbols


def measured_rates(connection: sa.Connection) -> Rates:
    """Return the rates of all machines together."""
    rows = connection.execute(
        sa.select(
            replay_rate.c.strategy,
            sa.func.sum(replay_rate.c.work).label("work"),
            sa.func.sum(replay_rate.c.busy_ms).label("busy_ms"),
        ).group_by(replay_rate.c.strategy)
    )
    measured = [row for row in rows if row.work and row.busy_ms]
    return Rates({row.strategy: float(row.busy_ms) / 1000 / float(row.work) for row in measured})


def record_rate(connection: sa.Connection, host: str, spec: SweepSpec, trials: int, busy_ms: int) -> None:
    """Add what a process measured; older measurements fade once ten minutes have been added up."""
    strategies = sorted(spec.strategies())
    work = max(int(trials * settlements(spec)), 1)
    share = {"work": work // len(strategies), "busy_ms": busy_ms // len(strategies)}
    upsert: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(replay_rate)
    fade = sa.case((replay_rate.c.busy_ms > _MEMORY_MS, 2), else_=1)
    connection.execute(
        upsert.on_conflict_do_update(
            index_elements=[replay_rate.c.strategy, replay_rate.c.host],
            set_={key: replay_rate.c[key].op("/")(fade) + upsert.excluded[key] for key in share},
        ),
        [{"strategy": name, "host": host, **share} for name in strategies],
    )
