"""The database schema of the whole product, and the way from any older one to it."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.errors import StoreError
from bot.market_store.database import write_transaction

HEAD = "0031"
"""Revision that this program works with; `tests/keep_schema.py` writes down what it leaves in a database."""

_LOCK_KEY = 7_236_415_198


def migrate(engine: sa.Engine) -> None:
    """Bring the database to `HEAD`; returns at once when it is there. Safe in several processes at a time.

    Raises: StoreError if the database cannot be used or is newer than this program.
    """
    try:
        if current_revision(engine) == HEAD:
            return
        with write_transaction(engine) as connection:
            _upgrade(connection)
    except sa.exc.DBAPIError as error:
        raise StoreError(f"the database {_name(engine)} cannot be used: {error.orig}") from error


def current_revision(engine: sa.Engine) -> str | None:
    """Return the database's revision, None if it has no schema yet."""
    with engine.connect() as connection:
        return _revision(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def refuse_newer(revision: str, name: str) -> None:
    """Raise StoreError if no program up to this one made the schema of the database called `name`."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow to load, and rarely needed

    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision not in known:
        raise StoreError(f"the database {name} has schema {revision}, newer than this program ({HEAD})")


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415

    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_KEY)))
    config = _config()
    config.attributes["connection"] = connection
    revision = _revision(connection)
    if revision is not None:
        refuse_newer(revision, _name(connection.engine))
    command.upgrade(config, HEAD)


def _config() -> Any:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _name(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
