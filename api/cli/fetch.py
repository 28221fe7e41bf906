"""The command `data fetch`."""

import json
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from api.cli.printing import console, plain_table
from api.local.database import ready_store
from api.settings import Settings
from bot.clock import SystemClock
from bot.data.exchange_calls import ExchangeCalls
from bot.data.exchanges import open_client
from bot.data.fetching import Fetcher, FetchReport
from bot.data.rows import SeriesKey
from bot.data.rules import TIMEFRAMES_MS
from bot.data.sql import PublishedFees
from bot.errors import InvalidInputError
from bot.models import HOUR_MS, Instrument
from bot.money import plain
from bot.timestamps import parse_time_ms

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
    since_ms = _time_ms("since", options.since)
    until_ms = None if options.until is None else _time_ms("until", options.until)
    if until_ms is not None and until_ms <= since_ms:
        raise InvalidInputError.of("until", f"{options.until} is not after since {options.since}")
    if options.timeframe not in TIMEFRAMES_MS:
        raise InvalidInputError.of(
            "timeframe", f"{options.timeframe!r} is none of {', '.join(TIMEFRAMES_MS)}"
        )
    symbols = [name.strip() for part in options.symbols for name in part.split(",") if name.strip()]
    calls = ExchangeCalls(open_client(options.exchange, api_url=options.api_url))
    errors = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
    with ready_store(Settings()) as store, bar as progress:
        fetcher = Fetcher(store, options.exchange, calls, SystemClock())
        bars = _Bars(progress)
        report = fetcher.fetch(list(dict.fromkeys(symbols)), since_ms, until_ms, options.timeframe, bars.show)
    if as_json:
        print(json.dumps(_document(report)))
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


def _time_ms(field: str, text: str) -> int:
    try:
        return parse_time_ms(text)
    except ValueError as error:
        raise InvalidInputError.of(field, str(error)) from None


def _print(report: FetchReport, out: Console) -> None:
    table = plain_table("symbol", "series", numbers=("pages", "new", "refused"))
    for one in report.series:
        hours = f" {one.key.timeframe_ms / HOUR_MS:g}h" if one.key.timeframe_ms else ""
        counts = (f"{count:,}" for count in (one.pages, one.new, one.refused))
        table.add_row(one.key.symbol, f"{one.key.kind.value}{hours}", *counts)
    out.print(table)
    for symbol, rules in report.rules.items():
        known = {**_rules(rules), **_fees(report.fees[symbol])}
        out.print(f"{symbol}: {', '.join(f'{name} {value}' for name, value in known.items())}", markup=False)
    for one in report.series:
        for refusal in one.refusals[:_SHOWN_REFUSALS]:
            out.print(f"{one.key.symbol} {one.key.kind.value}: refused: {refusal.reason}", markup=False)
    for remark in report.remarks:
        out.print(remark, markup=False)


def _document(report: FetchReport) -> dict[str, Any]:
    return {
        "series": [
            {
                "symbol": one.key.symbol,
                "kind": one.key.kind.value,
                "timeframe_ms": one.key.timeframe_ms,
                "pages": one.pages,
                "new": one.new,
                "refused": one.refused,
                "refusals": [refusal.reason for refusal in one.refusals],
            }
            for one in report.series
        ],
        "rules": {
            symbol: {**_rules(rules), **_fees(report.fees[symbol])} for symbol, rules in report.rules.items()
        },
        "remarks": report.remarks,
    }


def _rules(rules: Instrument) -> dict[str, str]:
    return {name: plain(getattr(rules, name)) for name in ("qty_step", "min_qty", "min_notional", "mmr")}


def _fees(fees: PublishedFees) -> dict[str, str]:
    return {name: plain(fee) for name, fee in fees._asdict().items() if fee is not None}
