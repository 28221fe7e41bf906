"""The matrix of one metric over two axes, the others fixed or aggregated."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.money import EXACT, book
from sweeps.columns import money_of_units
from sweeps.metrics import METRICS, Direction, MetricKind, natural_direction
from sweeps.positions import axis_position, filtered
from sweeps.progress import get_spec
from sweeps.spec import SweepSpec
from sweeps.tables import METRIC_COLUMNS, trial
from sweeps.trial import TrialState

_HALF = 1_000_000


class Aggregate(StrEnum):
    """How the trials behind one cell become its value."""

    BEST = "best"
    MEAN = "mean"
    MEDIAN = "median"
    WORST = "worst"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its value, the trial that shows it (for a mean, the best one), how many trials it sums up."""

    value: Decimal | float | int
    number: int
    count: int


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Axis labels and `cells[y][x]`, None where no trial has a value."""

    x: str
    y: str
    metric: str
    aggregate: Aggregate
    x_labels: tuple[Any, ...]
    y_labels: tuple[Any, ...]
    cells: list[list[Cell | None]]


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
    metric = spec.objective.metric if metric is None else metric
    _check(spec, x, y, metric, fixed or {})
    space = spec.space
    width, height = len(space.by_name[x].values), len(space.by_name[y].values)
    cells: list[list[Cell | None]] = [[None] * width for _ in range(height)]
    for row in connection.execute(_summary(spec, sweep_id, x, y, metric, aggregate, fixed or {})):
        cells[row.at_y][row.at_x] = Cell(_value(row, metric, aggregate), row.number, row.trials)
    return Heatmap(x, y, metric, aggregate, space.by_name[x].labels, space.by_name[y].labels, cells)


def _check(spec: SweepSpec, x: str, y: str, metric: str, fixed: Mapping[str, str]) -> None:
    for field, name in (("x", x), ("y", y)):
        if name not in spec.space.by_name:
            known = ", ".join(spec.space.by_name) or "none"
            raise InvalidInputError.of(field, f"{name!r} is no axis of this sweep; it has {known}")
        if name in fixed:
            raise InvalidInputError.of(name, f"is the {field} axis and cannot be fixed as well")
    if x == y:
        raise InvalidInputError.of("y", f"{y!r} is the x axis already")
    if metric not in METRICS:
        raise InvalidInputError.of("metric", f"{metric!r} is no metric; there are {', '.join(METRICS)}")


def _direction(spec: SweepSpec, metric: str) -> Direction:
    objective = spec.objective
    return objective.direction if metric == objective.metric else natural_direction(metric)


def _summary(
    spec: SweepSpec,
    sweep_id: int,
    x: str,
    y: str,
    metric: str,
    aggregate: Aggregate,
    fixed: Mapping[str, str],
) -> sa.Select[Any]:
    """Return one row a cell: position, representative trial, and the two middle values or the sums."""
    ranked = _ranked(spec, sweep_id, x, y, metric, aggregate, fixed).subquery()
    first, second = _places(ranked, aggregate)
    chosen = sa.case((ranked.c.place == first, ranked.c.number))
    query = sa.select(
        ranked.c.at_x,
        ranked.c.at_y,
        sa.func.max(chosen).label("number"),
        sa.func.max(ranked.c.trials).label("trials"),
        sa.func.max(sa.case((ranked.c.place == first, ranked.c.amount))).label("first"),
        sa.func.max(sa.case((ranked.c.place == second, ranked.c.amount))).label("second"),
        *_sums(ranked, metric),
    )
    if aggregate is not Aggregate.MEAN:
        query = query.where(sa.or_(ranked.c.place == first, ranked.c.place == second))
    return query.group_by(ranked.c.at_x, ranked.c.at_y)


def _ranked(
    spec: SweepSpec,
    sweep_id: int,
    x: str,
    y: str,
    metric: str,
    aggregate: Aggregate,
    fixed: Mapping[str, str],
) -> sa.Select[Any]:
    column = METRIC_COLUMNS[metric]
    at_x, at_y = axis_position(spec.space, x), axis_position(spec.space, y)
    best_is_high = _direction(spec, metric) is Direction.MAXIMIZE
    descending = best_is_high != (aggregate is Aggregate.WORST)
    order = column.desc() if descending else column.asc()
    return sa.select(
        at_x.label("at_x"),
        at_y.label("at_y"),
        trial.c.number,
        sa.type_coerce(column, sa.BigInteger if METRICS[metric] is MetricKind.MONEY else column.type).label(
            "amount"
        ),
        sa.func.row_number().over(partition_by=[at_x, at_y], order_by=[order, trial.c.number]).label("place"),
        sa.func.count().over(partition_by=[at_x, at_y]).label("trials"),
    ).where(
        trial.c.sweep_id == sweep_id,
        trial.c.state == TrialState.COMPLETED,
        column.is_not(None),
        *filtered(spec.space, fixed),
    )


def _places(ranked: Any, aggregate: Aggregate) -> tuple[Any, Any]:
    if aggregate is Aggregate.MEDIAN:
        return (ranked.c.trials + 1) // 2, (ranked.c.trials + 2) // 2
    return sa.literal(1), sa.literal(1)


def _sums(ranked: Any, metric: str) -> list[Any]:
    if METRICS[metric] is MetricKind.STATISTIC:
        return [sa.func.sum(ranked.c.amount).label("total")]
    # In two halves: the sum of many large amounts would leave the integers of SQLite.
    return [
        sa.func.sum(ranked.c.amount.op("/")(_HALF)).label("high"),
        sa.func.sum(ranked.c.amount.op("%")(_HALF)).label("low"),
    ]


def _value(row: Any, metric: str, aggregate: Aggregate) -> Decimal | float | int:
    kind = METRICS[metric]
    if aggregate is Aggregate.MEAN and kind is MetricKind.STATISTIC:
        return float(row.total) / int(row.trials)
    if aggregate is Aggregate.MEAN:
        return _mean(int(row.high) * _HALF + int(row.low), row.trials, kind)
    if aggregate is Aggregate.MEDIAN and row.first != row.second:
        total = row.first + row.second
        return float(total) / 2 if kind is MetricKind.STATISTIC else _mean(total, 2, kind)
    return money_of_units(row.first) if kind is MetricKind.MONEY else _plain(row.first)


def _mean(total: int, count: int, kind: MetricKind) -> Decimal | float:
    if kind is MetricKind.MONEY:
        return book(EXACT.divide(money_of_units(total), Decimal(count)))
    return total / count


def _plain(value: float) -> float | int:
    return value
