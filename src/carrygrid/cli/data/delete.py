"""The command `data delete`."""

import json

from api.database import ready_store
from api.settings import Settings
from bot.market_store.deleting import Removal, Selection
from bot.plurals import counted
from bot.timestamps import iso
from carrygrid.cli.confirmation import is_agreed
from carrygrid.cli.data.market_data import series_name
from carrygrid.cli.printing import console, plain_table


def delete_data(selection: Selection, *, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Print which rows are meant and, unless it is a dry run, remove them once the user agrees."""
    with ready_store(Settings()) as store:
        found = store.preview_removal(selection)
        deleted = False
        if found.rows and not dry_run:
            if not as_json:
                _print(found)
            question = f"Delete {counted(found.rows, 'row')}?"
            deleted = is_agreed(question, yes=yes, otherwise=", or --dry-run to only look")
        if deleted:
            found = store.remove(selection)
    if as_json:
        print(json.dumps({**found.document(), "deleted": deleted}))
        return
    if dry_run:
        _print(found)
    print(_told(found, deleted=deleted, dry_run=dry_run))


def _print(found: Removal) -> None:
    table = plain_table("exchange", "symbol", "series", "first", "last", numbers=("rows",))
    for one in found.series:
        name = series_name(one.kind, one.timeframe_ms)
        times = (_shown(one.first_ms), _shown(one.last_ms))
        table.add_row(found.exchange, one.symbol, name, *times, f"{one.rows:,}")
    if found.series:
        console().print(table)


def _shown(from_ms: int) -> str:
    return iso(from_ms) if from_ms else "always"


def _told(found: Removal, *, deleted: bool, dry_run: bool) -> str:
    if not found.rows:
        return "nothing of that is held"
    rows = counted(found.rows, "row")
    if dry_run:
        return f"{rows} would be deleted"
    if not deleted:
        return "nothing was deleted"
    if found.reinferred:
        settlements = counted(found.reinferred, "settlement")
        return f"{rows} deleted; the funding interval of {settlements} that stay is another one without them"
    return f"{rows} deleted"
