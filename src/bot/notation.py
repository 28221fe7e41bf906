"""Text of values: decimals in plain notation, and refused values as messages quote them."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

ABSENT = "–"
"""Sign where a value is undefined, on pages and in commands; terminals without it get a hyphen."""

NOT_APPLICABLE = "n/a"
"""Sign where a parameter does not apply to a trial."""

LONGEST_QUOTE = 200
_WIDEST_PLAIN = 40


def plain(number: Decimal) -> str:
    """Return the canonical text of `number`: plain notation, no trailing zeros, no negative zero."""
    if not number:
        return "0"
    text = str(number)
    if "E" in text:
        text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def text_of(value: Any) -> str:
    """Return a JSON value of a parameter as one line of text, an empty list as `[]`."""
    if isinstance(value, list | tuple) and not value:
        return "[]"
    if isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        return "; ".join(text_of(item) for item in value)
    if isinstance(value, list | tuple):
        return ",".join(str(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {text_of(item)}" for name, item in value.items() if item is not None)
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value)


_WORDS_OF_JSON = {None: "null", True: "true", False: "false"}


def quoted(value: object) -> str:
    """Return a refused value for a message, as JSON: text in quotes, numbers plain, everything cut to a line.

    Its cost does not grow with the value: of what is longer than `LONGEST_QUOTE` characters the beginning is
    shown, and how much there is.
    """
    text = ""
    for piece in _pieces(value):
        text += piece
        if len(text) > LONGEST_QUOTE:
            return f"{text[:LONGEST_QUOTE]}... ({_size(value)})"
    return text


def is_printable(text: str) -> bool:
    """Return whether `text` can be shown as it is, joiners of emoji and of Persian letters included."""
    shown = text.replace("\u200c", "").replace("\u200d", "")
    return shown.isprintable() and bool(shown) == bool(text)


def _pieces(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield _text(value[: LONGEST_QUOTE + 1])
    elif isinstance(value, Decimal):
        yield _number(value)
    elif isinstance(value, list | tuple):
        yield "["
        for index, member in enumerate(value):
            yield ", " if index else ""
            yield from _pieces(member)
        yield "]"
    elif isinstance(value, dict):
        yield "{"
        for index, (name, member) in enumerate(value.items()):
            yield ", " if index else ""
            yield from _pieces(name)
            yield ": "
            yield from _pieces(member)
        yield "}"
    elif value is None or isinstance(value, bool):
        yield _WORDS_OF_JSON[value]
    else:
        yield repr(value)


def _text(value: str) -> str:
    """Return text as JSON writes it, with an escape for what cannot be printed."""
    written = json.dumps(value, ensure_ascii=False)
    return written if written.isprintable() else "".join(map(_escaped, written))


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _number(value: Decimal) -> str:
    fits = value.is_finite() and abs(value.adjusted()) < _WIDEST_PLAIN
    return plain(value) if fits else str(value)


def _size(value: object) -> str:
    if isinstance(value, list | tuple | dict):
        return f"{len(value):,} members"
    return f"{len(value if isinstance(value, str) else str(value)):,} characters"
