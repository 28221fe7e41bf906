"""Provenance of the rows of a series, and the corrections made on the way into the store."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import sqlalchemy as sa

from bot.market_store.sql import HeldSeries
from bot.market_store.tables import market_import
from bot.numbers.arrays import IntArray

_COUNTS = ("rows_read", "rows_new", "refused", "snapped", "duplicates", "out_of_order", "replaced")
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Provenance:
    """Rows a source gave to a series: `snapped` settlements were off their hour by up to `max_jitter_ms`.

    `replaced` rows took the place of others.
    """

    source: str
    rows_read: int
    rows_new: int
    refused: int
    snapped: int = 0
    max_jitter_ms: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    replaced: int = 0

    @classmethod
    def of(cls, source: str, times: IntArray, jitter_ms: IntArray, refused: int) -> "Provenance":
        """Return the corrections made to rows of these times, as recorded, and of this jitter."""
        return cls(
            source=source[:_LONGEST_NAME],
            rows_read=len(times) + refused,
            rows_new=0,
            refused=refused,
            snapped=int(np.count_nonzero(jitter_ms)),
            max_jitter_ms=int(jitter_ms.max(initial=0)),
            duplicates=len(times) - len(np.unique(times)),
            out_of_order=int(np.count_nonzero(np.diff(times) < 0)),
        )


def record(connection: sa.Connection, series: HeldSeries, done: Provenance) -> None:
    """Add what an import did to what its source did before; one that changed nothing leaves no trace."""
    if not (done.rows_new or done.replaced):
        return
    table = market_import.c
    same_source = (table.series_id == series.id) & (table.source == done.source)
    known = connection.execute(sa.select(market_import).where(same_source)).one_or_none()
    if known is None:
        connection.execute(market_import.insert().values(series_id=series.id, **asdict(done)))
        return
    totals = {name: getattr(known, name) + getattr(done, name) for name in _COUNTS}
    totals["max_jitter_ms"] = max(known.max_jitter_ms, done.max_jitter_ms)
    connection.execute(market_import.update().where(same_source).values(**totals))


def recorded(connection: sa.Connection, series: Iterable[HeldSeries]) -> Mapping[int, list[Provenance]]:
    """Return the sources of each series, the oldest first, by its id."""
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
