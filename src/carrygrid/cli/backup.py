"""The commands `backup` and `restore` for the SQLite database of one machine."""

from pathlib import Path

from api.settings import Settings
from bot.errors import InvalidInputError
from bot.market_store.backup import back_up, database_file, restore
from bot.market_store.database import open_engine
from carrygrid.cli.files import output
from sweeps.migrations import migrate, refuse_newer


def write_backup(path: Path, *, force: bool) -> None:
    """Copy the database to a file, while the service runs or not."""
    source = database_file(Settings().database)
    with output(path, force=force, option="FILE"):
        back_up(source, path)
    print(f"{source} copied to {path}, {path.stat().st_size:,} bytes, integrity checked")


def restore_backup(path: Path, *, force: bool) -> None:
    """Put a copy in the place of the database, and bring it to the newest schema."""
    settings = Settings()
    target = database_file(settings.database)
    if not path.is_file():
        raise InvalidInputError.of("FILE", f"{path} is no file")
    if target.exists() and not force:
        raise InvalidInputError.of("FILE", f"{target} is there already; --force replaces it by {path}")
    settings.make_home()
    restore(path, target, lambda revision: refuse_newer(revision, str(path)))
    engine = open_engine(settings.database)
    try:
        migrate(engine)
    finally:
        engine.dispose()
    print(f"{target} restored from {path}; work that was under way goes on when the service is started")
