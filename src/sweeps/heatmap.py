"""The matrix of one metric over two axes, the others fixed or aggregated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.errors import InvalidInputError
from sweeps.blocks import measured
from sweeps.grouping import Aggregate, Groups, Summary, is_maximized, summarize
from sweeps.metrics import METRICS
from sweeps.positions import checked_axis, matching
from sweeps.progress import bounded_id, get_spec
from sweeps.spec import SweepSpec

__all__ = ["Aggregate", "Heatmap", "heatmap"]


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Axis labels and `cells[y][x]`, None where no trial has a value."""

    x: str
    y: str
    metric: str
    aggregate: Aggregate
    x_labels: tuple[Any, ...]
    y_labels: tuple[Any, ...]
    cells: list[list[Summary | None]]


def heatmap(
    connection: sa.Connection,
    sweep_id: int,
    *,
    x: str,
    y: str,
    metric: str | None = None,
    aggregate: Aggregate = Aggregate.BEST,
    fixed: Mapping[str, str] | None = None,
) -> Heatmap:
    """Return the matrix of a metric (by default the objective) over the axes `x` and `y`.

    `fixed` gives other axes one value each, as text. Raises: UnknownSweepError, InvalidInputError.
    """
    spec = get_spec(connection, sweep_id)
    metric = checked_metric(spec, metric)
    _check(spec, x, y, fixed or {})
    across, down = spec.space.by_name[x], spec.space.by_name[y]
    groups = _groups(connection, sweep_id, spec, metric, (x, y), fixed or {})
    cells: list[list[Summary | None]] = [[None] * len(across.values) for _ in down.values]
    for summary in summarize(groups, aggregate):
        at_y, at_x = divmod(summary.group, len(across.values))
        cells[at_y][at_x] = summary
    return Heatmap(x, y, metric, aggregate, across.labels, down.labels, cells)


def checked_metric(spec: SweepSpec, metric: str | None) -> str:
    """Return the metric asked for, by default the objective; raises InvalidInputError if there is none."""
    if metric is None:
        return spec.objective.metric
    if metric not in METRICS:
        raise InvalidInputError.of("metric", f"{metric!r} is no metric; there are {', '.join(METRICS)}")
    return metric


def _check(spec: SweepSpec, x: str, y: str, fixed: Mapping[str, str]) -> None:
    for field, name in (("x", x), ("y", y)):
        checked_axis(spec.space, field, name)
        if name in fixed:
            raise InvalidInputError.of(name, f"is the {field} axis and cannot be fixed as well")
    if x == y:
        raise InvalidInputError.of("y", f"{y!r} is the x axis already")


def _groups(
    connection: sa.Connection,
    sweep_id: int,
    spec: SweepSpec,
    metric: str,
    axes: tuple[str, str],
    fixed: Mapping[str, str],
) -> Groups:
    space = spec.space
    done = measured(connection, bounded_id(sweep_id), [metric])
    cells = space.cells_of(done.numbers)
    width, height = (len(space.by_name[name].values) for name in axes)
    ids = space.positions(cells, axes[1]) * width + space.positions(cells, axes[0])
    kept = done.defined(metric) & matching(space, cells, fixed)
    return Groups(
        metric=metric,
        maximize=is_maximized(spec, metric),
        numbers=done.numbers[kept],
        values=done.values[metric][kept],
        ids=ids[kept],
        size=width * height,
    )
