"""Charts of a sweep besides its heatmap, from one reading of the columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from bot.statistics.trial_metrics import metric_kind
from sweeps.analysis.distribution import Distribution, distribution
from sweeps.analysis.grouping import is_maximized
from sweeps.analysis.importance import Importance, leading_importance
from sweeps.analysis.maps.heatmap import checked_metric
from sweeps.analysis.pareto import pareto_front
from sweeps.analysis.point_sample import Places, point_sample
from sweeps.analysis.progress import get_spec
from sweeps.analysis.ranking import smallest
from sweeps.analysis.scenarios import scenarios_for
from sweeps.analysis.selection import completed
from sweeps.spec.axis_positions import Numbers, ascending
from sweeps.spec.metrics import MetricKind
from sweeps.spec.scenarios import Scenarios
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured

RISK, GAIN = "max_drawdown_pct", "annualized_return"
MOST_POINTS = 4_000
_ALWAYS_BEST = 50
_MOST_ON_FRONT = 500


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Trials to draw: rank of each one's value among the ascending ones by axis, and metrics as floats."""

    numbers: Numbers
    ranks: Mapping[str, Numbers]
    metrics: Mapping[str, np.ndarray[tuple[int], np.dtype[np.float64]]]


@dataclass(frozen=True, slots=True, eq=False)
class Overview:
    """The trials selected: how many of those finished, some or all of them as points, and what holds for all.

    `front` are the eligible trials that no other one of them beats in `risk` and `gain` at once; `maximize`
    says of each metric drawn whether more of it is better.
    """

    metric: str
    risk: str
    gain: str
    finished: int
    selected: int
    points: Points
    front: Points
    distribution: Distribution
    importance: list[Importance] | None
    maximize: Mapping[str, bool]

    @property
    def complete(self) -> bool:
        """True if all selected trials are among the points."""
        return len(self.points.numbers) == self.selected


def overview(
    connection: sa.Connection,
    sweep_id: int,
    *,
    metric: str | None = None,
    risk: str = RISK,
    gain: str = GAIN,
    filters: Mapping[str, str] | None = None,
    most: int = MOST_POINTS,
    beside: Sequence[str] = (),
    scenarios: Scenarios | None = None,
) -> Overview:
    """Return charts of `metric` (by default the objective), `risk` and `gain` over the selected trials.

    Points have the metrics `beside` as well.

    Settings stand at their worst or median scenario of `metric`, by default those of the sweep.
    At most about `most` trials become points: always the best ones and those on the front.
    Raises: UnknownSweepError, InvalidInputError.
    """
    spec = get_spec(connection, sweep_id)
    metric = checked_metric(spec, metric)
    drawn = (metric, checked_metric(spec, risk, "risk"), checked_metric(spec, gain, "gain"))
    names = list(dict.fromkeys((*drawn, *(checked_metric(spec, one, "beside") for one in beside))))
    standing = scenarios_for(spec, scenarios)
    every, all_cells, kept = completed(connection, sweep_id, spec, names, filters, standing)
    done, cells = (every.only(kept), all_cells[kept]) if filters else (every, all_cells)
    levels = {name: done.levels(name) for name in names}
    whole = metric_kind(metric) is MetricKind.COUNT
    maximize = {name: is_maximized(spec, name) for name in names}
    risks, gains, goodness = (np.where(done.eligible, levels[name], np.nan) for name in (risk, gain, metric))
    front = pareto_front(risks, gains, maximize=(maximize[risk], maximize[gain]))
    front = front[:_MOST_ON_FRONT]
    keys = np.where(np.isnan(goodness), np.inf, -goodness if maximize[metric] else goodness)
    best = smallest(keys, _ALWAYS_BEST)
    shown = point_sample(done.numbers, most, [*best.tolist(), *front.tolist()])
    return Overview(
        metric=metric,
        risk=risk,
        gain=gain,
        finished=len(every.numbers),
        selected=len(done.numbers),
        points=_points(spec, done, cells, names, shown),
        front=_points(spec, done, cells, names, front),
        distribution=distribution(every.floats(metric), kept, whole=whole),
        importance=leading_importance(spec, done, cells, metric, standing),
        maximize=maximize,
    )


def _points(spec: SweepSpec, done: Measured, cells: Numbers, names: Sequence[str], places: Places) -> Points:
    ranks = {}
    for axis in spec.axes:
        order = np.empty(len(axis.values), dtype=np.int64)
        order[ascending(axis)] = np.arange(len(axis.values))
        ranks[axis.name] = order[spec.space.positions(cells[places], axis.name)]
    metrics = {name: done.floats(name)[places] for name in names}
    return Points(done.numbers[places], ranks, metrics)
