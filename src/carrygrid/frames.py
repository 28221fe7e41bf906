"""Columns as frames of pandas and polars, neither of which is needed for anything else."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Columns = Sequence[tuple[str, str, list[Any]]]
"""Name, kind and values of each column; the kinds are those of `tables.Kind`."""

_PANDAS = {
    "exact": "object",
    "whole": "Int64",
    "real": "float64",
    "text": "string",
    "flag": "boolean",
    "time": "datetime64[ms, UTC]",
}
_POLARS_DIGITS = 38


def pandas_frame(columns: Columns, *, exact: bool) -> pd.DataFrame:
    """Return a pandas frame; raises ImportError with the remedy if there is no pandas."""
    pandas = _library("pandas")
    series = {
        name: pandas.Series(_fitting(values, kind), dtype=_PANDAS[_stored(kind, exact=exact)])
        for name, kind, values in columns
    }
    return pandas.DataFrame(series)


def pandas_index(name: str, values: Sequence[Any]) -> pd.Index:
    """Return a pandas index of one axis."""
    return _library("pandas").Index(list(values), name=name)


def polars_frame(columns: Columns, *, exact: bool) -> pl.DataFrame:
    """Return a polars frame; raises ImportError with the remedy if there is no polars."""
    polars: Any = _library("polars")
    kinds = {
        "whole": polars.Int64,
        "real": polars.Float64,
        "text": polars.String,
        "flag": polars.Boolean,
        "time": polars.Datetime("ms", "UTC"),
    }
    series = []
    for name, kind, values in columns:
        stored = _stored(kind, exact=exact)
        dtype = polars.Decimal(_POLARS_DIGITS, _places(values)) if stored == "exact" else kinds[stored]
        series.append(polars.Series(name, _fitting(values, stored), dtype=dtype))
    frame: pl.DataFrame = polars.DataFrame(series)
    return frame


def _stored(kind: str, *, exact: bool) -> str:
    return "real" if kind == "exact" and not exact else kind


def _fitting(values: list[Any], kind: str) -> list[Any]:
    if kind != "real":
        return values
    return [None if value is None else float(value) for value in values]


def _places(values: list[Any]) -> int:
    return max((max(-value.as_tuple().exponent, 0) for value in values if value is not None), default=0)


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise ImportError(f"frames of {name} need it: pip install carrygrid[{name}]", name=name) from None
