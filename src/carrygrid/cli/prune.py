"""The command `prune`: delete what ended long ago."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from api.database import ready_database
from api.settings import Settings
from bot.market_store.database import compact as compacted
from bot.plurals import counted
from bot.timestamps import iso
from carrygrid.cli.printing import console, plain_table, showable
from sweeps.jobs.retention import Expired, expired, prune


def prune_ended(days: int, kept_tags: Sequence[str], *, dry_run: bool, compact: bool, as_json: bool) -> None:
    """Delete sweeps and jobs that ended more than `days` ago, or only say which."""
    with ready_database(Settings()) as engine:
        with engine.connect() as connection:
            found = expired(connection, days, kept_tags)
        if not dry_run:
            prune(engine, found)
        if compact and not dry_run:
            compacted(engine)
    if as_json:
        print(json.dumps({**asdict(found), "deleted": not dry_run}))
    else:
        _print(found, dry_run=dry_run)


def _print(found: Expired, *, dry_run: bool) -> None:
    table = plain_table("sweep", "name", "ended", numbers=("trials",))
    for old in found.sweeps:
        table.add_row(str(old.id), showable(old.name), iso(old.finished_ms), f"{old.trials:,}")
    if found.sweeps:
        console().print(table)
    counts = f"{counted(len(found.sweeps), 'sweep')} and {counted(found.jobs, 'job')}"
    print(f"{counts} that ended before {iso(found.before_ms)} {'would be deleted' if dry_run else 'deleted'}")
