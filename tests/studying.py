"""A completed sweep as clients see it."""

from dataclasses import dataclass

from carrygrid import Client, Sweep


@dataclass(frozen=True)
class Study:
    """A completed sweep of 20 trials, shared by tests that only read."""

    client: Client
    sweep: Sweep
    address: str
