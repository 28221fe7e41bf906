"""The commands `data import` and `data list`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from api.database import ready_store
from api.settings import Settings
from bot.errors import DataImportError
from bot.market_store import importing
from bot.market_store.import_reports import FileReport, ImportReport, SeriesReport
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.listing import ExchangeListing, RecordListing, SeriesListing
from bot.models import HOUR_MS
from bot.plurals import counted
from bot.timestamps import iso
from carrygrid.cli.failures import BAD_INPUT
from carrygrid.cli.files import read_text
from carrygrid.cli.printing import console, plain_table

_SHOWN_REFUSALS = 5
_SHOWN_FILES = 3
_SHOWN_UNKNOWN = 20


@dataclass(frozen=True, slots=True)
class StatedOptions:
    """Import options for files that do not state them."""

    kind: str | None = None
    symbols: tuple[str, ...] = ()
    timeframe: str | None = None
    time_zone: str | None = None
    mapping: Path | None = None
    keep_readable: bool = False
    replace: bool = False

    def options(self) -> ImportOptions:
        """Return it parsed; raises InvalidInputError naming the option's field."""
        return ImportOptions.parse(
            kind=self.kind,
            symbol=self.symbols or None,
            timeframe=self.timeframe,
            time_zone=self.time_zone,
            mapping=None if self.mapping is None else read_text(self.mapping, "mapping"),
            keep_readable=self.keep_readable,
            replace=self.replace,
        )


_NOTHING_STATED = StatedOptions()


def import_path(
    path: Path, exchange: str, said: StatedOptions = _NOTHING_STATED, *, as_json: bool
) -> ImportReport:
    """Import a file or a folder, print what became of each file and return it."""
    options = said.options()
    errors = Console(stderr=True, highlight=False)
    columns = (TextColumn("importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
    with ready_store(Settings()) as store, bar as progress:
        task = progress.add_task("import", total=None)
        report = importing.import_path(
            store,
            path,
            exchange,
            lambda done, total: progress.update(task, completed=done, total=total),
            options,
        )
    if as_json:
        print(json.dumps(report.document()))
    else:
        print_report(report, console(), replacing=said.replace)
    return report


def refuse_incomplete(report: ImportReport, *, as_json: bool) -> None:
    """End with the status of bad input if a file, or every row, was refused or a symbol not found.

    Raises: DataImportError; with `as_json` only the status tells, the document names them already.
    """
    refused = report.refused_files
    if (refused or report.absent or report.keeps_nothing) and as_json:
        raise typer.Exit(BAD_INPUT)
    if report.keeps_nothing:
        file = next(file for file in report.files if file.refusals)
        first = file.refusals[0]
        rows = "only row refused," if report.refused == 1 else f"all {report.refused:,} rows refused, first"
        raise DataImportError(f"{rows} {file.name}:{first.line}: {first.reason}")
    if refused:
        named = "; ".join(f"{one.name}: {one.reason}" for one in refused[:_SHOWN_FILES])
        more = f"; {len(refused) - _SHOWN_FILES} more, named above" if len(refused) > _SHOWN_FILES else ""
        total = counted(len(refused) + len(report.files), "file")
        raise DataImportError(f"{len(refused)} of {total} refused: {named}{more}")
    if report.absent:
        raise DataImportError(f"no file holds anything of {', '.join(report.absent)}")


def print_report(report: ImportReport, out: Console, *, replacing: bool = False) -> None:
    """Print an import: a line for each file, the first refusals, and what was skipped."""
    columns = ("file", "format", "symbol", "series")
    replaced = ("replaced",) if replacing else ()
    table = plain_table(*columns, numbers=("rows read", "new", *replaced, "already there", "refused"))
    for file in report.files:
        for one in file.series:
            series = series_name(one.kind, one.timeframe_ms)
            table.add_row(escape(file.name), file.format, escape(one.symbol), series, *_counts(one, replaced))
    table.add_row("total", "", "", "", *_counts(report, replaced))
    out.print(table)
    for file in report.files:
        for line in _remarks(file):
            out.print(line, markup=False)
    for line in _left_out(report):
        out.print(line, markup=False)


def _remarks(file: FileReport) -> Iterator[str]:
    for note in file.notes:
        yield f"{file.name}: {note}"
    shown = [refusal for one in file.series for refusal in one.refusals[:_SHOWN_REFUSALS]]
    for refusal in shown:
        yield f"{file.name}:{refusal.line}: refused: {refusal.reason}"
    if file.refused > len(shown):
        yield f"{file.name}: {file.refused - len(shown):,} more refused"


def _left_out(report: ImportReport) -> Iterator[str]:
    for refused in report.refused_files:
        yield f"{refused.name}: refused: {refused.reason}"
    unknown = [skipped for skipped in report.skipped if not skipped.refused]
    for skipped in unknown[:_SHOWN_UNKNOWN]:
        yield f"{skipped.name}: skipped: {skipped.reason}"
    for count, what in (
        (len(unknown) - _SHOWN_UNKNOWN, "skipped, being no market data"),
        (report.not_asked, "left out, of symbols not asked for"),
        (report.ignored, "ignored"),
    ):
        if count > 0:
            yield f"{counted(count, 'other file')} {what}"


def print_listing(*, as_json: bool) -> None:
    """Print what is stored."""
    with ready_store(Settings()) as store:
        listing = store.listing()
    if as_json:
        print(json.dumps([exchange.document() for exchange in listing]))
    elif listing:
        out = console()
        out.print(_listing_table(listing))
        for line in _oddities(listing):
            out.print(line, markup=False)
    else:
        print("no market data yet; carrygrid data import PATH --exchange NAME brings some in")


def _counts(report: SeriesReport | ImportReport, extra: Iterable[str]) -> list[str]:
    names = ("rows_read", "new", *extra, "already_there", "refused")
    return [f"{getattr(report, name):,}" for name in names]


def _listing_table(listing: list[ExchangeListing]) -> Table:
    names = ("exchange", "symbol", "series", "first", "last")
    table = plain_table(*names, numbers=("rows", "missing", "gaps"))
    for exchange in listing:
        for symbol in exchange.symbols:
            shown = f"{exchange.exchange} (synthetic)" if symbol.synthetic else exchange.exchange
            for series in symbol.series:
                table.add_row(shown, symbol.symbol, *_series_cells(series))
            for records in symbol.records:
                table.add_row(shown, symbol.symbol, *_record_cells(records))
        for records in exchange.records:
            table.add_row(exchange.exchange, "", *_record_cells(records))
    return table


def _oddities(listing: list[ExchangeListing]) -> Iterator[str]:
    for exchange in listing:
        for symbol in exchange.symbols:
            for series in symbol.series:
                where = f"{exchange.exchange} {symbol.symbol} {series_name(series.kind, series.timeframe_ms)}"
                for found in series.findings:
                    yield f"{where}: {found.name.replace('_', ' ')}: {found.count:,}, {found.detail}"
                for source in series.imports:
                    if source.snapped:
                        settlements = counted(source.snapped, "settlement was", "settlements were")
                        yield (
                            f"{where}: {source.source}: {settlements} up to "
                            f"{source.max_jitter_ms:,} ms off the hour and snapped to it"
                        )


def _series_cells(series: SeriesListing) -> tuple[str, ...]:
    counts = (series.rows, series.missing, len(series.gaps))
    extent = (iso(series.first_ms)[:10], iso(series.last_ms)[:10])
    return (series_name(series.kind, series.timeframe_ms), *extent, *(f"{count:,}" for count in counts))


def _record_cells(records: RecordListing) -> tuple[str, ...]:
    first = since(records.first_ms)
    return (records.kind, first, iso(records.last_ms)[:10] if records.last_ms else first, f"{records.rows:,}")


def since(from_ms: int) -> str:
    """Return the day from which on a row is in force."""
    return iso(from_ms)[:10] if from_ms else "always"


def series_name(kind: str, timeframe_ms: int) -> str:
    """Return the name of a series."""
    if not timeframe_ms:
        return kind
    hours = timeframe_ms / HOUR_MS
    return f"{kind} {hours:g}h"
