"""Cached summaries of the rows of a symbol, kept beside them until they change."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.market_store.database import insert_or_skip
from bot.market_store.sql import HeldSeries, Outline
from bot.market_store.tables import market_summary

Place = tuple[str, str]
"""An exchange and one of its perp symbols."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A JSON document about the rows of a symbol that `digest` names."""

    place: Place
    name: str
    digest: str
    document: Any


def rows_digest(
    version: int,
    series: Iterable[HeldSeries],
    outlines: Mapping[int, Sequence[Outline]],
    sealed_ms: int | None = None,
) -> str:
    """Return a name of the rows of `series` up to a seal, from the digests of their stored months.

    `version` is that of the document: it changes when other things are worked out from the same rows.
    """
    parts = [
        [one.key.symbol, one.key.kind.value, one.key.timeframe_ms, [m.digest for m in outlines[one.id]]]
        for one in series
    ]
    named = [version, parts] if sealed_ms is None else [version, parts, sealed_ms]
    return hashlib.sha256(json.dumps(named, separators=(",", ":")).encode()).hexdigest()


def kept_summaries(connection: sa.Connection, name: str) -> dict[Place, Summary]:
    """Return all summaries of one name."""
    table = market_summary.c
    rows = connection.execute(sa.select(market_summary).where(table.name == name))
    return {
        (row.exchange, row.symbol): Summary(
            (row.exchange, row.symbol), name, row.digest, json.loads(row.document)
        )
        for row in rows
    }


def keep_summaries(connection: sa.Connection, summaries: Sequence[Summary]) -> None:
    """Store summaries in place of those held; of two writers at once either may win, for both are true."""
    table = market_summary.c
    for one in summaries:
        exchange, symbol = one.place
        same = (table.exchange == exchange) & (table.symbol == symbol) & (table.name == one.name)
        connection.execute(market_summary.delete().where(same))
        connection.execute(
            insert_or_skip(connection, market_summary).values(
                exchange=exchange,
                symbol=symbol,
                name=one.name,
                digest=one.digest,
                document=json.dumps(one.document, separators=(",", ":")),
            )
        )
