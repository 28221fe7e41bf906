"""Rows of trials made ready to be stored, so that the transaction that stores them is short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import sqlalchemy as sa

from bot.market_store.database import insert_columns, insert_or_skip
from sweeps.storage.blocks import blocks_of
from sweeps.storage.stored_columns import Columns, stored_columns
from sweeps.storage.tables import trial, trial_block


@dataclass(frozen=True, slots=True)
class Results:
    """Rows by column, and the blocks that index those of completed trials; all of one sweep."""

    columns: Columns
    blocks: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """Return the rows ready to be stored; raises ResultRangeError if an amount does not fit."""
        if not rows:
            return cls({}, ())
        columns = stored_columns(trial, rows)
        return cls(columns, blocks_of(columns))

    def store(self, connection: sa.Connection) -> None:
        """Store them, but for those that are there."""
        if self.columns:
            insert_columns(connection, trial, self.columns)
        if self.blocks:
            connection.execute(insert_or_skip(connection, trial_block), self.blocks)
