"""Files that appear under their name only once they are whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole(target: Path) -> Iterator[BinaryIO]:
    """Open a file to write that takes the name, and the place, of `target` at the end; not after an error.

    A symbolic link stays, and what it points to is written. Raises: OSError.
    """
    target = target.resolve()
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
