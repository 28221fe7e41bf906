"""The commands `data verify` and `sweep verify`: checks of stored data and results."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from api.database import ready_database, ready_store
from api.settings import Settings
from bot.errors import InvalidInputError
from bot.market_store.store import HistoricalDataStore
from bot.market_store.verifying import Verification, verify_market
from bot.plurals import counted
from sweeps.errors import SweepStateError
from sweeps.work.replay import WindowCache
from sweeps.work.verifying import Difference, drawn, row_compatibility, verify_trials

_USUAL_SAMPLE = 100


def verify_data(exchange: str | None, *, as_json: bool) -> bool:
    """Print what is damaged of the stored market data; returns whether nothing is.

    Raises: UnknownExchangeError.
    """
    with ready_store(Settings()) as store, _bar() as progress, store.engine.connect() as connection:
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


def verify_sweep(sweep_id: int, sample: int | None, *, every: bool, as_json: bool) -> bool:
    """Print where stored trials differ from their replay, of all or of a sample; returns whether none does.

    Raises: UnknownSweepError; SweepStateError if engine or market data are no longer the sweep's.
    """
    if every and sample is not None:
        raise InvalidInputError.of("--sample", f"{sample} trials are wanted, and all by --all")
    with ready_database(Settings()) as engine, _bar() as progress:
        with engine.connect() as connection:
            found = row_compatibility(connection, sweep_id)
            numbers = drawn(connection, sweep_id, None if every else sample or _USUAL_SAMPLE)
        if found.obstacle is not None:
            raise SweepStateError(f"sweep {sweep_id} cannot be verified: {found.obstacle}")
        windows = WindowCache(HistoricalDataStore(engine))
        checked = verify_trials(engine, found, numbers, windows)
        differences = [
            one for _, each in progress.track(checked, len(numbers), description="verifying") for one in each
        ]
    if as_json:
        told = {"sweep": sweep_id, "trials": len(numbers), "differences": [asdict(d) for d in differences]}
        print(json.dumps(told))
    else:
        _print_differences(len(numbers), differences)
    return not differences


def _bar() -> Progress:
    errors = Console(stderr=True, highlight=False)
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


def _print_differences(count: int, differences: list[Difference]) -> None:
    for one in differences:
        print(f"trial {one.number}: {one.name} is stored as {one.stored}, its replay gives {one.replayed}")
    trials = len({one.number for one in differences})
    differ = counted(trials, "of them differs", "of them differ")
    outcome = differ if trials else "every stored number agrees"
    print(f"{counted(count, 'trial')} replayed one by one; {outcome}")


def _print(found: Verification) -> None:
    for damage in found.damages:
        month = "" if damage.month is None else f" {damage.month}"
        where = f"{damage.exchange} {damage.symbol} {damage.kind}{month}"
        print(f"{where}: {damage.reason}")
    read = f"{counted(found.rows, 'row')} of {found.series:,} series in {counted(found.months, 'month')} read"
    damaged = counted(len(found.damages), "part is damaged", "parts are damaged")
    bad = f"{damaged}: restore a backup, or import into a new database"
    print(f"{read}; {bad if found.damages else 'every fingerprint agrees'}")
