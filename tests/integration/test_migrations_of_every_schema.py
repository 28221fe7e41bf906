"""Databases that older versions of the program left behind, upgraded with everything in them."""

import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from keep_schema import fill_market
from servers import postgres_database
from sweeping import assert_packed_as_stored, recomputed_rows, state_of, stored_rows

from bot.clock import SystemClock
from bot.market_store.database import open_engine, write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps import migrations
from sweeps.analysis.progress import get_spec
from sweeps.migrations import HEAD, current_revision, migrate
from sweeps.spec.metrics import METRICS, MetricKind
from sweeps.storage.columns import money_units
from sweeps.work.dispatch import ChunkRef, Dispatcher
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

OLD = Path(__file__).parent / "old_schemas"
REVISIONS = sorted(path.stem for path in OLD.glob("*.sql"))
"""Each file holds what the program of that revision wrote, having replayed 10 of a sweep's 12 trials."""
MOVED = {"trial": {"cell", "run_hash"}}
"""Columns that a later schema left out, since they follow from others."""
NOW_IN_BLOCKS = {"run_key_head", "run_key_tail", "ledger", "reused_sweep", "reused_number"}
"""Columns of trials that an older schema had in its rows alone."""
SWEEP = 1
_names = itertools.count(1)

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """Return an engine on a database without any table."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
        yield engine
        engine.dispose()
        return
    server = request.getfixturevalue("postgres_process")
    with postgres_database(server, f"old_{next(_names)}") as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


def moved(engine: sa.Engine, revision: str, direction: str = "upgrade") -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with write_transaction(engine) as connection:
        config.attributes["connection"] = connection
        getattr(command, direction)(config, revision)


def fill(engine: sa.Engine, revision: str) -> None:
    """Store what the program of that time wrote, and in each table it left empty a row of ours."""
    statements = (OLD / f"{revision}.sql").read_text().splitlines()
    with write_transaction(engine) as connection:
        for statement in statements:
            connection.exec_driver_sql(_for(engine, statement))
    fill_market_of(engine)
    with write_transaction(engine) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if not connection.execute(sa.select(table).limit(1)).first():
                connection.execute(table.insert().values(_sample(connection, table)))


def fill_market_of(engine: sa.Engine) -> None:
    """Store the market that the sweep reads as a program of this schema would have."""
    tables = sa.MetaData()
    with write_transaction(engine) as connection:
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name.startswith("market_") or table.name == "instrument":
                held = [
                    {column.name: row[column.name] for column in table.columns}
                    for row in newest_market()[table.name]
                ]
                if held:
                    connection.execute(table.insert(), held)


@functools.cache
def newest_market() -> Rows:
    """Return all rows of a database of the newest schema with the market that the sweep reads."""
    with TemporaryDirectory() as folder:
        newest = open_engine(f"sqlite:///{Path(folder) / 'newest.db'}")
        migrate(newest)
        fill_market(newest)
        rows = everything(newest)
        newest.dispose()
    return rows


def _for(engine: sa.Engine, statement: str) -> str:
    if engine.dialect.name == "sqlite":
        return statement
    # The files spell bytes as SQLite does, and the driver reads % as a placeholder.
    return re.sub(r"\bX'([0-9A-F]*)'", r"'\\x\1'", statement).replace("%", "%%")


def _sample(connection: sa.Connection, table: sa.Table) -> dict[str, Any]:
    values = {}
    for column in table.columns:
        for key in column.foreign_keys:
            values[column.name] = connection.execute(sa.select(key.column).limit(1)).scalar_one()
        if column.name not in values:
            values[column.name] = _value(column.type)
    return values


def _value(kind: sa.types.TypeEngine[Any]) -> Any:
    if isinstance(kind, sa.LargeBinary):
        return b"\x00\xff"
    if isinstance(kind, sa.Boolean):
        return True
    if isinstance(kind, sa.Numeric | sa.Float):
        return 0.5
    return 7 if isinstance(kind, sa.Integer) else "[1]"


def everything(engine: sa.Engine) -> Rows:
    """Return all rows of all tables, sorted, by table."""
    tables = sa.MetaData()
    with engine.connect() as connection:
        tables.reflect(connection)
        found = {
            table.name: [dict(row._mapping) for row in connection.execute(sa.select(table))]
            for table in tables.sorted_tables
            if table.name != "alembic_version"
        }
    return {name: sorted(rows, key=lambda row: repr([*row.items()])) for name, rows in found.items()}


def kept(before: Rows, after: Rows) -> Rows:
    """Return the rows after a migration with the tables and columns that there were before."""
    return {
        name: sorted(
            ({column: row[column] for column in row if rows and column in rows[0]} for row in after[name]),
            key=lambda row: repr([*row.items()]),
        )
        for name, rows in before.items()
    }


def results(engine: sa.Engine) -> list[dict[str, Any]]:
    """Return the rows of trials as older schemas had them, money in units, from where they are now."""
    rows = stored_rows(engine, SWEEP)
    money = [name for name, kind in METRICS.items() if kind is MetricKind.MONEY]
    return [
        row | {name: None if row[name] is None else money_units(row[name]) for name in money} for row in rows
    ]


def without_moved(rows: Rows) -> Rows:
    return {
        name: [{key: row[key] for key in row if key not in MOVED.get(name, ())} for row in found]
        for name, found in rows.items()
    }


def test_there_is_a_database_of_every_older_schema() -> None:
    older = {f"{number:04}" for number in range(1, int(HEAD))}
    assert older - {*REVISIONS} == set(), "run tests/keep_schema.py at the last commit of that schema"


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_row_survives_the_way_up_back_and_up_again_and_the_half_finished_sweep_is_completed(
    empty: sa.Engine, revision: str
) -> None:
    moved(empty, revision)
    fill(empty, revision)
    before = everything(empty)
    assert all(before.values())
    migrate(empty)
    assert current_revision(empty) == HEAD
    expected = without_moved(before)
    after = everything(empty)
    if "trial" in before:
        blocks = [row for row in after["trial_block"] if row["name"] not in NOW_IN_BLOCKS]
        after |= {"trial": results(empty), "trial_block": blocks}
    assert kept(expected, after) == expected
    moved(empty, revision, "downgrade")
    assert everything(empty) == before
    migrate(empty)
    complete(empty)


class _AtOnce:
    """A task queue whose chunks are replayed at once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())

    def publish(self, ref: ChunkRef) -> None:
        self._runner.run(ref.sweep_id, ref.chunk_id, "test")


def complete(engine: sa.Engine) -> None:
    """Replay what is left of the sweep, and check old and new rows."""
    old = stored_rows(engine, SWEEP)
    assert len(old) == 10
    dispatcher = Dispatcher(engine, _AtOnce(engine), "test")
    while not dispatcher.step().idle:
        pass
    assert state_of(engine, SWEEP) == "completed"
    rows = stored_rows(engine, SWEEP)
    assert rows[:10] == old
    with engine.connect() as connection:
        fresh = recomputed_rows(engine, SWEEP, get_spec(connection, SWEEP))
    assert rows[10:] == fresh[10:]
    for name in ("number", "state", "net_pnl", "total_funding", "total_fees", "final_equity", "total_trades"):
        assert [row[name] for row in rows] == [row[name] for row in fresh], name
    assert_packed_as_stored(engine, SWEEP)
