"""One metric over two axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from carrygrid import frames
from carrygrid.records import amount, read

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from carrygrid.trials import TrialColumns

Layer = Literal["cells", "trials", "counts"]


@dataclass(frozen=True, slots=True)
class Heatmap:
    """`cells[row][column]` belongs to `y_values[row]` and `x_values[column]`; None where nothing ran.

    `trials` has the number of the trial behind each cell, `counts` how many finished trials are behind it.
    """

    x: str
    x_values: Sequence[Any]
    y: str
    y_values: Sequence[Any]
    metric: str
    agg: str
    cells: Sequence[Sequence[Any]]
    trials: Sequence[Sequence[int | None]]
    counts: Sequence[Sequence[int]]

    @classmethod
    def of(cls, document: Mapping[str, Any], columns: TrialColumns) -> Heatmap:
        """Return the heatmap of a document."""
        x, y = document["x"], document["y"]
        return cls(
            x=x["name"],
            x_values=[read(columns.kind(x["name"]), value) for value in x["values"]],
            y=y["name"],
            y_values=[read(columns.kind(y["name"]), value) for value in y["values"]],
            metric=document["metric"],
            agg=document["agg"],
            cells=[[amount(value) for value in row] for row in document["cells"]],
            trials=document["trials"],
            counts=document["counts"],
        )

    def pandas(self, layer: Layer = "cells", *, exact: bool = True) -> pd.DataFrame:
        """Return a pandas frame with a row for each value of y and a column for each of x."""
        frame = frames.pandas_frame(self._columns(layer), exact=exact)
        frame.index = frames.pandas_index(self.y, self.y_values)
        frame.columns = frames.pandas_index(self.x, self.x_values)
        return frame

    def polars(self, layer: Layer = "cells", *, exact: bool = True) -> pl.DataFrame:
        """Return a polars frame: first the values of y as text, then a column for each value of x."""
        side = (self.y, "text", [_label(value) for value in self.y_values])
        return frames.polars_frame([side, *self._columns(layer)], exact=exact)

    def _columns(self, layer: Layer) -> frames.Columns:
        rows = getattr(self, layer)
        kind = _kind_of(value for row in rows for value in row)
        return [
            (_label(value), kind, [row[place] for row in rows]) for place, value in enumerate(self.x_values)
        ]


def _kind_of(values: Iterable[Any]) -> str:
    found = {type(value) for value in values}
    if Decimal in found:
        return "exact"
    return "real" if float in found else "whole"


def _label(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
