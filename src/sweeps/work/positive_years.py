"""Count of trials in profit in every UTC year of their window, by replaying them."""

from collections.abc import Sequence

import numpy as np

from bot.backtest.periods.yearly import years
from bot.hedges.runs import AnyWindow
from bot.numbers.arrays import BoolArray, IntArray
from bot.statistics.daily_returns import DailyReturns
from sweeps.spec.spec import SweepSpec
from sweeps.work.replay import Prepared, WindowCache, prepare, replay_alone, replay_batch

_UNDECIDED = 1e-9
"""Growth of a year too small for its sign to be read off rounded returns; their error is far below it."""


def positive_every_year(spec: SweepSpec, numbers: Sequence[int], windows: WindowCache) -> list[int]:
    """Return those of completed trials whose equity rose in every UTC year, ascending.

    Years are those of `bot.backtest.periods.yearly`. Raises BotError where a trial is refused now.
    """
    ready, refused = prepare(spec, numbers, windows)
    if refused:
        raise refused[0].error
    found: list[int] = []
    for trials, replayed in zip(ready, replay_batch(ready), strict=True):
        positive, unsure = rising(replayed.days, trials.held.window)
        positive[unsure] = _plainly(trials, replayed.completed.numbers[unsure])
        found += replayed.completed.numbers[positive].tolist()
    return sorted(found)


def rising(days: DailyReturns, window: AnyWindow) -> tuple[BoolArray, BoolArray]:
    """Return which of n runs rose in every year of a window, and for which returns are too coarse to tell.

    A last event at midnight belongs to the year before it, as in the years of a curve.
    """
    moments = window.calendar.times_ms
    dates = np.datetime64(days.first_day) + np.arange(days.days)
    if len(moments) > 1:
        dates[-1] = (moments[-1:] - 1).astype("datetime64[ms]").astype("datetime64[D]")[0]
    named = dates.astype("datetime64[Y]").astype(np.int64)
    starts = np.flatnonzero(np.diff(named, prepend=named[0] - 1))
    with np.errstate(divide="ignore", invalid="ignore"):  # equity that was not positive: never rising
        growth = np.add.reduceat(np.log1p(days.rows), starts, axis=1)[days.row_of]
    moved = np.logical_or.reduceat(days.rows != 0, starts, axis=1)[days.row_of]
    close = (np.abs(growth) < _UNDECIDED) & moved
    positive: BoolArray = np.all(growth > 0, axis=1)
    unsure: BoolArray = np.all((growth > 0) | close, axis=1) & np.any(close, axis=1)
    return positive, unsure


def _plainly(trials: Prepared, numbers: IntArray) -> list[bool]:
    """Return whether each of some trials rose in every year, from its exact curve."""
    found = []
    for number in numbers.tolist():
        run = replay_alone(trials.without([other for other in trials.numbers() if other != number]))
        span = run.config.start, run.config.end
        changes = years(run.curve, run.config.initial_capital, span)
        found.append(all(year.change > 0 for year in changes))
    return found
