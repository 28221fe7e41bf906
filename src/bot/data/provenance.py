"""Where the rows of a series came from, and what was put right on the way into the store."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from bot.data.sql import HeldSeries
from bot.data.tables import market_import


@dataclass(frozen=True, slots=True)
class Provenance:
    """One import into a series: `snapped` settlements were off their hour, by at most `max_jitter_ms`."""

    source: str
    rows_read: int
    rows_new: int
    refused: int
    snapped: int = 0
    max_jitter_ms: int = 0
    duplicates: int = 0
    out_of_order: int = 0


def record(connection: sa.Connection, series: HeldSeries, done: Provenance) -> None:
    """Store what an import did; one that added nothing leaves no trace."""
    if done.rows_new:
        connection.execute(market_import.insert().values(series_id=series.id, **asdict(done)))


def recorded(connection: sa.Connection, series: Iterable[HeldSeries]) -> Mapping[int, list[Provenance]]:
    """Return the imports into each series, oldest first, by its id."""
    table = market_import.c
    query = (
        sa.select(market_import)
        .where(table.series_id.in_([one.id for one in series]))
        .order_by(table.series_id, table.id)
    )
    found: dict[int, list[Provenance]] = {}
    for row in connection.execute(query):
        values = {name: getattr(row, name) for name in Provenance.__slots__}
        found.setdefault(row.series_id, []).append(Provenance(**values))
    return found
