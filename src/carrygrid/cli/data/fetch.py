"""The command `data fetch`."""

import json
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from api.database import ready_store
from api.settings import Settings
from bot.clock import SystemClock
from bot.market.rows import SeriesKey
from bot.market_store.fetch.exchange_calls import ExchangeCalls
from bot.market_store.fetch.exchanges import open_client
from bot.market_store.fetch.fetch_request import FetchRequest
from bot.market_store.fetch.fetching import Fetcher, FetchReport
from bot.models import HOUR_MS
from carrygrid.cli.printing import console, plain_table

_SHOWN_REFUSALS = 5


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """The options as they were typed."""

    exchange: str
    symbols: tuple[str, ...]
    since: str
    until: str | None
    timeframe: str
    api_url: str | None


def fetch(options: FetchOptions, *, as_json: bool) -> None:
    """Download what is asked for and print what came; an interrupted download goes on next time."""
    request = FetchRequest.parse(
        {
            "exchange": options.exchange,
            "symbols": list(options.symbols),
            "since": options.since,
            "until": options.until,
            "timeframe": options.timeframe,
        }
    )
    calls = ExchangeCalls(open_client(options.exchange, api_url=options.api_url, inverse=request.has_inverse))
    errors = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
    with ready_store(Settings()) as store, bar as progress:
        fetcher = Fetcher(store, options.exchange, calls, SystemClock())
        bars = _Bars(progress)
        report = fetcher.fetch(
            request.symbols, request.since_ms, request.until_ms, request.timeframe, bars.show
        )
    if as_json:
        print(json.dumps(report.document()))
    else:
        _print(report, console())


class _Bars:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[SeriesKey, TaskID] = {}

    def show(self, key: SeriesKey, done_ms: int, total_ms: int) -> None:
        """Move the bar of a series."""
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(f"{key.symbol} {key.kind.value}")
        self._progress.update(self._tasks[key], completed=done_ms, total=total_ms)


def _print(report: FetchReport, out: Console) -> None:
    table = plain_table("symbol", "series", numbers=("pages", "new", "refused"))
    for one in report.series:
        hours = f" {one.key.timeframe_ms / HOUR_MS:g}h" if one.key.timeframe_ms else ""
        counts = (f"{count:,}" for count in (one.pages, one.new, one.refused))
        table.add_row(one.key.symbol, f"{one.key.kind.value}{hours}", *counts)
    out.print(table)
    for symbol in report.rules:
        known = report.known(symbol).items()
        out.print(f"{symbol}: {', '.join(f'{name} {value}' for name, value in known)}", markup=False)
    for one in report.series:
        for refusal in one.refusals[:_SHOWN_REFUSALS]:
            out.print(f"{one.key.symbol} {one.key.kind.value}: refused: {refusal.reason}", markup=False)
    for remark in report.remarks:
        out.print(remark, markup=False)
