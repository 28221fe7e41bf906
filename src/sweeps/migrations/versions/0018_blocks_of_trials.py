"""Blocks as the record of completed trials: rows are left to the failed ones."""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

from sweeps.migrations.packing_of_0018 import packed, packed_digests, unpacked, unpacked_digests

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_MONEY = (
    "net_pnl",
    "total_funding",
    "price_pnl",
    "total_fees",
    "max_drawdown",
    "final_equity",
    "hold_net_pnl",
    "available_funding",
    "missed_before_entry",
    "missed_between",
    "missed_after_exit",
    "extra_fees",
    "pnl_after_market_end",
)
_COUNTS = (
    "total_trades",
    "winning_trades",
    "liquidations",
    "margin_exits",
    "skipped_entries",
    "funding_payments",
    "extra_round_trips",
    "delistings",
    "missed_settlements",
)
_STATISTICS = (
    "win_rate",
    "max_drawdown_pct",
    "total_return",
    "annualized_return",
    "volatility",
    "sharpe",
    "sortino",
    "calmar",
    "profit_factor",
    "time_in_market",
    "avg_holding_hours",
    "longest_drawdown_days",
    "best_month_share",
    "best_trade_share",
    "breakeven_settlements",
    "captured_share",
)
_METRICS = (*_MONEY, *_COUNTS, *_STATISTICS)
_ADDED = ("run_key_head", "run_key_tail", "ledger", "reused_sweep", "reused_number")
_FAILED = "state = 'failed'"
_HEAD, _KEY, _DIGEST = 8, 32, 16
_AT_ONCE = 1_000
_UNDEFINED = -(2**63)
_UNRANKED = 2**63 - 1
_UNKNOWN_HISTORY = -1

_block = sa.table("trial_block", *map(sa.column, ("sweep_id", "name", "first", "last", "data")))
_old_block = sa.table("trial_block_old", *map(sa.column, ("sweep_id", "name", "first", "last", "data")))
_trial = sa.table(
    "trial",
    *map(sa.column, ("sweep_id", "number", "state", "error_code", "error", "run_key", "run_hash")),
    *map(sa.column, ("reused_sweep", "reused_number", *_METRICS)),
    sa.column("ledger", sa.LargeBinary()),
)
_sweep = sa.table("sweep", sa.column("id"), sa.column("spec"))
_chunk = sa.table("chunk", *map(sa.column, ("sweep_id", "id", "best_number", "best_rank")))
_failed = sa.table("failed_trial", *map(sa.column, ("sweep_id", "number", "error_code", "error")))
_curve = sa.table(
    "trial_curve", *map(sa.column, ("sweep_id", "number", "objective_rank", "equity", "trades"))
)
_old_curve = sa.table("trial_curve_old", *map(sa.column, ("sweep_id", "number", "equity", "trades")))
_history = sa.table("sweep_fingerprint", *map(sa.column, ("fingerprint", "sweep_id")))


def upgrade() -> None:
    """Move run keys, ledgers and origins of completed trials into blocks, ranks to curves and chunks."""
    connection = op.get_bind()
    _create_failed_trial()
    _create_fingerprint()
    _set_aside("trial_block")
    _create_block(with_last=True)
    _set_aside("trial_curve")
    _create_curve(of_trial=False)
    op.add_column("chunk", sa.Column("best_rank", sa.BigInteger(), nullable=True))
    for sweep_id, spec in connection.execute(sa.select(_sweep.c.id, _sweep.c.spec)).all():
        _pack_sweep(connection, sweep_id)
        _rank_sweep(connection, sweep_id, spec)
    failed = sa.select(_trial.c.sweep_id, _trial.c.number, _trial.c.error_code, _trial.c.error)
    names = ["sweep_id", "number", "error_code", "error"]
    connection.execute(_failed.insert().from_select(names, failed.where(sa.text(_FAILED))))
    for table in ("trial_block_old", "trial_curve_old", "trial"):
        op.drop_table(table)


def downgrade() -> None:
    """Write a row for each trial again, and leave the metrics alone in the blocks."""
    connection = op.get_bind()
    _create_trial()
    _set_aside("trial_block")
    _create_block(with_last=False)
    _set_aside("trial_curve")
    _create_curve(of_trial=True)
    for sweep_id in connection.execute(sa.select(_sweep.c.id)).scalars().all():
        _unpack_sweep(connection, sweep_id)
    for sweep_id, number, code, error in connection.execute(sa.select(_failed)).all():
        row = {"sweep_id": sweep_id, "number": number, "state": "failed", "error_code": code, "error": error}
        connection.execute(_trial.insert(), row)
    names = ["sweep_id", "name", "first", "data"]
    kept = sa.select(*(_old_block.c[name] for name in names)).where(_old_block.c.name.not_in(_ADDED))
    connection.execute(_block.insert().from_select(names, kept))
    names = ["sweep_id", "number", "equity", "trades"]
    connection.execute(_curve.insert().from_select(names, sa.select(*(_old_curve.c[name] for name in names))))
    op.drop_column("chunk", "best_rank")
    for table in ("trial_block_old", "trial_curve_old", "failed_trial", "sweep_fingerprint"):
        op.drop_table(table)


def _set_aside(name: str) -> None:
    """Rename a table, and the key that another one of its name will have."""
    op.rename_table(name, f"{name}_old")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER INDEX pk_{name} RENAME TO pk_{name}_old")


def _pack_sweep(connection: sa.Connection, sweep_id: int) -> None:
    """Add to each block what only the rows have; blocks that are not those of rows are made anew."""
    mine = sa.and_(_trial.c.sweep_id == sweep_id, _trial.c.state == "completed")
    left = set(connection.execute(sa.select(_trial.c.number).where(mine)).scalars())
    if left:
        history = {"fingerprint": _UNKNOWN_HISTORY, "sweep_id": sweep_id}
        connection.execute(_history.insert(), history)
    old = sa.and_(_old_block.c.sweep_id == sweep_id, _old_block.c.name == "number")
    firsts = connection.execute(sa.select(_old_block.c.first, _old_block.c.data).where(old)).all()
    for first, data in firsts:
        numbers = unpacked(data, np.int64).tolist()
        if not numbers or not left.issuperset(numbers):
            continue
        rows = _rows(connection, mine, numbers)
        if len(_by_kind(rows)) > 1:
            continue
        _copy_block(connection, sweep_id, first, numbers[-1])
        _add_block(connection, sweep_id, rows, ())
        left.difference_update(numbers)
    ordered = sorted(left)
    for at in range(0, len(ordered), _AT_ONCE):
        for rows in _by_kind(_rows(connection, mine, ordered[at : at + _AT_ONCE])):
            _add_block(connection, sweep_id, rows, ("number", *_METRICS))


def _rows(
    connection: sa.Connection, mine: sa.ColumnElement[bool], numbers: Sequence[int]
) -> list[sa.RowMapping]:
    wanted = set(numbers)
    query = sa.select(_trial).where(mine, _trial.c.number.between(numbers[0], numbers[-1]))
    rows = connection.execute(query.order_by(_trial.c.number)).mappings()
    return [row for row in rows if row["number"] in wanted]


def _by_kind(rows: Sequence[sa.RowMapping]) -> list[list[sa.RowMapping]]:
    """Return rows apart that have run keys and ledgers, or lack one of them."""
    kinds: dict[tuple[bool, bool], list[sa.RowMapping]] = {}
    for row in rows:
        kinds.setdefault((row["run_key"] is None, row["ledger"] is None), []).append(row)
    return list(kinds.values())


def _copy_block(connection: sa.Connection, sweep_id: int, first: int, last: int) -> None:
    old = _old_block.c
    columns = sa.select(old.sweep_id, old.name, old.first, sa.literal(last, sa.Integer), old.data)
    columns = columns.where(old.sweep_id == sweep_id, old.first == first)
    connection.execute(_block.insert().from_select(["sweep_id", "name", "first", "last", "data"], columns))


def _add_block(
    connection: sa.Connection, sweep_id: int, rows: Sequence[sa.RowMapping], names: Sequence[str]
) -> None:
    """Store run keys, ledgers and origins of the trials of one block, if they have them, and columns."""
    found = {name: _packed_values(name, [row[name] for row in rows]) for name in names}
    keys = [row["run_key"] for row in rows]
    if None not in keys:
        digests = np.frombuffer(bytes.fromhex("".join(keys)), dtype=np.uint8).reshape(-1, _KEY)
        found["run_key_head"] = packed_digests(digests[:, :_HEAD])
        found["run_key_tail"] = packed_digests(digests[:, _HEAD:])
    ledgers = [row["ledger"] for row in rows]
    if None not in ledgers:
        joined = np.frombuffer(b"".join(ledgers), dtype=np.uint8)
        found["ledger"] = packed_digests(joined.reshape(-1, _DIGEST))
    if any(row["reused_sweep"] is not None for row in rows):
        for name in ("reused_sweep", "reused_number"):
            found[name] = _packed_values(name, [row[name] for row in rows])
    place = {"sweep_id": sweep_id, "first": rows[0]["number"], "last": rows[-1]["number"]}
    blocks = [{**place, "name": name, "data": data} for name, data in found.items()]
    if blocks:
        connection.execute(_block.insert(), blocks)


def _rank_sweep(connection: sa.Connection, sweep_id: int, spec: str) -> None:
    """Write down how the objective of each chunk's best trial, and of each with a curve, ranks."""
    objective = json.loads(spec).get("objective") or {}
    metric, maximize = objective.get("metric"), objective.get("direction") == "maximize"
    value = _trial.c[metric] if metric in _METRICS else sa.null()
    places = (
        sa.select(_chunk.c.id, value)
        .join(_trial, sa.and_(_trial.c.sweep_id == sweep_id, _trial.c.number == _chunk.c.best_number))
        .where(_chunk.c.sweep_id == sweep_id)
    )
    for chunk_id, found in connection.execute(places).all():
        mine = sa.and_(_chunk.c.sweep_id == sweep_id, _chunk.c.id == chunk_id)
        connection.execute(_chunk.update().where(mine).values(best_rank=_rank(found, maximize=maximize)))
    curves = (
        sa.select(_old_curve.c.number, value)
        .join(_trial, sa.and_(_trial.c.sweep_id == sweep_id, _trial.c.number == _old_curve.c.number))
        .where(_old_curve.c.sweep_id == sweep_id)
    )
    old = _old_curve.c
    for number, found in connection.execute(curves).all():
        rank = sa.literal(_rank(found, maximize=maximize), sa.BigInteger)
        query = sa.select(old.sweep_id, old.number, rank, old.equity, old.trades)
        query = query.where(old.sweep_id == sweep_id, old.number == number)
        names = ["sweep_id", "number", "objective_rank", "equity", "trades"]
        connection.execute(_curve.insert().from_select(names, query))


def _rank(value: float | None, *, maximize: bool) -> int:
    if value is None:
        return _UNRANKED
    if isinstance(value, float):
        bits: int = struct.unpack("<q", struct.pack("<d", value + 0.0))[0]
        value = bits ^ _UNRANKED if bits < 0 else bits
    return ~int(value) if maximize else int(value) - 1


def _unpack_sweep(connection: sa.Connection, sweep_id: int) -> None:
    old = _old_block.c
    firsts = sa.select(old.first).where(old.sweep_id == sweep_id, old.name == "number")
    for first in connection.execute(firsts).scalars().all():
        query = sa.select(old.name, old.data).where(old.sweep_id == sweep_id, old.first == first)
        data = {row.name: row.data for row in connection.execute(query)}
        connection.execute(_trial.insert(), list(_unpacked_rows(sweep_id, data)))


def _unpacked_rows(sweep_id: int, data: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    whole = ("number", "reused_sweep", "reused_number", *_MONEY, *_COUNTS)
    columns: dict[str, list[Any]] = {
        name: [None if value == _UNDEFINED else value for value in unpacked(data[name], np.int64).tolist()]
        for name in whole
        if name in data
    }
    for name in _STATISTICS:
        if name in data:
            values = unpacked(data[name], np.float64).tolist()
            columns[name] = [None if value != value else value for value in values]  # noqa: PLR0124 - NaN
    if "run_key_head" in data:
        heads = unpacked_digests(data["run_key_head"], _HEAD)
        tails = unpacked_digests(data["run_key_tail"], _KEY - _HEAD)
        columns["run_key"] = [(a + b).hex() for a, b in zip(heads, tails, strict=True)]
        columns["run_hash"] = [int(key[:15], 16) for key in columns["run_key"]]
    if "ledger" in data:
        columns["ledger"] = unpacked_digests(data["ledger"], _DIGEST)
    names = [column.name for column in _trial.c]
    nothing = [None] * len(columns["number"])
    lists = [columns.get(name, nothing) for name in names]
    for values in zip(*lists, strict=True):
        yield dict(zip(names, values, strict=True)) | {"sweep_id": sweep_id, "state": "completed"}


def _packed_values(name: str, values: Sequence[Any]) -> bytes:
    real = name in _STATISTICS
    undefined = np.nan if real else _UNDEFINED
    listed = [undefined if value is None else value for value in values]
    return packed(np.array(listed, dtype=np.float64 if real else np.int64))


def _of_sweep(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_sweep_id_sweep"
    return sa.ForeignKeyConstraint(["sweep_id"], ["sweep.id"], name=name, ondelete="CASCADE")


def _create_failed_trial() -> None:
    op.create_table(
        "failed_trial",
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("error_code", sa.String(length=32), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        _of_sweep("failed_trial"),
        sa.PrimaryKeyConstraint("sweep_id", "number", name="pk_failed_trial"),
        sqlite_with_rowid=False,
    )


def _create_fingerprint() -> None:
    op.create_table(
        "sweep_fingerprint",
        sa.Column("fingerprint", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        _of_sweep("sweep_fingerprint"),
        sa.PrimaryKeyConstraint("fingerprint", "sweep_id", name="pk_sweep_fingerprint"),
        sqlite_with_rowid=False,
    )


def _create_block(*, with_last: bool) -> None:
    op.create_table(
        "trial_block",
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        *([sa.Column("last", sa.Integer(), nullable=False)] if with_last else []),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        _of_sweep("trial_block"),
        sa.PrimaryKeyConstraint("sweep_id", "name", "first", name="pk_trial_block"),
        sqlite_with_rowid=with_last,  # whose pages hold blobs four times as large without another page
    )


def _create_curve(*, of_trial: bool) -> None:
    key = (
        sa.ForeignKeyConstraint(
            ["sweep_id", "number"],
            ["trial.sweep_id", "trial.number"],
            name="fk_trial_curve_sweep_id_number_trial",
            ondelete="CASCADE",
        )
        if of_trial
        else _of_sweep("trial_curve")
    )
    op.create_table(
        "trial_curve",
        sa.Column("sweep_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        *([] if of_trial else [sa.Column("objective_rank", sa.BigInteger(), nullable=False)]),
        sa.Column("equity", sa.LargeBinary(), nullable=False),
        sa.Column("trades", sa.LargeBinary(), nullable=False),
        key,
        sa.PrimaryKeyConstraint("sweep_id", "number", name="pk_trial_curve"),
    )


def _create_trial() -> None:
    op.create_table(
        "trial",
        sa.Column("sweep_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error_code", sa.String(length=32), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("run_key", sa.String(length=64), nullable=True),
        sa.Column("run_hash", sa.BigInteger(), nullable=True),
        sa.Column("ledger", sa.LargeBinary(), nullable=True),
        sa.Column("reused_sweep", sa.Integer(), nullable=True),
        sa.Column("reused_number", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in _MONEY),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in _COUNTS),
        *(sa.Column(name, sa.Float(), nullable=True) for name in _STATISTICS),
        _of_sweep("trial"),
        sa.PrimaryKeyConstraint("sweep_id", "number", name="pk_trial"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_trial_run_hash", "trial", ["run_hash"])
    op.create_index(
        "ix_trial_failed",
        "trial",
        ["sweep_id", "state", "number"],
        sqlite_where=sa.text(_FAILED),
        postgresql_where=sa.text(_FAILED),
    )
