"""The table of trials on a terminal and in a pipe: headings wrap, numbers are never cut."""

import re
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from carrygrid.cli.printing import console, showable

_ANY_WIDTH = 100_000
_MOST_TEXT = 40
_PIECES = re.compile(r"[^_ ]+_?| ")


def print_trials(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print `rows`; where they are wider than the terminal, headings take several lines."""
    out = console()
    table = _table(title, headings, rows)
    if _width(out, table) > out.width:
        columns = zip(*rows, strict=True)
        narrow = [
            wrapped(heading, max(map(len, cells))) for heading, cells in zip(headings, columns, strict=True)
        ]
        table = _table(title, narrow, rows)
    out.width = max(out.width, _width(out, table))
    out.print(table)


def wrapped(heading: str, width: int) -> str:
    """Return `heading` in lines of up to `width` characters, broken after underscores and at spaces."""
    lines = [""]
    for piece in _PIECES.findall(heading):
        if lines[-1] and len((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return "\n".join(line.rstrip() for line in lines if line)


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading, cells in zip(headings, zip(*rows, strict=True), strict=True):
        long = max(map(len, cells)) > _MOST_TEXT
        table.add_column(
            Text(heading),
            justify="right",
            no_wrap=not long,
            max_width=_MOST_TEXT if long else None,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*map(showable, row))
    return table


def _width(out: Console, table: Table) -> int:
    return Measurement.get(out, out.options.update(max_width=_ANY_WIDTH), table).maximum
