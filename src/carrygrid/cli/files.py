"""Files that commands read and write for their user: bounded ones, and never over one that is there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import InvalidInputError

MOST_BYTES = 8 * 1024 * 1024
"""As many as the API takes: a file without end would take all memory, and other processes with it."""

STANDARD = "-"
"""Name by which commands take standard input for a file to read, and standard output for one to write."""


def read_text(path: Path, option: str | None = None) -> str:
    """Return the text of a file of up to `MOST_BYTES` that the command line names, as an `option` perhaps.

    `STANDARD` is standard input. Raises: InvalidInputError naming the file.
    """
    try:
        content = _beginning(path)
        if len(content) <= MOST_BYTES:
            return content.decode("utf-8-sig")
        why = f"is larger than {MOST_BYTES:,} bytes"
    except OSError as error:
        why = error.strerror or "cannot be read"
    except UnicodeDecodeError:
        why = "is no UTF-8 text"
    if option is None:
        raise InvalidInputError.of(str(path), why)
    raise InvalidInputError.of(option, f"{path}: {why}")


def _beginning(path: Path) -> bytes:
    if str(path) == STANDARD:
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


@contextmanager
def output(path: Path, *, force: bool, option: str = "--output") -> Iterator[Path]:
    """Give `path` if a file may be written there; raises InvalidInputError naming it, also if writing fails.

    A file takes the place of what is there: that of a device or a pipe would be lost to all.
    """
    if path.exists() and not path.is_file():
        raise InvalidInputError.of(option, f"{path} is no file")
    if path.exists() and not force:
        raise InvalidInputError.of(option, f"{path} is there already; --force replaces it")
    if not path.parent.is_dir():
        raise InvalidInputError.of(option, f"{path}: there is no folder {path.parent}")
    try:
        yield path
    except OSError as error:
        raise InvalidInputError.of(option, f"{path}: {error.strerror or error}") from None
