"""Tables for a terminal and for a pipe."""

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

_PIPE_WIDTH = 160


def console() -> Console:
    """Return the console of standard output; in a pipe it is wide enough to cut nothing."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def showable(text: str) -> Text:
    """Return text as a cell of a table, with substitutes for what standard output cannot encode.

    Tables are measured before they are encoded: substitutes that come later would push columns apart.
    """
    encoding, errors = sys.stdout.encoding or "utf-8", sys.stdout.errors or "strict"
    return Text(text.encode(encoding, errors).decode(encoding))


def plain_table(*columns: str, numbers: tuple[str, ...] = (), title: str | None = None) -> Table:
    """Return a table without a frame: `columns` to the left, then `numbers` to the right."""
    table = Table(
        *columns,
        box=None,
        pad_edge=False,
        collapse_padding=True,
        title=title,
        title_justify="left",
        header_style="bold dim",
    )
    for name in numbers:
        table.add_column(name, justify="right")
    return table
