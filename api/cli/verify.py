"""The command `data verify`: is what is stored still what was stored?"""

import json
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from api.local.database import ready_store
from api.settings import Settings
from bot.data.verifying import Verification, verify_market


def verify_data(exchange: str | None, *, as_json: bool) -> bool:
    """Print what is damaged of the stored market data; returns whether nothing is.

    Raises: UnknownExchangeError.
    """
    errors = Console(stderr=True, highlight=False)
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
    with ready_store(Settings()) as store, bar as progress, store.engine.connect() as connection:
        if exchange is not None:
            store.resolve_exchange(exchange)
        task = progress.add_task("verify", total=None)
        found = verify_market(
            connection, exchange, lambda done, total: progress.update(task, completed=done, total=total)
        )
    if as_json:
        print(json.dumps(asdict(found)))
    else:
        _print(found)
    return not found.damages


def _print(found: Verification) -> None:
    for damage in found.damages:
        where = f"{damage.exchange} {damage.symbol} {damage.kind} {damage.month}"
        print(f"{where}: {damage.reason}")
    read = f"{found.rows:,} rows of {found.series:,} series in {found.months:,} months read"
    bad = f"{len(found.damages)} months are damaged: restore a backup, or import into a new database"
    print(f"{read}; {bad if found.damages else 'every fingerprint agrees'}")
