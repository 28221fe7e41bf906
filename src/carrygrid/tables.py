"""Records with named, typed columns: a sequence in Python, a frame in pandas or polars.

| column     | records  | pandas                                  | polars               |
|------------|----------|-----------------------------------------|----------------------|
| exact      | Decimal  | object of Decimal, or float64           | Decimal, or Float64  |
| whole      | int      | Int64                                   | Int64                |
| real       | float    | float64, NaN where undefined            | Float64              |
| text       | str      | string                                  | String               |
| flag       | bool     | boolean                                 | Boolean              |
| time       | datetime | datetime64 with milliseconds, UTC       | Datetime, UTC        |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from carrygrid import frames

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Record_co = TypeVar("Record_co", covariant=True)


class Kind(StrEnum):
    """Kind of the values of a column; every value may be absent."""

    EXACT = "exact"
    WHOLE = "whole"
    REAL = "real"
    TEXT = "text"
    FLAG = "flag"
    TIME = "time"


class Column(NamedTuple):
    """A column by name, and what it holds."""

    name: str
    kind: Kind


class Table(Sequence[Record_co], Generic[Record_co]):
    """A sequence of records that can become a frame; `cells` gives a record's values, one a column."""

    def __init__(
        self,
        records: Sequence[Record_co],
        columns: Sequence[Column],
        cells: Callable[[Record_co], Sequence[Any]],
    ) -> None:
        self._records = tuple(records)
        self._cells = cells
        self.columns = tuple(columns)

    @overload
    def __getitem__(self, index: int) -> Record_co: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record_co]: ...
    def __getitem__(self, index: int | slice) -> Record_co | Sequence[Record_co]:
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        rows = "row" if len(self) == 1 else "rows"
        return f"<Table of {len(self)} {rows}: {', '.join(column.name for column in self.columns)}>"

    def pandas(self, *, exact: bool = True) -> pd.DataFrame:
        """Return a pandas frame; with `exact` off amounts are floats, quicker and fit for plots."""
        return frames.pandas_frame(self._by_column(), exact=exact)

    def polars(self, *, exact: bool = True) -> pl.DataFrame:
        """Return a polars frame; with `exact` off amounts are floats."""
        return frames.polars_frame(self._by_column(), exact=exact)

    def _by_column(self) -> frames.Columns:
        rows = [self._cells(record) for record in self._records]
        return [
            (column.name, column.kind.value, [row[place] for row in rows])
            for place, column in enumerate(self.columns)
        ]
