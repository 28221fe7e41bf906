"""The command `demo`: the main job end to end, on recorded or generated data."""

import re
from pathlib import Path

from rich.console import Console

from api.database import ready_store
from api.settings import Settings
from bot.errors import BotError
from bot.market.symbols import SYNTHETIC_EXCHANGE, SYNTHETIC_EXCHANGES
from bot.market_store.synthetic.generator import generate
from bot.plurals import counted
from carrygrid.cli.client import service
from carrygrid.cli.data.market_data import import_path, refuse_incomplete
from carrygrid.cli.example_sweep import best_recorded, example_json
from carrygrid.cli.serving import (
    interruptible_by_signals,
    print_addresses,
    warn_of_plain_replays,
)
from carrygrid.cli.sweep.failed_trials import print_failures
from carrygrid.cli.sweep.follow import follow, print_top
from carrygrid.cli.sweep.selection import print_sentence
from carrygrid.local.stack import LocalStack
from sweeps.storage.states import SweepState

_SYNTHETIC_NOTE = (
    "Synthetic data: these markets are generated, not recorded; no number here is about a real one."
)


class DemoFailedError(BotError):
    """A demonstration whose sweep did not complete."""

    code = "demo_failed"


def run_demo(data: Path | None, *, port: int, workers: int | None, leave: bool) -> None:
    """Load data, start the service, submit the example sweep, show its end; then serve until Ctrl-C."""
    console = Console(stderr=True, highlight=False)
    warn_of_plain_replays(console)
    settings = Settings()
    serves = False
    with interruptible_by_signals():
        try:
            spec = _prepared(settings, data, console)
            with LocalStack(settings, port=port, workers=workers) as stack:
                with console.status("starting broker, API, dispatcher, workers and Flower"):
                    stack.wait_ready()
                _sweep(stack.addresses.dashboard, spec, console)
                if not leave:
                    print_addresses(stack.addresses)
                    serves = True
                    stack.watch(console.print)
        except KeyboardInterrupt:
            console.print("stopped")
            if not serves:
                raise


def _prepared(settings: Settings, data: Path | None, console: Console) -> bytes:
    exchange = SYNTHETIC_EXCHANGE if data is None else exchange_of(data)
    if data is not None:
        report = import_path(data, exchange, as_json=False)
        if not report.files:
            refuse_incomplete(report, as_json=False)
    with ready_store(settings) as store:
        missing = [one for one in SYNTHETIC_EXCHANGES if one not in store.exchanges()]
        if data is None and missing:
            with console.status("generating two years of markets"):
                generate(store, exchanges=missing)
        record = best_recorded(store.listing(), exchange)
    if data is None:
        print(_SYNTHETIC_NOTE)
    return example_json(record)


def exchange_of(path: Path) -> str:
    """Return the name under which the demo keeps data from `path`: that of the folder."""
    folder = path.resolve()
    name = (folder if folder.is_dir() else folder.parent).name.lower()
    return re.sub(r"[^a-z0-9_.-]+", "-", name).strip("-") or "recorded"


def _sweep(address: str, spec: bytes, console: Console) -> None:
    with service(address) as client:
        sweep = client.submit(spec)
        trials = counted(sweep.document["trials_total"], "trial")
        print(f"sweep {sweep.id}: {sweep.name}, {trials}; {sweep.page}")
        follow(sweep, console)
        print_sentence(sweep, wait=sweep.state == SweepState.COMPLETED)
        print_top(sweep, list(sweep.documents(limit=10)))
        print(f"Heatmap and equity curves: {sweep.page}")
    if sweep.state != SweepState.COMPLETED:
        failed = sweep.document["trials_failed"]
        print_failures(sweep)
        raise DemoFailedError(f"the sweep ended {sweep.state}: {counted(failed, 'trial')} failed")
