"""Counts of a sweep's settings: those that beat holding, the eligible ones of them, those without trades."""

from dataclasses import dataclass

import numpy as np

from bot.numbers.arrays import IntArray
from sweeps.analysis.setting_ids import setting_ids
from sweeps.spec.axis_positions import Numbers
from sweeps.spec.scenarios import Scenarios
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import Measured


@dataclass(frozen=True, slots=True)
class SettingCounts:
    """Counts of settings, each at its scenario.

    `ahead` traded and made more than holding on the same account; of these, `able` are eligible and
    `liquidated` were. `idle` opened no position in any scenario.
    """

    total: int
    ahead: int
    able: int
    liquidated: int
    idle: int


def setting_counts(
    spec: SweepSpec, scenarios: Scenarios, every: Measured, cells: Numbers, settings: Measured
) -> SettingCounts:
    """Return the counts of `settings`, of which the trials `every`, with their `cells`, are scenarios."""
    ahead = settings.only((leads(settings) > 0) & (settings.values["total_trades"] > 0))
    traded = every.values["total_trades"] > 0
    ids, _ = setting_ids(spec.space, cells, scenarios.axes) if len(cells) else (cells, 0)
    total = len(settings.numbers)
    return SettingCounts(
        total=total,
        ahead=len(ahead.numbers),
        able=int(np.count_nonzero(ahead.eligible)),
        liquidated=int(np.count_nonzero(ahead.values["liquidations"])),
        idle=total - len(np.unique(ids[traded])),
    )


def leads(done: Measured) -> IntArray:
    """Return the net P&L over that of holding, in units of 1e-8."""
    return np.asarray(done.values["net_pnl"] - done.values["hold_net_pnl"], dtype=np.int64)
