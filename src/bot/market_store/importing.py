"""Import of files and folders of market data, recognised by content."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.errors import (
    DamagedFileError,
    DataImportError,
    InvalidInputError,
    NoMarketDataError,
    SymbolNotAskedError,
)
from bot.market.merging import MergeResult
from bot.market.records.fields import RecordRefusedError
from bot.market.records.kinds import RecordKey
from bot.market.rows import SeriesKey
from bot.market.symbols import exchange_name
from bot.market_store.import_reports import FileReport, ImportReport, SeriesReport, SkippedFile
from bot.market_store.importers.files.folders import folder_content
from bot.market_store.importers.files.source import open_source
from bot.market_store.importers.files.text_lines import Progress, Refusal, RefusalLog
from bot.market_store.importers.formats import check_exchange, recognised
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.markets import ParsedRecords, Recorded, RefusedMarket
from bot.market_store.importers.parsing import Parsed
from bot.market_store.provenance import Provenance
from bot.market_store.store import HistoricalDataStore
from bot.notation import quoted
from bot.plurals import counted

_DATA_ENDINGS = (".csv", ".tsv", ".json", ".jsonl", ".zip", ".gz", ".feather", ".arrow", ".parquet", ".xlsx")
"""File extensions of likely market data: such files are reported where they are skipped."""
_REFUSALS_KEPT = 20_000
"""Refused rows that the report of a folder names, however many files it has; of later files the first few."""
_FEWEST_REFUSALS = 5
NO_OPTIONS = ImportOptions()


def import_path(
    store: HistoricalDataStore,
    path: Path,
    exchange: str,
    progress: Progress | None = None,
    options: ImportOptions = NO_OPTIONS,
) -> ImportReport:
    """Import a file, or the files of a folder and of the folders in it; links are followed.

    Each series of a file is one transaction; doing it again changes nothing.
    Raises: DataImportError if nothing there is market data; InvalidInputError for `path` or `exchange`.
    """
    exchange_name(exchange)
    if path.is_file():
        return ImportReport((import_file(store, path, exchange, progress, options),), ())
    if not path.is_dir():
        raise InvalidInputError.of("path", f"{quoted(str(path))} is neither a file nor a folder")
    return _import_folder(store, path, exchange, progress, replace(options, selecting=bool(options.symbols)))


def import_file(
    store: HistoricalDataStore,
    path: Path,
    exchange: str,
    progress: Progress | None = None,
    options: ImportOptions = NO_OPTIONS,
    name: str | None = None,
) -> FileReport:
    """Import one file, each series of it in one transaction: rows that break a rule are reported, not stored.

    It is called `name` in the report, by its own name if left out.
    Raises: DataImportError if it is no market data; DamagedFileError, with nothing stored, if lines of it
    cannot be read, unless the options ask for the readable ones.
    """
    with open_source(path, progress, alone=options.alone) as source, _naming(path.name):
        known = recognised(source, options)
        check_exchange(known, exchange)
        found = known.parse(source, options)
        _check_readable(path.name, source.lines.refusals, found, options)
    series, notes = [], list(source.notes)
    for parsed in found.parts:
        report, said = _stored(store, path.name, exchange, parsed, replace_held=options.replace)
        series.append(report)
        notes += said
    series += [
        _stored_records(store, path.name, exchange, records, replace_held=options.replace)
        for records in found.records
    ]
    series += [_refused_market(market) for market in found.refused]
    return FileReport(name or path.name, known.name, tuple(series), tuple(dict.fromkeys(notes)))


def _check_readable(name: str, whole: RefusalLog, found: Recorded, options: ImportOptions) -> None:
    logs = {id(log): log for log in (whole, *(parsed.refusals for parsed in found.parts))}.values()
    damaged = [log for log in logs if log.damaged]
    if damaged and not options.keep_readable:
        raise _damaged(name, damaged)
    if whole.kept and not (found.parts or found.records or found.refused):
        first = whole.kept[0]
        raise DataImportError(f"{name} holds no rows that can be read: line {first.line}: {first.reason}")
    rows = sum(len(parsed.rows) + parsed.refusals.count for parsed in found.parts)
    if not (rows or found.refused or any(records.rows for records in found.records)):
        raise NoMarketDataError(f"{name} holds no rows")


def _stored(
    store: HistoricalDataStore, name: str, exchange: str, parsed: Parsed, *, replace_held: bool
) -> tuple[SeriesReport, tuple[str, ...]]:
    content, refusals = parsed.content, parsed.refusals
    key = SeriesKey(exchange, content.symbol, content.kind, content.timeframe_ms)
    unreadable = refusals.count
    provenance = Provenance.of(name, parsed.rows.times, parsed.jitter_ms, unreadable)
    merged = store.merge(key, parsed.rows, provenance=provenance, replace_held=replace_held)
    refusals.add_all(merged.refused, [(int(parsed.lines[row]), why) for row, why in merged.reasons])
    report = SeriesReport(
        symbol=content.symbol,
        kind=content.kind.value,
        timeframe_ms=content.timeframe_ms,
        rows_read=len(parsed.rows) + unreadable,
        new=merged.new,
        already_there=merged.already_there,
        refused=refusals.count,
        refusals=tuple(sorted(refusals.kept, key=lambda refusal: refusal.line)),
        replaced=merged.replaced,
    )
    return report, (*parsed.notes, *_put_right(provenance), *_contradicted(merged), *_reinferred(merged))


def _stored_records(
    store: HistoricalDataStore, name: str, exchange: str, records: ParsedRecords, *, replace_held: bool
) -> SeriesReport:
    key = RecordKey(exchange, records.symbol, records.kind)
    try:
        merged = store.merge_records(key, records.rows, name, replace_held=replace_held)
    except RecordRefusedError as error:
        place = "" if error.row is None else f"{records.places[error.row]}: "
        raise DataImportError(f"{name}: {place}{error}") from None
    return SeriesReport(
        symbol=records.symbol,
        kind=records.kind.value,
        timeframe_ms=0,
        rows_read=len(records.rows),
        new=merged.new,
        already_there=merged.already_there,
        refused=0,
        refusals=(),
        replaced=merged.replaced,
    )


def _refused_market(market: RefusedMarket) -> SeriesReport:
    refusal = Refusal(market.line, market.reason)
    return SeriesReport(market.name, market.kind.value, 0, market.lines, 0, 0, market.lines, (refusal,))


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Name the file in every refusal, also where a market or a number was refused."""
    try:
        yield
    except DataImportError as error:
        if name in error.message:
            raise
        raise type(error)(f"{name}: {error.message}") from None


def _damaged(name: str, logs: Sequence[RefusalLog]) -> DamagedFileError:
    damages = [log.first_damage for log in logs if log.first_damage is not None]
    first = min(damages, key=lambda damage: damage.line, default=None)
    where = name if first is None else f"{name}:{first.line}: {first.reason}"
    lines = counted(sum(log.damaged for log in logs), "line")
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


def _contradicted(merged: MergeResult) -> Iterator[str]:
    if merged.contradicts_held:
        yield "rows that contradict held ones are refused, unless they are to replace them (--replace)"


def _reinferred(merged: MergeResult) -> Iterator[str]:
    if merged.reinferred:
        held = counted(merged.reinferred, "settlement")
        yield f"the funding interval of {held} held before is another one, now that its neighbours are held"


def _import_folder(
    store: HistoricalDataStore, folder: Path, exchange: str, progress: Progress | None, options: ImportOptions
) -> ImportReport:
    content = folder_content(folder)
    files: list[FileReport] = []
    skipped = [SkippedFile(name, reason, refused=True) for name, reason in content.unreadable]
    ignored, not_asked, room = content.ignored, 0, _REFUSALS_KEPT
    advance = _Advance(progress, sum(file.size for file in content.files))
    for found in content.files:
        try:
            file = import_file(store, found.path, exchange, advance.of_file, options, found.name)
            files.append(file if room > 0 else _shortened(file))
            room -= len(file.refusals)
        except SymbolNotAskedError:
            not_asked += 1
        except DataImportError as error:
            unknown = isinstance(error, NoMarketDataError)
            if unknown and not found.name.lower().endswith(_DATA_ENDINGS):
                ignored += 1
            else:
                name = found.path.name
                reason = error.message.removeprefix(f"{name}: ").removeprefix(f"{name} ")
                damaged = isinstance(error, DamagedFileError)
                skipped.append(SkippedFile(found.name, reason, damaged, refused=not unknown))
        advance.finish(found.size)
    taken = {one.symbol for file in files for one in file.series}
    absent = tuple(symbol for symbol in options.symbols if symbol not in taken)
    report = ImportReport(tuple(files), tuple(skipped), ignored, not_asked, absent)
    if not files and not report.refused_files:
        raise DataImportError(_nothing_in(folder, report, options))
    return report


def _shortened(report: FileReport) -> FileReport:
    series = (replace(one, refusals=one.refusals[:_FEWEST_REFUSALS]) for one in report.series)
    return replace(report, series=tuple(series))


def _nothing_in(folder: Path, report: ImportReport, options: ImportOptions) -> str:
    if report.not_asked:
        others = counted(report.not_asked, "file")
        return f"{folder} holds nothing of {', '.join(options.symbols)}, but {others} of other symbols"
    if report.skipped:
        first, more = report.skipped[0], len(report.skipped) - 1
        others = f"; {more} more like it" if more else ""
        return f"{folder} holds no market data: {first.name}: {first.reason}{others}"
    ignored = f" ({counted(report.ignored, 'other file')} ignored)" if report.ignored else ""
    return f"{folder} holds no market data such as BTCUSDT-funding.csv{ignored}"


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
