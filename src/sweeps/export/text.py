"""Rows as text: CSV that no spreadsheet takes for formulas, and JSON lines."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import orjson

from bot.numbers.money import plain
from sweeps.export.pages import Field, Page
from sweeps.storage.states import TrialState

_FORMULA_STARTS = (*"=+-@", *"\uff1d\uff0b\uff0d\uff20", "\t", "\r", "\n")
"""The wide forms of the first four mean the same to a spreadsheet in East Asia."""

_AS_THEY_ARE = {int, float, type(None)}


def csv_header(fields: Sequence[Field]) -> bytes:
    """Return the line of column names."""
    return _csv_lines([[field.name for field in fields]])


def csv_page(page: Page) -> bytes:
    """Return one line a trial; numbers stay numbers, text that could start a formula gets an apostrophe."""
    return _csv_lines(zip(*map(_cells, page), strict=True))


def json_page(fields: Sequence[Field], page: Page) -> bytes:
    """Return one JSON object a trial and line, exact amounts as text."""
    lines = (orjson.dumps(_document(fields, row), default=_exact) for row in zip(*page, strict=True))
    return b"".join(line + b"\n" for line in lines)


def _csv_lines(rows: Iterable[Iterable[Any]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def _cells(column: Sequence[Any]) -> Sequence[Any]:
    """Return the cells of a column; most hold numbers alone, and are asked once for all of them."""
    kinds = set(map(type, column))
    if kinds <= _AS_THEY_ARE:
        return column
    return list(map(plain if kinds == {Decimal} else _cell, column))


def _cell(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _document(fields: Sequence[Field], row: tuple[Any, ...]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for field, value in zip(fields, row, strict=True):
        if field.group is None:
            document[field.name] = value
        else:
            document.setdefault(field.group, {})[field.source] = value
    document.setdefault("params", {})
    if document["state"] != TrialState.COMPLETED:
        document["metrics"] = None
    return document


def _exact(value: Any) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    raise TypeError(type(value).__name__)
