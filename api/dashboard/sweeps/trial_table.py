"""The table of trials on a sweep's page, as its address asks for it: order, columns, rows, equal results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.dashboard.rows import first_sorts
from api.presentation.metric_catalogue import TABLE_COLUMNS, MetricLabel
from api.presentation.presenters import SweepPage
from bot.statistics.trial_metrics import JUDGED
from sweeps.analysis.ranking import MOST_ORDERS

ROW_COUNTS = (25, 50, 100, 250)
USUAL_COLUMNS = (*TABLE_COLUMNS, *JUDGED)
MOST_FOLDED = 100_000
"""Trials of a sweep up to which the table has equal results as one row, unless the address says otherwise.

Of more, finding them takes longer than turning a page may.
"""


@dataclass(frozen=True, slots=True)
class Heading:
    """Sort orders that a heading leads to, alone or (`then`) for ties of those there are.

    `place` is the place of its own among these, from 1, None without one.
    """

    alone: str
    then: str
    place: int | None
    descending: bool


@dataclass(frozen=True, slots=True)
class TableChoice:
    """Choices about the table."""

    sort: str
    columns: Sequence[MetricLabel]
    rows: int
    distinct: bool
    first_sorts: Mapping[str, str]

    @classmethod
    def of(cls, sweep: SweepPage, query: Mapping[str, str]) -> "TableChoice":
        """Return the choices of an address without unknown ones, the usual where it has none."""
        asked = filter(None, query.get("cols", "").split(","))
        columns = [sweep.metrics[name] for name in dict.fromkeys(asked) or USUAL_COLUMNS]
        return cls(
            query.get("sort") or sweep.best_first,
            columns,
            int(query.get("rows") or ROW_COUNTS[0]),
            (query.get("distinct") or usually_distinct(sweep)) == "1",
            first_sorts(sweep.axes, columns),
        )

    def heading(self, name: str) -> Heading:
        """Return the sort orders of a column's heading: its own first, the other way round after that."""
        orders = self.sort.split(",")
        names = [order.removeprefix("-") for order in orders]
        place = names.index(name) if name in names else None
        first = self.first_sorts.get(name, name)
        turned = first if place is None else _turned(orders[place])
        if place is None:
            then = [*orders[: MOST_ORDERS - 1], first]
        else:
            then = [turned if at == place else order for at, order in enumerate(orders)]
        return Heading(
            alone=turned if place == 0 else first,
            then=",".join(then),
            place=None if place is None else place + 1,
            descending=place is not None and orders[place].startswith("-"),
        )


def usually_distinct(sweep: SweepPage) -> str:
    """Return the choice about equal results where an address has none: `1` if they are one row."""
    return "1" if sweep.view.trials_total <= MOST_FOLDED else "0"


def _turned(order: str) -> str:
    return order[1:] if order.startswith("-") else f"-{order}"
