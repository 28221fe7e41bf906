"""How tables look on a terminal and in a pipe."""

import sys

from rich.console import Console
from rich.table import Table

_PIPE_WIDTH = 160


def console() -> Console:
    """Return the console of standard output; in a pipe it is wide enough to cut nothing."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


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
