"""Harm that sweeps do to their workers, ordered in their names: so one running service meets every fault."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

CHILD_MEMORY = "TEST_CHILD_MEMORY_KIB"
SLOW_COMMIT = "TEST_COMMIT_S"
TRIAL_MS = "TRIAL_MS"
"""Variables: the memory from which a pool process is replaced, how long it takes to commit results, and how
long the trials of sweeps take that say nothing about it."""

BUSY_S = 45
"""Seconds that a busy trial takes: more than a lease as shipped."""

_SIGN = "harmful"

COMMITTING = "about to commit results"


@dataclass(frozen=True)
class Orders:
    """Harm done by the trials of a sweep, by number or `all`, and before the first of a chunk."""

    trial_ms: float = float(os.environ.get(TRIAL_MS, "0"))
    outside: str = ""
    trials: Mapping[str, str] = field(default_factory=dict)


def harmful(*, trial_ms: float = 0, outside: str = "", **trials: str) -> str:
    """Return the name of a sweep whose trials take so long, and of which some do harm: t7="exit"."""
    harms = " ".join(f"{name.removeprefix('t')}={harm}" for name, harm in trials.items())
    return f"{_SIGN} {trial_ms:g} {outside or '-'} {harms}".strip()


@cache
def orders_of(name: str) -> Orders:
    """Return what the sweep of that name is told to do."""
    sign, *told = name.split()
    if sign != _SIGN:
        return Orders()
    trial_ms, outside, *harms = told
    return Orders(float(trial_ms), outside.strip("-"), dict(harm.split("=") for harm in harms))
