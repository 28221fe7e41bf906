"""Files that commands write for their user: never over one that is there, unless told to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import InvalidInputError


@contextmanager
def output(path: Path, *, force: bool, option: str = "--output") -> Iterator[Path]:
    """Give `path` if it may be written; raises InvalidInputError naming it, also if writing fails."""
    if path.exists() and not force:
        raise InvalidInputError.of(option, f"{path} is there already; --force replaces it")
    try:
        yield path
    except OSError as error:
        raise InvalidInputError.of(option, f"{path}: {error.strerror or error}") from None
