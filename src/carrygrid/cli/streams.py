"""The standard streams of the process: open, whatever its parent closed, and able to print any text."""

import codecs
import json
import os
import select
import sys
from typing import Any, TextIO

_LAST_STANDARD_DESCRIPTOR = 2
_SUBSTITUTES = "carrygrid.substitutes"
_ASCII = {
    **dict.fromkeys("─━═╌╴╶╸╺╼╾‐‑‒–—−", "-"),
    **dict.fromkeys("│┃║", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰┏┓┗┛┣┫┳┻╋╞╡╪╔╗╚╝╠╣╦╩╬╇╈╟╢", "+"),
    **dict.fromkeys("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏•●", "*"),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”", '"'),
    **dict.fromkeys("\u00a0\u202f\u2009", " "),
    "…": "...",
    "·": ".",
    "×": "x",
    "≤": "<=",
    "≥": ">=",
    "→": "->",
}
"""Stand-ins for frames, bars and typography on a terminal that has none; letters are escaped instead."""


def make_ready() -> None:
    """Open the standard streams that are closed on nothing, and let no character stop output.

    Otherwise the next file that is opened, the database perhaps, would take the number of a closed one.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _LAST_STANDARD_DESCRIPTOR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as the process
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    codecs.register_error(_SUBSTITUTES, _substitutes)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors=_SUBSTITUTES)  # type: ignore[union-attr]


def json_text(document: Any, *, indent: int | None = None) -> str:
    """Return JSON for standard output, letters beyond ASCII as they are if its encoding has all of them."""
    has_all = codecs.lookup(sys.stdout.encoding or "utf-8").name == "utf-8"
    return json.dumps(document, ensure_ascii=not has_all, indent=indent)


def silence(stream: TextIO) -> None:
    """Discard everything written to `stream` from now on, its buffer included."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # no file at all, as in a test
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def has_no_reader(stream: TextIO) -> bool:
    """Return whether `stream` is a pipe whose other end is closed."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
    except (OSError, ValueError):
        return False
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _substitutes(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = "".join(_ASCII.get(each) or _escaped(each) for each in error.object[error.start : error.end])
    return text, error.end


def _escaped(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode("ascii")
