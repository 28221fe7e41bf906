"""Columns of blocks packed plane by plane; those of before are read as they are."""

import struct
import zlib

import numpy as np
import sqlalchemy as sa
from alembic import op

from sweeps.migrations.packing_of_0018 import packed

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_HEAD = struct.Struct("<BBBI")
_BY_PLANES, _PLANES, _CHECKSUM_BYTES, _RAW_DEFLATE = 1, 8, 4, -15
_DIGESTS = ("run_key_head", "run_key_tail", "ledger")
_block = sa.table("trial_block", *map(sa.column, ("sweep_id", "name", "first", "data")))


def upgrade() -> None:
    """Leave the blocks as they are: new ones say by their first byte that they are packed otherwise."""


def downgrade() -> None:
    """Pack columns as schema 0018 does."""
    connection = op.get_bind()
    block = _block.c
    first = sa.func.substr(block.data, 1, 1)
    by_planes = sa.select(block.sweep_id, block.name, block.first).where(
        block.name.not_in(_DIGESTS), first == sa.literal(bytes([_BY_PLANES]), sa.LargeBinary)
    )
    for key in connection.execute(by_planes).all():
        mine = sa.and_(block.sweep_id == key.sweep_id, block.name == key.name, block.first == key.first)
        data = connection.execute(sa.select(block.data).where(mine)).scalar_one()
        connection.execute(_block.update().where(mine).values(data=packed(_values(bytes(data)))))


def _values(data: bytes) -> np.ndarray:
    """Return the 8-byte values of a column packed plane by plane."""
    _, constant, noise, count = _HEAD.unpack_from(data)
    at = _HEAD.size + constant.bit_count()
    end = at + noise.bit_count() * count
    stream = data[end:-_CHECKSUM_BYTES]
    raw, others = data[at:end], zlib.decompress(stream, _RAW_DEFLATE) if stream else b""
    lone = iter(data[_HEAD.size : at])
    noisy = iter(np.frombuffer(raw, dtype=np.uint8).reshape(noise.bit_count(), count))
    left = _PLANES - constant.bit_count() - noise.bit_count()
    rest = iter(np.frombuffer(others, dtype=np.uint8).reshape(left, count))
    values = np.empty((count, _PLANES), dtype=np.uint8)
    for plane in range(_PLANES):
        if constant >> plane & 1:
            values[:, plane] = next(lone)
        else:
            values[:, plane] = next(noisy if noise >> plane & 1 else rest)
    return values.reshape(-1).view(np.int64)
