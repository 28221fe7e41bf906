"""Columns of blocks packed plane by plane; those of before are read as they are."""

import sqlalchemy as sa
from alembic import op

from sweeps.migrations.packing_of_0018 import packed
from sweeps.migrations.packing_of_0020 import BY_PLANES, unpacked_planes

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

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
        block.name.not_in(_DIGESTS), first == sa.literal(bytes([BY_PLANES]), sa.LargeBinary)
    )
    for key in connection.execute(by_planes).all():
        mine = sa.and_(block.sweep_id == key.sweep_id, block.name == key.name, block.first == key.first)
        data = connection.execute(sa.select(block.data).where(mine)).scalar_one()
        connection.execute(_block.update().where(mine).values(data=packed(unpacked_planes(bytes(data)))))
