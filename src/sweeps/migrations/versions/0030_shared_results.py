"""Blocks in which trials that book the same share their results; those of before are read as they are."""

from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

from sweeps.migrations.packing_of_0018 import packed, packed_digests, unpacked, unpacked_digests
from sweeps.migrations.packing_of_0020 import BY_PLANES, unpacked_planes

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_RESULT, _LEDGER, _LEDGER_BYTES = "result", "ledger", 16
_OF_EACH = ("number", "run_key_head", "run_key_tail", "reused_sweep", "reused_number", _RESULT)
_block = sa.table("trial_block", *map(sa.column, ("sweep_id", "name", "first", "data")))


def upgrade() -> None:
    """Leave the blocks as they are: new ones that share results have a column which says so."""


def downgrade() -> None:
    """Write the results of each trial out."""
    connection = op.get_bind()
    shared = sa.select(_block.c.sweep_id, _block.c.first, _block.c.data).where(_block.c.name == _RESULT)
    for sweep_id, first, data in connection.execute(shared).all():
        mine = sa.and_(_block.c.sweep_id == sweep_id, _block.c.first == first)
        result_of = _values(bytes(data))
        columns = sa.select(_block.c.name, _block.c.data).where(mine, _block.c.name.not_in(_OF_EACH))
        for name, column in connection.execute(columns).all():
            written = _written_out(name, bytes(column), result_of)
            connection.execute(_block.update().where(mine, _block.c.name == name).values(data=written))
    connection.execute(_block.delete().where(_block.c.name == _RESULT))


def _written_out(name: str, data: bytes, result_of: Any) -> bytes:
    """Return a column with a row for each trial."""
    if name == _LEDGER:
        digests = np.frombuffer(b"".join(unpacked_digests(data, _LEDGER_BYTES)), dtype=np.uint8)
        return packed_digests(digests.reshape(-1, _LEDGER_BYTES)[result_of])
    values = _values(data)
    return data if len(values) == len(result_of) else packed(values[result_of])


def _values(data: bytes) -> Any:
    return unpacked_planes(data) if data[0] == BY_PLANES else unpacked(data, np.int64)
