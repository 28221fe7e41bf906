"""Write down what this program's version leaves in a database: `python tests/keep_schema.py`.

To be run whenever the schema has a new revision, for `test_migrations_of_every_schema.py`.
"""

import sqlite3
import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa

from bot.clock import SystemClock
from bot.market.symbols import SYNTHETIC_EXCHANGE
from bot.market_store.database import open_engine, write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import generate
from bot.timestamps import parse_time_ms
from sweeps.lifecycle.repository import create_sweep
from sweeps.migrations import HEAD, migrate
from sweeps.spec.spec import SweepSpec
from sweeps.storage.tables import chunk
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

FOLDER = Path(__file__).parent / "integration" / "old_schemas"
SWEEP = {
    "name": "old sweep",
    "base": {
        "exchange": "synthetic",
        "symbols": ["BTC/USDT:USDT"],
        "start": "2024-01-10",
        "min_volume_24h": "0",
    },
    "grid": {
        "end": ["2024-03-30", "2024-01-05", "2024-03-01"],
        "perp_leverage": [1, 5],
        "min_funding_rate": ["0.9", "0.00002"],
    },
    "curves": "all",
    "reuse": False,
}
DONE = 2
"""Chunks of five trials that are replayed, of three: the last one has two trials."""


def fill_market(engine: sa.Engine) -> None:
    """Generate the market that the sweep reads."""
    start_ms, end_ms = parse_time_ms("2024-01-01"), parse_time_ms("2024-04-01")
    generate(HistoricalDataStore(engine), start_ms=start_ms, end_ms=end_ms, exchanges=[SYNTHETIC_EXCHANGE])


def _half_finished(engine: sa.Engine) -> None:
    migrate(engine)
    fill_market(engine)
    with write_transaction(engine) as connection:
        sweep_id = create_sweep(connection, SweepSpec.parse(SWEEP), size=5).sweep_id
        chunks = connection.execute(sa.select(chunk.c.id).order_by(chunk.c.lo)).scalars().all()
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    for chunk_id in chunks[:DONE]:
        runner.run(sweep_id, chunk_id, "old")


def _statements(connection: sqlite3.Connection, tables: list[str]) -> list[str]:
    statements = []
    for table in tables:
        columns = [f'"{row[1]}"' for row in connection.execute(f"PRAGMA table_info({table})")]
        quoted = ", ".join(f"quote({column})" for column in columns)
        into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES"
        rows = connection.execute(f"SELECT {quoted} FROM {table}")
        statements.extend(f"{into} ({', '.join(row)});" for row in rows)
    return statements


def main() -> None:
    """Replay a part of a sweep in a new database, and write its rows as SQL; the market can be generated."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        engine = open_engine(f"sqlite:///{path}")
        _half_finished(engine)
        tables = sa.MetaData()
        tables.reflect(engine)
        engine.dispose()
        names = [
            table.name
            for table in tables.sorted_tables
            if not table.name.startswith("market_") and table.name not in {"alembic_version", "instrument"}
        ]
        with sqlite3.connect(path) as connection:
            statements = _statements(connection, names)
        connection.close()
    (FOLDER / f"{HEAD}.sql").write_text("\n".join([*statements, ""]))
    print(f"{FOLDER / HEAD}.sql: {len(statements)} rows", file=sys.stderr)


if __name__ == "__main__":
    main()
