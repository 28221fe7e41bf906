"""One file to import: unpacked by content, and what its name and surroundings say."""

import gzip
import io
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.errors import DataImportError, NoMarketDataError
from bot.market_store.importers.files.archives import UNREADABLE, sole_member
from bot.market_store.importers.files.text_lines import (
    MAX_FILE_BYTES,
    MAX_LINES,
    LineStream,
    Progress,
    RefusalLog,
    TextLines,
)
from bot.notation import quoted

MAX_DOCUMENT_BYTES = 256 * 1024**2
MAX_DOCUMENT_VALUES = 8_000_000
"""Most commas and brackets of a JSON file: each value takes far more memory than its text."""
_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK\x03\x04"
_DIGITS_OF_A_FLOAT = 16
_HEAD_BYTES = 8192
_FOLDERS_THAT_HINT = 6
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)
"""Flag by which a pipe nobody writes to is refused, not waited for."""
_WITHOUT_LINKS = getattr(os, "O_NOFOLLOW", 0)


@dataclass(slots=True)
class Source:
    """An open file of unknown format: `name` is the file's, `stem` what it holds, without endings.

    `places` are the lower-case names around it that may say what it is: file, archive and folders. `notes`
    collect what was assumed about all of it.
    """

    name: str
    stem: str
    places: tuple[str, ...]
    lines: TextLines
    head: bytes
    notes: list[str] = field(default_factory=list)
    _document: list[Any] = field(default_factory=list)

    @property
    def first_line(self) -> str:
        """Return the first line of text that is not blank, empty if there is none."""
        return next(filter(None, self.first_lines()), "")

    def first_lines(self) -> Iterator[str]:
        """Yield the first lines, without their ends; what is not text is replaced."""
        for number, line in enumerate(self.head.split(b"\n")):
            yield line.decode("utf-8" if number else "utf-8-sig", "replace").rstrip("\r")

    def rows(self, most: int = MAX_LINES, *, skip: int = 0) -> Iterator[tuple[int, str]]:
        """Return the lines after the header, before which `skip` lines may say anything.

        Raises: DataImportError if there are more than `most`.
        """
        self.lines.skip(skip)
        lines = self.lines.at_most(most)
        next(lines, None)
        return lines

    def content(self) -> bytes:
        """Return all bytes; raises DataImportError if they cannot be read or are too many."""
        try:
            data = self.lines.stream.read(MAX_DOCUMENT_BYTES + 1)
        except UNREADABLE as error:
            raise DataImportError(f"{self.name} cannot be read: {error}") from None
        if len(data) > MAX_DOCUMENT_BYTES:
            raise _too_large(self.name, MAX_DOCUMENT_BYTES)
        return data

    def document(self) -> Any:
        """Return the JSON document, numbers as text; None if it does not look like JSON.

        Raises: DataImportError naming the line if it is damaged.
        """
        if self.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"[", b"{"}:
            return None
        if not self._document:
            self._document.append(self._parsed())
        return self._document[0]

    def _parsed(self) -> Any:
        content = self.content()
        if sum(content.count(mark) for mark in (b",", b"[", b"{")) > MAX_DOCUMENT_VALUES:
            raise DataImportError(f"{self.name} holds more than {MAX_DOCUMENT_VALUES:,} values; split it")
        try:
            return json.loads(content, parse_float=_shortest, parse_int=str, parse_constant=str)
        except json.JSONDecodeError as error:
            raise DataImportError(f"{self.name}:{error.lineno}: the JSON is damaged: {error.msg}") from None
        except (UnicodeDecodeError, RecursionError):
            raise DataImportError(f"{self.name} is no JSON of market data") from None


@contextmanager
def open_source(path: Path, progress: Progress | None = None, *, alone: bool = False) -> Iterator[Source]:
    """Open a plain, gzip or zip file, told apart by content; the folders of one that is `alone` say nothing.

    Links are followed, except by one that is `alone`, which a service has written itself.

    Raises: DataImportError if it cannot be read.
    """
    if not path.name.isprintable():
        # Not every store and terminal takes such a name, and it could pretend to be lines of a report.
        raise DataImportError(
            f"{quoted(path.name)} has characters in its name that cannot be shown; rename it"
        )
    with _opened(path, _WITHOUT_WAITING | (_WITHOUT_LINKS if alone else 0)) as file:
        inner, stream = _unpacked(path.name, file)
        total = os.fstat(file.fileno()).st_size
        if stream is file and total > MAX_FILE_BYTES:
            raise _too_large(path.name, MAX_FILE_BYTES)

        def report() -> None:
            if progress and not file.closed:
                progress(min(file.tell(), total), total)

        folders = path.absolute().parts[-1 if alone else -_FOLDERS_THAT_HINT - 1 :]
        places = tuple(place.lower() for place in (inner, *reversed(folders)))
        lines = TextLines(path.name, stream, RefusalLog(), report)
        yield Source(path.name, _stem(inner), places, lines, _head(path.name, stream))
        report()


def _opened(path: Path, flags: int) -> io.BufferedReader:
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | flags), "rb")
    except (OSError, ValueError) as error:
        raise DataImportError(f"{path} cannot be read: {_why(error)}") from None
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise DataImportError(f"{path} is not a regular file")


def _unpacked(name: str, file: io.BufferedReader) -> tuple[str, LineStream]:
    try:
        magic = file.peek(4)[:4]
    except OSError as error:
        raise DataImportError(f"{name} cannot be read: {_why(error)}") from None
    if magic.startswith(_GZIP_MAGIC):
        return name.removesuffix(".gz"), gzip.GzipFile(fileobj=file)
    return sole_member(name, file) if magic == _ZIP_MAGIC else (name, file)


def _head(name: str, stream: LineStream) -> bytes:
    try:
        return stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    except UNREADABLE as error:
        why = f"its compressed content cannot be read: {error}"
        raise NoMarketDataError(f"{name} is no market data: {why}") from None


def _stem(name: str) -> str:
    for ending in (".gz", ".csv", ".json", ".feather"):
        name = name.removesuffix(ending)
    return name


def _too_large(name: str, most_bytes: int) -> DataImportError:
    return DataImportError(f"{name} is larger than {most_bytes // 1024**2} MiB; split it")


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _shortest(text: str) -> str:
    # More than 16 digits come from a binary float written out in full; its shortest text is what was meant.
    return text if len(text) <= _DIGITS_OF_A_FLOAT else repr(float(text))
