"""The commands that serve: everything at once, or the dispatcher alone."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from api.database import ready_database
from api.settings import Settings
from bot.kernel.loading import plain_replays
from carrygrid.cli.interrupts import raise_interrupt
from carrygrid.local.ports import LOOPBACK
from carrygrid.local.programs import DISPATCHER, as_command
from carrygrid.local.servers import shown
from carrygrid.local.stack import Addresses, LocalStack


def serve(port: int, workers: int | None, host: str = LOOPBACK) -> None:
    """Start the local service, print its addresses and keep it until a signal ends it."""
    console = Console(stderr=True, highlight=False)
    warn_of_plain_replays(console)
    serves = False
    with interruptible_by_signals():
        try:
            with LocalStack(Settings(), port=port, workers=workers, host=host) as stack:
                with console.status("starting broker, API, dispatcher, workers and Flower"):
                    stack.wait_ready()
                print_addresses(stack.addresses)
                serves = True
                stack.watch(console.print)
        except KeyboardInterrupt:
            console.print("stopped")
            if not serves:  # a signal is how serving ends, but not how it starts
                raise


def warn_of_plain_replays(console: Console) -> None:
    """Print one loud line if this installation has no kernel that works."""
    if warning := plain_replays():
        console.print(f"SWEEPS RUN PLAINLY: {warning}", soft_wrap=True, markup=False)


def print_addresses(addresses: Addresses) -> None:
    """Print where the service is found."""
    print(
        f"Dashboard  {addresses.dashboard}\n"
        f"API docs   {addresses.docs}\n"
        f"Flower     {addresses.flower}\n"
        f"Broker     {addresses.broker}\n"
        f"Database   {addresses.database}\n"
        f"Logs       {addresses.logs}\n"
        "Ctrl-C stops everything.",
        flush=True,
    )


@contextmanager
def interruptible_by_signals() -> Iterator[None]:
    """Make SIGTERM and SIGHUP raise KeyboardInterrupt, as SIGINT does."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, raise_interrupt) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def migrate_database() -> None:
    """Bring the database of the settings to the newest schema and say so."""
    settings = Settings()
    with ready_database(settings):
        print(f"{shown(settings.database)} is ready")


def become_dispatcher() -> None:
    """Replace this process by the dispatcher."""
    os.execv(sys.executable, as_command(DISPATCHER))  # noqa: S606 - our own command; no shell is wanted
