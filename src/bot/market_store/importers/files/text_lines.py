"""Lines of an untrusted file: plain or gzip, bounded in length and in total."""

import gzip
import io
import itertools
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from bot.errors import DataImportError
from bot.market.rules import RowDamagedError, RowRefusedError

MAX_LINE_BYTES = 64 * 1024
MAX_FILE_BYTES = 1024**3
MAX_LINES = 6_000_000
"""More than eleven years of minutes; a small archive can unpack to any number."""
MAX_SETTLEMENT_LINES = 250_000
"""More than twenty-eight years of hours; each takes more memory than a candle."""
MAX_REFUSALS_KEPT = 1000
_REPORT_EVERY = 4096

Progress = Callable[[int, int], None]
"""Called with the bytes of the file that are done, and all of them."""

LineStream = io.BufferedReader | gzip.GzipFile | zipfile.ZipExtFile


@dataclass(frozen=True, slots=True)
class Refusal:
    """One line that was not imported, and why."""

    line: int
    reason: str


@dataclass(slots=True)
class RefusalLog:
    """All refusals counted, the first of them kept; `damaged` counts those that cannot be read at all."""

    count: int = 0
    damaged: int = 0
    first_damage: Refusal | None = None
    kept: list[Refusal] = field(default_factory=list)

    def add(self, line: int, reason: str) -> None:
        """Record one refused line."""
        self.add_all(1, [(line, reason)])

    def add_damage(self, line: int, reason: str) -> None:
        """Record one line that cannot be read."""
        self.add(line, reason)
        self.damaged += 1
        self.first_damage = self.first_damage or Refusal(line, reason)

    def add_error(self, line: int, error: RowRefusedError) -> None:
        """Record the line that an error refuses."""
        record = self.add_damage if isinstance(error, RowDamagedError) else self.add
        record(line, str(error))

    def add_all(self, count: int, reasons: Iterable[tuple[int, str]]) -> None:
        """Record `count` refused lines, of which some have reasons."""
        self.count += count
        room = MAX_REFUSALS_KEPT - len(self.kept)
        self.kept.extend(itertools.starmap(Refusal, itertools.islice(reasons, room)))


@dataclass(slots=True)
class TextLines:
    """The lines of an open file, numbered from 1; what cannot be read as text goes to `refusals`."""

    name: str
    stream: LineStream
    refusals: RefusalLog
    report: Callable[[], None]
    number: int = 0
    _bytes_read: int = 0

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield (line number, text without its end); blank lines are left out."""
        return self.at_most(MAX_LINES)

    def at_most(self, most: int) -> Iterator[tuple[int, str]]:
        """Yield the same; raises DataImportError after `most` lines."""
        while raw := self._next_line():
            if self.number > most:
                raise DataImportError(f"{self.name} has more than {most:,} lines; split it")
            if self.number % _REPORT_EVERY == 0:
                self.report()
            try:
                text = raw.decode("utf-8-sig" if self.number == 1 else "ascii").rstrip("\r\n")
            except UnicodeDecodeError as error:
                self.refusals.add_damage(self.number, f"byte {raw[error.start]:#04x} is not text")
                continue
            if text:
                yield self.number, text

    def skip(self, count: int) -> None:
        """Pass over the next lines, whatever is in them."""
        for _ in range(count):
            self.number += 1
            self._skip_rest_of_line(self._read())

    def _next_line(self) -> bytes:
        self.number += 1
        try:
            raw = self._read()
            while len(raw) > MAX_LINE_BYTES:
                self.refusals.add_damage(self.number, f"the line is longer than {MAX_LINE_BYTES} bytes")
                self._skip_rest_of_line(raw)
                self.number += 1
                raw = self._read()
        except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
            self.refusals.add_damage(self.number, f"the compressed file is damaged from here on: {error}")
            return b""
        except OSError as error:
            raise DataImportError(f"{self.name}:{self.number} cannot be read: {error.strerror}") from None
        return raw

    def _skip_rest_of_line(self, raw: bytes) -> None:
        while raw and not raw.endswith(b"\n"):
            raw = self._read()

    def _read(self) -> bytes:
        raw = self.stream.readline(MAX_LINE_BYTES + 1)
        self._bytes_read += len(raw)
        if self._bytes_read > MAX_FILE_BYTES:
            raise DataImportError(f"{self.name} is larger than {MAX_FILE_BYTES // 1024**2} MiB; split it")
        return raw
