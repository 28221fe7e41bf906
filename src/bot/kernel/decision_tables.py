"""Decisions of runs as the kernel takes them: tables of pairs and events, and whole thresholds on them."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt

from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.kernel.decision_groups import DecisionGroup
from bot.kernel.layouts import CONDITIONS
from bot.kernel.unfit import Reason, UnfitError
from bot.kernel.window_columns import WindowColumns
from bot.market.history import PairSeries
from bot.market.window import ReplayWindow
from bot.memo import Memo
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.columns import DecimalColumn
from bot.numbers.money import ONE
from bot.numbers.thresholds import Condition, ThresholdColumn
from bot.strategies.decision_columns import ColumnDecisions, DecisionColumns, Threshold
from bot.strategies.hold import hold_over

Made = TypeVar("Made")
Table32 = npt.NDArray[np.int32]
NEVER, ALWAYS = -(2**31), 2**31 - 1
"""Table values that reach no threshold, and every one."""
_NOTHING, _ANY = np.zeros(1, dtype=np.int64), np.full(1, NEVER, dtype=np.int64)
"""Number of staying where nobody leaves by a signal, and of a condition that is not used."""
_LEAST, _MOST = NEVER + 1, ALWAYS
_ROOM = 2**31 - 3
_MOST_SHARE = 2**62
_MOST_DECISIONS = 256


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A threshold column as 32-bit numbers: its own whole values, or their ranks among `distinct`."""

    numbers: Table32
    distinct: list[int] | None

    @classmethod
    def of(cls, column: DecimalColumn) -> "_Ranked":
        mantissas = column.mantissas
        if _is_narrow(column):
            return cls(mantissas.astype(np.int32), None)
        distinct, ranks = np.unique(mantissas, return_inverse=True)
        return cls(ranks.astype(np.int32), distinct.tolist())

    def reaching(self, least: int | None) -> int:
        """Return the number from which on values are `least` or more, in units of the column's last place."""
        if least is None:
            return _MOST
        if self.distinct is None:
            return max(_LEAST, min(_MOST, least))
        return bisect_left(self.distinct, least)


class _Asked(NamedTuple):
    """Table of a column by its place, and the number to reach there: of each trial of a call, or of all."""

    column: ThresholdColumn
    table: int
    numbers: IntArray


class WrittenDecisions(NamedTuple):
    """The decisions of trials as fields of theirs (`layouts.RUN`, `layouts.DECISIONS`).

    What columns are compared with, of each condition to enter and of staying, is one number for each trial
    of the call, or one for all.
    """

    enter_columns: tuple[int, ...]
    enter_from: tuple[IntArray, ...]
    best_column: int
    stay_column: int
    stay_from: IntArray
    order_values: int
    share_values: int
    share_places: int


class DecisionTables:
    """Turns the decisions of runs over one window into tables, each made once while it is asked for again.

    `cells` counts the numbers that it holds, about.
    """

    def __init__(self, window: ReplayWindow, columns: WindowColumns) -> None:
        self._shape = columns.pairs, columns.events
        self._columns = DecisionColumns(window, _at_settlements(window, columns))
        settles = np.stack([one.settles for one in columns.series])
        self._rows = np.flatnonzero(settles)
        decidable = settles & np.stack([one.fresh for one in columns.series])
        self._decidable: BoolArray = decidable.ravel()[self._rows]
        self._known: dict[tuple[str, int], tuple[Any, Any]] = {}
        self._decisions = Memo(_MOST_DECISIONS)
        self._wholes: dict[tuple[str, int], tuple[Sequence[Decimal], Sequence[int]]] = {}
        self.cells = 0

    def of(
        self, group: DecisionGroup, tables: "TableList"
    ) -> Iterator[tuple[DecisionGroup, WrittenDecisions]]:
        """Yield the decisions of a group, inside `exact()`, and add the tables they need to `tables`.

        They come in several parts where more conditions than the kernel has room for are taken together.
        Raises: UnfitError where there are no decisions by columns.
        """
        decided = self._decided(group)
        if len(decided.enter) <= CONDITIONS and len(decided.stay) <= 1:
            yield group, self._written(decided, group, tables)
            return
        for part in group.split(decided.thresholds()):
            few = decided._replace(
                enter=_few(decided.entering(part.run), CONDITIONS), stay=_few(decided.staying(part.run), 1)
            )
            yield part, self._written(few, part, tables)

    def enters_whole_slots(self, config: RunConfig) -> bool:
        """Return whether the strategy of a run decides by columns, and by none that are shares of a slot."""
        decide = strategy_plugin(config.strategy_mode).decide_columns
        return decide is not None and decide(config, self._columns).fractions is None

    def holding(self, tables: "TableList") -> WrittenDecisions:
        """Return the decisions of the hold baseline, and add the tables they need to `tables`."""
        return self._written(hold_over(self._columns), None, tables)

    def forget(self) -> None:
        """Forget tables, so that they do not pile up."""
        self._known.clear()
        self._decisions = Memo(_MOST_DECISIONS)
        self.cells = 0

    def _decided(self, group: DecisionGroup) -> ColumnDecisions:
        """Return the decisions of a group, those of one before that has the same of all that is read."""
        plugin = strategy_plugin(group.strategy)
        decide = plugin.decide_columns
        if decide is None:
            raise UnfitError(Reason.NO_COLUMN_DECISIONS)
        found: ColumnDecisions
        if plugin.decided_by is None:
            found = decide(group.run, self._columns)
        else:
            read = group.strategy, *map(group.value, plugin.decided_by)
            found = self._decisions.get(read, lambda: decide(group.run, self._columns))
        return found

    def _written(
        self, decided: ColumnDecisions, group: DecisionGroup | None, tables: "TableList"
    ) -> WrittenDecisions:
        enter = [self._asked(one, group, tables) for one in decided.enter or (self._everywhere(),)]
        columns = [one.table for one in enter]
        unused = CONDITIONS - len(enter)
        best = tables.column(self._best_table(enter[0].column))
        stays, stay_from = -1, _NOTHING
        if decided.stay:
            stay = self._asked(decided.stay[0], group, tables, stays=True)
            stays, stay_from = stay.table, stay.numbers
        order = share = -1
        places = 0
        if decided.order is not None and self._shape[0] > 1:
            order = tables.value(self._order_table(decided.order()))
        if decided.fractions is not None:
            shares = decided.fractions()
            share, places = tables.value(self._share_table(shares)), -shares.values.exponent
        names = (*columns, *columns[:1] * unused)
        entries = (*(one.numbers for one in enter), *(_ANY,) * unused)
        return WrittenDecisions(names, entries, best, stays, stay_from, order, share, places)

    def _asked(
        self,
        condition: Condition | Threshold,
        group: DecisionGroup | None,
        tables: "TableList",
        *,
        stays: bool = False,
    ) -> _Asked:
        """Return what a condition asks; of a threshold it is the same for all groups of a call."""
        key = None if isinstance(condition, Condition) else (stays, condition.parameter, condition.column)
        known = tables.asked.get(key)
        if known is None:
            narrow = condition if stays else self._narrow(condition, group)
            column = narrow.column
            table = tables.column(self._stay_table(column) if stays else self._entry_table(column))
            known = _Asked(column, table, self._reaching(narrow, group))
            if key is not None:
                tables.asked[key] = known
        return known

    def _narrow(self, condition: Condition | Threshold, group: DecisionGroup | None) -> Condition | Threshold:
        """Return a condition that holds at the same rows, where all trials ask one number of a wide column.

        Its rows are marked: no other number has to be told apart.
        """
        if isinstance(condition, Condition):
            return condition
        column, values = condition.column, _values(condition, group)
        if len(values) > 1 or self._kept("narrow", column, lambda: _is_narrow(column.values)):
            return condition
        reached = column.reaches(values[0])
        return self._kept(f"reaches {reached.least}", column, lambda: _where(reached.holds()))

    def _reaching(self, condition: Condition | Threshold, group: DecisionGroup | None) -> IntArray:
        """Return the number of a column from which a condition holds, for each trial of a call or for all."""
        column = condition.column
        if isinstance(condition, Condition):
            return np.array([self._ranked(column).reaching(condition.least)], dtype=np.int64)
        assert group is not None  # noqa: S101 - holding has no thresholds
        least = self._least(condition, group.values(condition.parameter))
        return least if len(least) == 1 else least[group.parameters.places[condition.parameter]]

    def _least(self, threshold: Threshold, values: Sequence[Decimal]) -> IntArray:
        """Return the numbers that reach the values of a parameter, which most calls have in common."""
        # A small batch is asked of the few values that it has, between others that are asked of all.
        column, key = threshold.column, (f"{threshold.parameter} {len(values)}", id(threshold.column))
        known = self._known.get(key)
        if known is None or (known[1][0] is not values and known[1][0] != values):
            ranked = self._ranked(column)
            numbers = [ranked.reaching(least) for least in self._whole(threshold, values)]
            known = self._known[key] = column, (values, np.array(numbers, dtype=np.int64))
        found: IntArray = known[1][1]
        return found

    def _whole(self, threshold: Threshold, values: Sequence[Decimal]) -> Sequence[int]:
        """Return the least whole numbers that reach values; columns of equal decimal places share them."""
        key = threshold.parameter, threshold.column.values.exponent
        known = self._wholes.get(key)
        if known is None or known[0] != values:
            known = self._wholes[key] = values, [threshold.column.least_at(value) for value in values]
        return known[1]

    def _everywhere(self) -> Condition:
        return self._kept("everywhere", self._rows, lambda: _where(np.ones(len(self._rows), dtype=np.bool_)))

    def _ranked(self, column: ThresholdColumn) -> _Ranked:
        return self._kept("ranked", column.values, lambda: _Ranked.of(column.values))

    def _entry_table(self, column: ThresholdColumn) -> Table32:
        return self._kept("entry", column, lambda: _by_event(self._entries(column)))

    def _stay_table(self, column: ThresholdColumn) -> Table32:
        return self._kept("stay", column, lambda: self._stays(column))

    def _best_table(self, column: ThresholdColumn) -> Table32:
        table = self._entry_table(column)
        if table.shape[1] == 1:
            return table
        return self._kept("best", column, lambda: table.max(axis=1))

    def _order_table(self, column: ThresholdColumn) -> IntArray:
        return self._kept("order", column, lambda: _by_event(self._orders(column)))

    def _share_table(self, column: ThresholdColumn) -> IntArray:
        return self._kept("share", column, lambda: _by_event(self._shares(column)))

    def _entries(self, column: ThresholdColumn) -> Table32:
        usable = self._decidable if column.known is None else self._decidable & column.known
        return self._spread(np.where(usable, self._ranked(column).numbers, NEVER), NEVER)

    def _stays(self, column: ThresholdColumn) -> Table32:
        numbers = self._ranked(column).numbers
        if column.known is not None:
            numbers = np.where(column.known, numbers, NEVER)
        return self._spread(np.where(self._decidable, numbers, ALWAYS), ALWAYS)

    def _spread(self, numbers: npt.NDArray[Any], elsewhere: int) -> Table32:
        """Return the table of a column of settlements, with `elsewhere` where pairs do not settle."""
        if len(self._rows) == self._shape[0] * self._shape[1]:
            return numbers.astype(np.int32).reshape(self._shape)
        table = np.full(self._shape, elsewhere, dtype=np.int32)
        table.ravel()[self._rows] = numbers
        return table

    def _orders(self, column: ThresholdColumn) -> IntArray:
        numbers = column.values.mantissas
        if numbers.dtype == object:
            numbers = np.unique(numbers, return_inverse=True)[1]
        return self._spread_values(np.asarray(numbers, dtype=np.int64))

    def _shares(self, column: ThresholdColumn) -> IntArray:
        numbers = column.values.mantissas
        if numbers.dtype == object or int(np.abs(numbers).max(initial=0)) >= _MOST_SHARE:
            raise UnfitError(Reason.RANGE)
        return self._spread_values(np.asarray(numbers, dtype=np.int64))

    def _spread_values(self, numbers: IntArray) -> IntArray:
        table = np.zeros(self._shape, dtype=np.int64)
        table.ravel()[self._rows] = numbers
        return table

    def _kept(self, kind: str, column: object, make: Callable[[], Made]) -> Made:
        """Return what `make` makes of a column, made once for as long as the column is known here."""
        key = kind, id(column)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = column, make()
            self.cells += getattr(known[1], "size", len(self._rows))
        return cast("Made", known[1])


def _at_settlements(window: ReplayWindow, columns: WindowColumns) -> dict[str, PairSeries]:
    """Return the columns of each pair at its settlements; those at all events where it settles at all."""
    return {
        symbol: every if every.settles.all() else window.series(symbol)
        for symbol, every in zip(columns.symbols, columns.series, strict=True)
    }


def _by_event(table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a table whose rows are events, in which the pairs that may be entered lie side by side."""
    return np.ascontiguousarray(table.T)


def _is_narrow(column: DecimalColumn) -> bool:
    """Return whether the whole values of a column are 32-bit numbers."""
    mantissas = column.mantissas
    return mantissas.dtype != object and int(np.abs(mantissas).max(initial=0)) <= _ROOM


def _values(threshold: Threshold, group: DecisionGroup | None) -> Sequence[Decimal]:
    assert group is not None  # noqa: S101 - holding has no thresholds
    return group.values(threshold.parameter)


def _few(conditions: Sequence[Condition], most: int) -> tuple[Condition, ...]:
    """Return conditions that hold where all of `conditions` do, at most `most` of them."""
    if len(conditions) <= most:
        return tuple(conditions)
    kept, rest = tuple(conditions[: most - 1]), tuple(conditions[most - 1 :])
    mask = np.logical_and.reduce([one.holds() for one in rest])
    return (*kept, _where(mask))


def _where(mask: BoolArray) -> Condition:
    """Return the condition that holds at the rows of `mask`."""
    return ThresholdColumn(DecimalColumn(mask.astype(np.int64), 0)).reaches(ONE)


class TableList:
    """The tables that the runs of one call name by their place, each once."""

    def __init__(self) -> None:
        self.cells = 0
        self.columns: list[Table32] = []
        self.values: list[IntArray] = []
        self.asked: dict[tuple[bool, str, ThresholdColumn] | None, _Asked] = {}
        self._places: dict[int, int] = {}

    def column(self, table: Table32) -> int:
        """Return the place of a table of conditions."""
        return self._place(self.columns, table)

    def value(self, table: IntArray) -> int:
        """Return the place of a table of orders or shares."""
        return self._place(self.values, table)

    def _place(self, tables: list[Any], table: npt.NDArray[Any]) -> int:
        place = self._places.get(id(table))
        if place is None:
            place = self._places[id(table)] = len(tables)
            tables.append(table)
            self.cells += table.size
        return place
