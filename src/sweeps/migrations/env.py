"""Runs migrations on the connection, and in the transaction, that the caller brings."""

from typing import Literal

from alembic import context

from bot.market_store.paper import tables as paper_tables
from bot.market_store.paper.tables import Exact
from bot.market_store.tables import metadata
from sweeps.storage import tables

connection = context.config.attributes["connection"]


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our own column types as what they are stored as, so that old revisions outlive them."""
    return "sa.Text()" if kind == "type" and isinstance(item, Exact) else False


context.configure(connection=connection, target_metadata=metadata, compare_type=True, render_item=render_item)
context.run_migrations()

__all__ = ["paper_tables", "tables"]
