"""Selection of finished trials: axes and metrics by name, each with a value or a range of them as text.

`0.0001` is one value, `0.0001..0.0005` a range with both ends, `0.0001..` and `..0.0005` are open. A range
of an axis follows the order of its values, not the order written; `null` is where the axis does not apply,
and comes before them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from bot.errors import InvalidInputError, InvalidNumberError
from bot.notation import quoted
from bot.numbers.money import MONEY_PLACES, WIDE, dec
from bot.statistics.trial_metrics import JUDGED, is_real
from sweeps.analysis.judged.judged_columns import with_judged
from sweeps.analysis.progress import bounded_id
from sweeps.analysis.scenarios import at_scenarios
from sweeps.spec.axes import Axis, as_number
from sweeps.spec.axis_positions import Numbers, absent, ascending, checked_axis
from sweeps.spec.metrics import METRICS, MetricKind
from sweeps.spec.scenarios import NO_SCENARIOS, Scenarios
from sweeps.spec.space import TrialSpace
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured
from sweeps.storage.stored_trials import failed_numbers

RANGE = ".."
NULL = "null"
_LARGEST = 2**63 - 1
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Selection:
    """Selected values of each axis named, and bounds of each metric named."""

    axes: Mapping[str, Bools]
    metrics: Mapping[str, tuple[float, float]]

    @classmethod
    def parse(cls, space: TrialSpace, filters: Mapping[str, str]) -> "Selection":
        """Return the selection that `filters` describes.

        Raises: InvalidInputError for what is neither axis nor metric, a value that is none of the axis's,
        a bound that is no number, and a range from high to low.
        """
        axes, metrics = {}, {}
        for name, text in filters.items():
            if name not in space.by_name and (name in METRICS or name in JUDGED):
                metrics[name] = _bounds(name, text)
            else:
                axes[name] = _wanted(checked_axis(space, name, name), text)
        return cls(axes, metrics)

    def of(self, axes: Collection[str]) -> "Selection":
        """Return the part that selects by some axes."""
        return Selection({name: wanted for name, wanted in self.axes.items() if name in axes}, {})

    def keeps_cells(self, space: TrialSpace, cells: Numbers) -> Bools:
        """Return the mask of cells with selected values of the axes."""
        kept = np.ones(len(cells), dtype=np.bool_)
        for name, wanted in self.axes.items():
            kept &= wanted[space.positions(cells, name)]
        return kept

    def keeps_values(self, done: Measured) -> Bools:
        """Return the mask of completed trials with metrics within the bounds; undefined ones are outside."""
        kept = np.ones(len(done.numbers), dtype=np.bool_)
        for name, (low, high) in self.metrics.items():
            column = done.values[name]
            kept &= done.defined(name) & (column >= low) & (column <= high)
        return kept


def selected(
    connection: sa.Connection,
    sweep_id: int,
    spec: SweepSpec,
    metrics: Sequence[str],
    filters: Mapping[str, str] | None,
    scenarios: Scenarios = NO_SCENARIOS,
) -> tuple[Measured, Numbers]:
    """Return the completed trials that `filters` means, with these metrics, and their cells."""
    done, cells, kept = completed(connection, sweep_id, spec, metrics, filters, scenarios)
    return (done.only(kept), cells[kept]) if filters else (done, cells)


def completed(
    connection: sa.Connection,
    sweep_id: int,
    spec: SweepSpec,
    metrics: Sequence[str],
    filters: Mapping[str, str] | None,
    scenarios: Scenarios = NO_SCENARIOS,
) -> tuple[Measured, Numbers, Bools]:
    """Return all completed trials with these metrics, their cells, and which of them `filters` means.

    Over scenarios, one trial stands for each setting: the one it is ranked at by the first of the metrics,
    among the scenarios that `filters` leaves. Filters by metrics are then of that trial.
    """
    chosen = Selection.parse(spec.space, filters or {})
    done = with_judged(connection, bounded_id(sweep_id), spec, [*metrics, *chosen.metrics])
    cells = spec.space.cells_of(done.numbers)
    if scenarios.axes:
        left = chosen.of(scenarios.axes).keeps_cells(spec.space, cells)
        done, cells = at_scenarios(spec, scenarios, metrics[0], done.only(left), cells[left])
    return done, cells, chosen.keeps_cells(spec.space, cells) & chosen.keeps_values(done)


def failed_and_selected(
    connection: sa.Connection, sweep_id: int, spec: SweepSpec, filters: Mapping[str, str] | None
) -> Numbers:
    """Return the failed trials that `filters` means: none by metrics, of which they have no values."""
    chosen = Selection.parse(spec.space, filters or {})
    failed = np.empty(0, dtype=np.int64)
    if not chosen.metrics:
        failed = failed_numbers(connection, bounded_id(sweep_id))
    return failed[chosen.keeps_cells(spec.space, spec.space.cells_of(failed))] if chosen.axes else failed


def _wanted(axis: Axis, text: str) -> Bools:
    wanted = np.zeros(len(axis.values), dtype=np.bool_)
    low, found, high = text.partition(RANGE)
    if not found:
        wanted[axis.position(text)] = True
    elif all(as_number(value) is not None for at, value in enumerate(axis.values) if not absent(axis, at)):
        wanted[:] = _between(axis, low, high)
    else:
        order = ascending(axis)
        first = order.index(axis.position(low)) if low else sum(absent(axis, at) for at in order)
        last = order.index(axis.position(high)) if high else len(order) - 1
        if low and high and first > last:
            raise _reversed(axis.name, low, high)
        wanted[order[first : last + 1]] = True
    return wanted


def _between(axis: Axis, low: str, high: str) -> list[bool]:
    lowest = None if low in {"", NULL} else _number(axis.name, low)
    highest = None if high in {"", NULL} else _number(axis.name, high)
    if lowest is not None and (high == NULL or (highest is not None and lowest > highest)):
        raise _reversed(axis.name, low, high)
    return [
        low == NULL
        if absent(axis, at)
        else high != NULL and (lowest is None or value >= lowest) and (highest is None or value <= highest)
        for at, value in enumerate(axis.values)
    ]


def _bounds(metric: str, text: str) -> tuple[float, float]:
    """Return the lowest and highest value meant, as the metric is stored."""
    low, found, high = text.partition(RANGE)
    if not found:
        high = low
    if low and high and _number(metric, low) > _number(metric, high):
        raise _reversed(metric, low, high)
    return _bound(metric, low, -1), _bound(metric, high, 1)


def _reversed(name: str, low: str, high: str) -> InvalidInputError:
    asked, meant = quoted(f"{low}{RANGE}{high}"), quoted(f"{high}{RANGE}{low}")
    return InvalidInputError.of(name, f"{asked} goes from high to low and holds nothing; write {meant}")


def _bound(metric: str, text: str, side: int) -> Any:
    if not text:
        return side * (np.inf if is_real(metric) else _LARGEST)
    number = _number(metric, text)
    if is_real(metric):
        return float(number)
    if METRICS[metric] is MetricKind.MONEY:
        number = number.scaleb(MONEY_PLACES, context=WIDE)
    whole = int(number.to_integral_value(ROUND_CEILING if side < 0 else ROUND_FLOOR, context=WIDE))
    return min(max(whole, -_LARGEST), _LARGEST)


def _number(name: str, text: str) -> Decimal:
    try:
        number = dec(text)
    except InvalidNumberError:
        number = None
    if number is None or abs(number.adjusted()) > 400:
        raise InvalidInputError.of(name, f"{quoted(text[:80])} is no bound of a range")
    return number
