"""Trials whose runs are one and the same, so that a single replay gives the run record of them all."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from bot.backtest.ledger_digest import OUT_OF_RANGE
from bot.config.parameters import AccountParameters
from sweeps.spec.spec import SweepSpec
from sweeps.work.replay import WindowCache


def shared_runs(
    spec: SweepSpec, numbers: Sequence[int], ledgers: Mapping[int, bytes], windows: WindowCache
) -> list[list[int]]:
    """Return trials by run, all of them known to be sound; the first of each stands for the others."""
    return sorted(named_runs(spec, numbers, ledgers, windows).values())


def named_runs(
    spec: SweepSpec,
    numbers: Sequence[int],
    ledgers: Mapping[int, bytes],
    windows: WindowCache,
    run_keys: Mapping[int, str] | None = None,
) -> dict[Hashable, list[int]]:
    """Return trials by a name of their run, which it has in every sweep; all are known to be sound.

    Runs are the same where they book the same ledger under the same account on the same history, whatever
    their strategies were told to decide by. That is known only of strategies that enter with whole slots, as
    the kernel's columns of decisions say: a ledger does not name the quantities of shares of them. Another
    run is named by its key, or without `run_keys` by its trial.
    """
    found: dict[Hashable, list[int]] = {}
    for group in spec.groups(np.array(numbers, dtype=np.int64), AccountParameters.model_fields):
        for number, config in zip(group.numbers.tolist(), group.parameters.configs(), strict=True):
            held, ledger = windows.held(config), ledgers.get(number, OUT_OF_RANGE)
            name: Hashable = (run_keys or {}).get(number, number)
            if ledger != OUT_OF_RANGE and held.kernel is not None and held.kernel.enters_whole_slots(config):
                account = tuple(getattr(config, one) for one in AccountParameters.model_fields)
                name = held.window.fingerprint, account, ledger
            found.setdefault(name, []).append(number)
    return found
