"""The commands `data import` and `data list`."""

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from api.cli.printing import console, plain_table
from api.local.database import ready_store
from api.settings import Settings
from bot.data import importing
from bot.data.importing import FileReport, ImportReport
from bot.data.listing import ExchangeListing, SeriesListing
from bot.models import HOUR_MS
from bot.timestamps import iso

_SHOWN_REFUSALS = 5


def import_path(path: Path, exchange: str, *, as_json: bool) -> None:
    """Import a file or a folder and print what became of each file."""
    errors = Console(stderr=True, highlight=False)
    columns = (TextColumn("importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with ready_store(Settings()) as store, Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("import", total=None)
        report = importing.import_path(
            store, path, exchange, lambda done, total: progress.update(task, completed=done, total=total)
        )
    if as_json:
        print(json.dumps(asdict(report)))
    else:
        print_report(report, console())


def print_report(report: ImportReport, out: Console) -> None:
    """Print an import: a line for each file, the first refusals, and what was skipped."""
    table = plain_table("file", "series", numbers=("rows read", "new", "already there", "refused"))
    for file in report.files:
        table.add_row(file.name, _series_name(file.kind, file.timeframe_ms), *_counts(file))
    table.add_row("total", "", *_counts(report))
    out.print(table)
    for file in report.files:
        for refusal in file.refusals[:_SHOWN_REFUSALS]:
            out.print(f"{file.name}:{refusal.line}: refused: {refusal.reason}", markup=False)
        if file.refused > _SHOWN_REFUSALS:
            out.print(f"{file.name}: {file.refused - _SHOWN_REFUSALS} more refused", markup=False)
    for skipped in report.skipped:
        out.print(f"{skipped.name}: skipped: {skipped.reason}", markup=False)


def print_listing(*, as_json: bool) -> None:
    """Print what is stored."""
    with ready_store(Settings()) as store:
        listing = store.listing()
    if as_json:
        print(json.dumps([exchange.document() for exchange in listing]))
    elif listing:
        console().print(_listing_table(listing))
    else:
        print("no market data yet; carrygrid data import PATH --exchange NAME brings some in")


def _counts(report: FileReport | ImportReport) -> tuple[str, str, str, str]:
    counts = (report.rows_read, report.new, report.already_there, report.refused)
    rows_read, new, already_there, refused = (f"{count:,}" for count in counts)
    return rows_read, new, already_there, refused


def _listing_table(listing: list[ExchangeListing]) -> Table:
    names = ("exchange", "symbol", "series", "first", "last")
    table = plain_table(*names, numbers=("rows", "missing", "gaps"))
    for exchange in listing:
        for symbol in exchange.symbols:
            shown = f"{exchange.exchange} (synthetic)" if symbol.synthetic else exchange.exchange
            for series in symbol.series:
                table.add_row(shown, symbol.symbol, *_series_cells(series))
    return table


def _series_cells(series: SeriesListing) -> tuple[str, ...]:
    counts = (series.rows, series.missing, len(series.gaps))
    extent = (iso(series.first_ms)[:10], iso(series.last_ms)[:10])
    return (_series_name(series.kind, series.timeframe_ms), *extent, *(f"{count:,}" for count in counts))


def _series_name(kind: str, timeframe_ms: int) -> str:
    if not timeframe_ms:
        return kind
    hours = timeframe_ms / HOUR_MS
    return f"{kind} {hours:g}h"
