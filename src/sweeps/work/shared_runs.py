"""Trials whose runs are one and the same, so that a single replay gives the run record of them all."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bot.backtest.ledger_digest import OUT_OF_RANGE
from bot.config.parameters import AccountParameters
from sweeps.spec.spec import SweepSpec
from sweeps.spec.trial_groups import TrialGroup
from sweeps.work.replay import WindowCache


def shared_runs(
    spec: SweepSpec, numbers: Sequence[int], ledgers: Mapping[int, bytes], windows: WindowCache
) -> list[list[int]]:
    """Return trials by run, all of them known to be sound; the first of each stands for the others.

    Runs are the same where they book the same ledger under the same account, whatever their strategies were
    told to decide by. That is known only of strategies that enter with whole slots, as the kernel's columns
    of decisions say: a ledger does not name the quantities of shares of them.
    """
    found: list[list[int]] = []
    for group in spec.groups(np.array(numbers, dtype=np.int64), AccountParameters.model_fields):
        by_ledger: dict[bytes, list[int]] = {}
        for number, known in _known(group, windows):
            ledger = ledgers.get(number, OUT_OF_RANGE)
            if known and ledger != OUT_OF_RANGE:
                by_ledger.setdefault(ledger, []).append(number)
            else:
                found.append([number])
        found += by_ledger.values()
    return sorted(found)


def _known(group: TrialGroup, windows: WindowCache) -> Iterator[tuple[int, bool]]:
    """Yield the trials of a group, and whether each is known to enter with whole slots."""
    for number, config in zip(group.numbers.tolist(), group.parameters.configs(), strict=True):
        kernel = windows.held(config).kernel
        yield number, kernel is not None and kernel.enters_whole_slots(config)
