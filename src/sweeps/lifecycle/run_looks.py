"""Single runs whose results become known, each written down as a look at its market and days.

Apart from the looks that sweeps take, which are read from their specifications.
"""

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.config.run_config import RunConfig
from bot.market_store.database import database_now_ms, insert_or_skip
from bot.models import DAY_MS
from bot.selection.looks import Look
from sweeps.spec.read_pairs import Pair, ReadPairs
from sweeps.storage.stored_runs import is_stored_run
from sweeps.storage.tables import look

if TYPE_CHECKING:
    from bot.backtest.comparison import Comparison


class LookKind(StrEnum):
    """Kind of what was looked at."""

    SWEEP = "sweep"
    BACKTEST = "backtest"
    COMPARISON = "comparison"
    VALIDATION = "validation"
    HOLDOUT = "holdout"
    DECAY = "decay"


def note_run(
    connection: sa.Connection,
    kind: LookKind,
    config: RunConfig,
    run_key: str,
    data_fingerprint: str,
    *,
    end_ms: int | None = None,
) -> None:
    """Write down a single run in the transaction that makes its result known.

    One that was seen before, here or as a trial, counts as a run that is not new.
    """
    known = kind is not LookKind.HOLDOUT and is_stored_run(connection, run_key, data_fingerprint)
    days = config.start // DAY_MS, (config.end if end_ms is None else end_ms) // DAY_MS
    name = f"{'holdout' if kind is LookKind.HOLDOUT else 'run'} {run_key}"
    own = str(config.exchange)
    for exchange, symbols in by_exchange(own, ReadPairs.of([config]).pairs).items():
        seen = Look(exchange, symbols, *days, 1, 0 if known else 1)
        note_look(connection, name if exchange == own else f"{name} {exchange}", kind, seen)


def note_comparison(connection: sa.Connection, comparison: "Comparison") -> None:
    """Write down both sides of a comparison as `note_run` does."""
    for run in comparison.runs.values():
        note_run(connection, LookKind.COMPARISON, run.config, run.run_key, run.data_fingerprint)


def note_look(connection: sa.Connection, name: str, kind: LookKind, seen: Look) -> None:
    """Write down a look, or one more run of one that is written down under this name."""
    values = look_values(name, kind, seen, database_now_ms())
    if not insert_look(connection, values):
        connection.execute(look.update().where(look.c.name == name).values(runs=look.c.runs + 1))


def insert_look(connection: sa.Connection, values: dict[str, Any]) -> bool:
    """Insert a look unless there is one of its name; return whether there was none."""
    new = insert_or_skip(connection, look).values(values).returning(look.c.id)
    return connection.execute(new).first() is not None


def look_values(name: str, kind: LookKind, seen: Look, created_ms: Any) -> dict[str, Any]:
    """Return the row of a look."""
    return {
        "name": name,
        "kind": kind,
        "exchange": seen.exchange,
        "symbols": json.dumps(sorted(seen.symbols)),
        "first_day": seen.first,
        "last_day": seen.last,
        "runs": seen.runs,
        "new": seen.new,
        "independent": seen.independent,
        "created_ms": created_ms,
    }


def by_exchange(own: str, pairs: Iterable[Pair]) -> dict[str, frozenset[str]]:
    """Return the perp symbols of pairs by exchange, that of runs themselves first, read or not."""
    found: dict[str, frozenset[str]] = {own: frozenset()}
    for exchange, symbol in pairs:
        name = own if exchange is None else exchange
        found[name] = found.get(name, frozenset()) | {symbol}
    return found
