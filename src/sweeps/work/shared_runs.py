"""Trials with identical runs, so that a single replay gives the run record of all of them."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from bot.backtest.ledger_digest import OUT_OF_RANGE
from bot.config.parameter_columns import ParameterColumns
from bot.config.parameters import AccountParameters
from bot.kernel.decision_groups import decision_groups
from bot.numbers.arrays import BoolArray
from sweeps.spec.spec import SweepSpec
from sweeps.work.replay import HeldWindow, WindowCache, window_groups


def named_runs(
    spec: SweepSpec,
    numbers: Sequence[int],
    ledgers: Mapping[int, bytes],
    windows: WindowCache,
    run_keys: Mapping[int, bytes] | None = None,
) -> dict[Hashable, list[int]]:
    """Return trials by a name of their run, which it has in every sweep; all are known to be sound.

    Runs are the same where they book the same ledger under the same account on the same history, whatever
    their strategies were told to decide by. That is known only of strategies that enter with whole slots, as
    the kernel's columns of decisions say: a ledger does not name the quantities of shares of them. Another
    run is named by its key, or without `run_keys` by its trial.
    """
    found: dict[Hashable, list[int]] = {}
    for group in window_groups(spec, numbers, AccountParameters.model_fields):
        config = group.parameters.config(0)
        held = windows.held(config)
        account = tuple(getattr(config, one) for one in AccountParameters.model_fields)
        whole = _entering_whole_slots(held, group.parameters)
        for number, enters_whole in zip(group.numbers.tolist(), whole.tolist(), strict=True):
            ledger = ledgers.get(number, OUT_OF_RANGE)
            name: Hashable = (run_keys or {}).get(number, number)
            if ledger != OUT_OF_RANGE and enters_whole:
                name = held.window.fingerprint, account, ledger
            found.setdefault(name, []).append(number)
    return found


def _entering_whole_slots(held: HeldWindow, parameters: ParameterColumns) -> BoolArray:
    """Return the mask of trials that enter with whole slots; a strategy is asked once for each decision."""
    found = np.zeros(len(parameters), dtype=np.bool_)
    if held.kernel is not None:
        for group in decision_groups(parameters, np.arange(len(parameters))):
            found[group.places] = held.kernel.enters_whole_slots(group.run)
    return found
