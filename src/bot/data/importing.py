"""Import of files and folders of market data, recognised by content."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.data.importers.formats import recognised
from bot.data.importers.hints import Hints
from bot.data.importers.source import open_source
from bot.data.importers.text_lines import Progress, Refusal, RefusalLog
from bot.data.merging import MergeResult
from bot.data.provenance import Provenance
from bot.data.rows import SeriesKey
from bot.data.store import HistoricalDataStore
from bot.data.symbols import exchange_name
from bot.errors import DamagedFileError, DataImportError, InvalidInputError
from bot.wording import counted

NOTHING_SAID = Hints()


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file: `refused` counts all refused rows, `refusals` lists the first of them."""

    name: str
    format: str
    symbol: str
    kind: str
    timeframe_ms: int
    rows_read: int
    new: int
    already_there: int
    refused: int
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """An entry of a folder of which nothing was imported, and why: no market data, or damaged."""

    name: str
    reason: str
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of all files."""

    files: tuple[FileReport, ...]
    skipped: tuple[SkippedFile, ...]

    @property
    def damaged(self) -> tuple[SkippedFile, ...]:
        """Return the files that could not be imported because they are damaged."""
        return tuple(skipped for skipped in self.skipped if skipped.damaged)

    @property
    def rows_read(self) -> int:
        """Return the rows of all files, refused ones included."""
        return sum(file.rows_read for file in self.files)

    @property
    def new(self) -> int:
        """Return how many rows were added."""
        return sum(file.new for file in self.files)

    @property
    def already_there(self) -> int:
        """Return how many rows were held already, with equal values."""
        return sum(file.already_there for file in self.files)

    @property
    def refused(self) -> int:
        """Return how many rows were refused."""
        return sum(file.refused for file in self.files)


def import_path(
    store: HistoricalDataStore,
    path: Path,
    exchange: str,
    progress: Progress | None = None,
    hints: Hints = NOTHING_SAID,
) -> ImportReport:
    """Import a file, or the files of a folder, each in one transaction.

    Doing it again changes nothing.
    Raises: DataImportError if nothing there is market data; InvalidInputError for `path` or `exchange`.
    """
    exchange_name(exchange)
    if path.is_file():
        return ImportReport((import_file(store, path, exchange, progress, hints),), ())
    if not path.is_dir():
        raise InvalidInputError.of("path", f"{str(path)!r} is neither a file nor a folder")
    return _import_folder(store, path, exchange, progress, hints)


def import_file(
    store: HistoricalDataStore,
    path: Path,
    exchange: str,
    progress: Progress | None = None,
    hints: Hints = NOTHING_SAID,
) -> FileReport:
    """Import one file in one transaction: rows that break a rule are reported, the others stored.

    Raises: DataImportError if it is no market data; DamagedFileError, with nothing stored, if lines of it
    cannot be read, unless the hints ask for the readable ones.
    """
    with open_source(path, progress, alone=hints.alone) as source, _naming(path.name):
        known = recognised(source, hints)
        parsed = known.parse(source, hints)
        refusals = source.lines.refusals
    if refusals.damaged and not hints.keep_readable:
        raise _damaged(path.name, refusals)
    content = parsed.content
    key = SeriesKey(exchange, content.symbol, content.kind, content.timeframe_ms)
    unreadable = refusals.count
    provenance = Provenance.of(path.name, parsed.rows.times, parsed.jitter_ms, unreadable)
    merged = store.merge(key, parsed.rows, provenance=provenance)
    refusals.add_all(merged.refused, [(int(parsed.lines[row]), why) for row, why in merged.reasons])
    return FileReport(
        name=path.name,
        format=known.name,
        symbol=content.symbol,
        kind=content.kind.value,
        timeframe_ms=content.timeframe_ms,
        rows_read=len(parsed.rows) + unreadable,
        new=merged.new,
        already_there=merged.already_there,
        refused=refusals.count,
        refusals=tuple(sorted(refusals.kept, key=lambda refusal: refusal.line)),
        notes=(*parsed.notes, *_put_right(provenance), *_reinferred(merged)),
    )


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Let every refusal say which file it speaks of, also where a market or a number was refused."""
    try:
        yield
    except DataImportError as error:
        if name in error.message:
            raise
        raise type(error)(f"{name}: {error.message}") from None


def _damaged(name: str, refusals: RefusalLog) -> DamagedFileError:
    first = refusals.first_damage
    where = name if first is None else f"{name}:{first.line}: {first.reason}"
    lines = counted(refusals.damaged, "line")
    return DamagedFileError(
        f"{where}; {lines} cannot be read, so nothing of the file was imported "
        "(--keep-readable imports the others)"
    )


def _put_right(done: Provenance) -> Iterator[str]:
    if done.snapped:
        settlements = counted(done.snapped, "settlement was", "settlements were")
        yield f"{settlements} up to {done.max_jitter_ms} ms off the hour and snapped to it"
    if done.duplicates:
        yield f"{counted(done.duplicates, 'row repeats', 'rows repeat')} the time of another"
    if done.out_of_order:
        yield f"{counted(done.out_of_order, 'row was', 'rows were')} not in order and had to be sorted"


def _reinferred(merged: MergeResult) -> Iterator[str]:
    if merged.reinferred:
        held = counted(merged.reinferred, "settlement")
        yield f"the funding interval of {held} held before is another one, now that its neighbours are held"


def _import_folder(
    store: HistoricalDataStore, folder: Path, exchange: str, progress: Progress | None, hints: Hints
) -> ImportReport:
    files, skipped = [], []
    entries = sorted(folder.iterdir())
    sizes = {entry: entry.stat().st_size for entry in entries if _regular(entry)}
    advance = _Advance(progress, sum(sizes.values()))
    for entry in entries:
        shown = entry.name if entry.name.isprintable() else f"{entry.name!a}"
        if entry not in sizes:
            skipped.append(SkippedFile(shown, "is not a regular file"))
            continue
        try:
            files.append(import_file(store, entry, exchange, advance.of_file, hints))
        except DataImportError as error:
            damaged = isinstance(error, DamagedFileError)
            skipped.append(SkippedFile(shown, error.message, damaged))
        advance.finish(sizes[entry])
    if not files:
        why = f": {skipped[0].reason}" if skipped else " such as BTCUSDT-funding.csv"
        raise DataImportError(f"{folder} holds no market data{why}")
    return ImportReport(tuple(files), tuple(skipped))


def _regular(entry: Path) -> bool:
    return entry.is_file() and not entry.is_symlink()


@dataclass(slots=True)
class _Advance:
    progress: Progress | None
    total: int
    finished: int = 0

    def of_file(self, done: int, _file_total: int) -> None:
        if self.progress:
            self.progress(self.finished + done, self.total)

    def finish(self, size: int) -> None:
        self.finished += size
        self.of_file(0, size)
