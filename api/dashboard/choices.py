"""What a sweep's page shows first: axes, metric, aggregate and slice, from its address or by default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.dashboard.catalogue import METRIC_LABELS
from api.dashboard.presenters import AxisCard, SweepCard
from sweeps.heatmap import Aggregate

FIX_PREFIX = "fix:"
MOST_SLICE_VALUES = 200


@dataclass(frozen=True, slots=True)
class HeatmapChoice:
    """The chosen view; `slices` are the axes that can be held at one value."""

    x: str
    y: str
    metric: str
    agg: str
    fixed: Mapping[str, str]
    slices: Sequence[AxisCard]


def heatmap_choice(sweep: SweepCard, query: Mapping[str, str]) -> HeatmapChoice | None:
    """Return what `query` asks for where it makes sense, else defaults; None with fewer than two axes."""
    axes = sweep.axes
    if len(axes) < 2:
        return None
    names = [axis.name for axis in axes]
    widest = sorted(axes, key=lambda axis: -len(axis.values))[:2]
    first, second = (axis.name for axis in axes if axis in widest)
    x = _one_of(query.get("x"), names, first)
    y = _one_of(query.get("y"), [name for name in names if name != x], second if second != x else first)
    return HeatmapChoice(
        x=x,
        y=y,
        metric=_one_of(query.get("metric"), list(METRIC_LABELS), sweep.objective.name),
        agg=_one_of(query.get("agg"), list(Aggregate), Aggregate.BEST),
        fixed={name: query.get(FIX_PREFIX + name, "") for name in names},
        slices=[axis for axis in axes if len(axis.values) <= MOST_SLICE_VALUES],
    )


def _one_of(wanted: str | None, known: Sequence[str], default: str) -> str:
    return wanted if wanted is not None and wanted in known else default
