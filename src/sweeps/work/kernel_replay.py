"""Trials of one window, replayed by the compiled kernel, or plainly where there is none or it leaves them."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from bot.backtest import Baselines
from bot.config.parameter_columns import ParameterColumns
from bot.kernel.loading import usable
from bot.kernel.replayer import KernelReplayer
from bot.kernel.unfit import Reason
from bot.market.window import ReplayWindow
from bot.numbers.arrays import BoolArray
from bot.statistics.daily_returns import DailyReturns
from bot.statistics.trial_columns import TrialColumns


@dataclass(frozen=True, slots=True, eq=False)
class FastReplays:
    """Results of trials in their order, which of them the kernel replayed, and why it left the others.

    `days` are their daily returns.
    """

    columns: TrialColumns
    days: DailyReturns
    by_kernel: BoolArray
    left: Counter[Reason]


def kernel_replayer(window: ReplayWindow) -> KernelReplayer | None:
    """Return what replays trials of a window in the kernel, None without its library."""
    library = usable()
    return None if library is None else KernelReplayer(library, window)


def replay_fast(
    kernel: KernelReplayer | None,
    baselines: Baselines,
    parameters: ParameterColumns,
    missing: Reason = Reason.NO_LIBRARY,
) -> FastReplays:
    """Return the results of trials of one window, equal in every bit to those of plain replays.

    `missing` is why there is no kernel, if there is none.
    """
    by_kernel = np.zeros(len(parameters), dtype=np.bool_)
    if kernel is None:
        left = Counter({missing: len(parameters)})
        return FastReplays(*_plain(baselines, parameters), by_kernel, left)
    done = kernel.replay(parameters)
    if len(done.places) == len(parameters):
        by_kernel[:] = True
        return FastReplays(done.columns, done.days, by_kernel, done.refused)
    by_kernel[done.places] = True
    rest = np.flatnonzero(~by_kernel)
    own_columns, own_days = _plain(baselines, parameters.take(rest))
    columns = TrialColumns.concatenated([done.columns, own_columns])
    days = DailyReturns.concatenated([done.days, own_days])
    order = np.argsort(np.concatenate([done.places, rest]), kind="stable")
    return FastReplays(columns.take(order), days.take(order), by_kernel, done.refused)


def _plain(baselines: Baselines, parameters: ParameterColumns) -> tuple[TrialColumns, DailyReturns]:
    summaries, days = baselines.replayed(list(parameters.configs()))
    return TrialColumns.of(summaries), days
