"""The funding history that Binance's website lets a user download: quoted, in per cent, in local time."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial

from bot.errors import DataImportError
from bot.market.contracts import Venue
from bot.market.rows import SeriesKind
from bot.market.rules import RowRefusedError, market_number
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.files.text_lines import MAX_SETTLEMENT_LINES
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.markets import Recorded, by_market, recorded
from bot.market_store.importers.parsing import Settlement, funding, quoted_fields
from bot.models import HOUR_MS
from bot.notation import quoted

HEADER = '"Time","Contracts","Funding Interval","Funding Rate"'
_CONTRACT = re.compile(r"(?P<market>[A-Z0-9_]+) Perpetual\Z", re.ASCII)
_INTERVAL = re.compile(r"(?P<hours>\d{1,2})h\Z", re.ASCII)
_OFFSET_MINUTES = (
    *range(-12 * 60, 14 * 60 + 1, 60),
    *(-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825),
)
"""The offsets from UTC that clocks somewhere on Earth show."""


@dataclass(frozen=True, slots=True)
class _Record:
    local: datetime
    market: str
    hours: int
    percent: str


def recognise(source: Source, _options: ImportOptions) -> bool:
    """Say whether the first line is the export's header."""
    return source.first_line == HEADER


def parse(source: Source, options: ImportOptions) -> Recorded:
    """Return the settlements of each contract, newest first as they are in the file.

    Raises: DataImportError where the downloader's time zone is not given and cannot be deduced, or the one
    given does not bring the times to settlement hours.
    """
    refusals = source.lines.refusals
    records: list[tuple[int, _Record]] = []
    for number, text in source.rows(MAX_SETTLEMENT_LINES):
        try:
            records.append((number, _record(text)))
        except RowRefusedError as refusal:
            refusals.add_error(number, refusal)
    zone = _zone(source, options, [record for _, record in records])
    markets, refused = by_market(
        source, options, records, lambda record: record.market, venue=Venue.BINANCE, kind=SeriesKind.FUNDING
    )
    return recorded(
        markets,
        refused,
        lambda one: funding(one.symbol, one.records, partial(_settlement, zone=zone), one.refusals),
    )


def _record(text: str) -> _Record:
    fields = quoted_fields(text, 4)
    contract, interval = _CONTRACT.match(fields[1]), _INTERVAL.match(fields[2])
    if not contract:
        raise RowRefusedError(f"contract {quoted(fields[1])} is no perpetual")
    if not interval:
        raise RowRefusedError(f"funding interval {quoted(fields[2])} is not in hours")
    if not fields[3].endswith("%"):
        raise RowRefusedError(f"funding rate {quoted(fields[3])} is not in per cent")
    try:
        local = datetime.strptime(fields[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise RowRefusedError(f"time {quoted(fields[0])} is not like 2025-06-18 16:00:00") from None
    return _Record(local, contract["market"], int(interval["hours"]), fields[3].removesuffix("%"))


def _settlement(record: _Record, zone: tzinfo) -> Settlement:
    rate = market_number(record.percent, "funding rate").scaleb(-2)
    moment = record.local.replace(tzinfo=zone)
    return Settlement(int(moment.timestamp()) * 1000, rate, record.hours, None)


def _zone(source: Source, options: ImportOptions, records: list[_Record]) -> tzinfo:
    if options.zone is not None:
        if not _on_settlement_hours(records, options.zone):
            raise DataImportError(
                f"{source.name}: with --time-zone {options.zone} its times are not at settlement hours"
            )
        return options.zone
    fitting = [zone for zone in _zones() if _on_settlement_hours(records, zone)]
    if len(fitting) == 1:
        return fitting[0]
    what = f"{', '.join(map(str, fitting))} would fit" if fitting else "no single offset from UTC fits"
    raise DataImportError(
        f"{source.name} holds the local times of whoever downloaded it; say the zone with --time-zone +08:00 "
        f"({what})"
    )


def _zones() -> Iterable[timezone]:
    return (timezone(timedelta(minutes=minutes)) for minutes in sorted(_OFFSET_MINUTES))


def _on_settlement_hours(records: list[_Record], zone: tzinfo) -> bool:
    return all(
        int(record.local.replace(tzinfo=zone).timestamp()) * 1000 % (record.hours * HOUR_MS) == 0
        for record in records
        if record.hours
    )
