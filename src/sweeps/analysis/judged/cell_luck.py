"""Chance of luck of single trials, as the stored report on the selection of their sweep has it."""

import math

import numpy as np
import sqlalchemy as sa

from bot.numbers.arrays import FloatArray, IntArray
from bot.selection.report import SelectionReport
from bot.statistics.metrics import DAYS_PER_YEAR
from sweeps.analysis.judged.judged_panels import JudgedPanels, made_report
from sweeps.analysis.progress import get_spec
from sweeps.spec.panels import PanelWindows
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import measured

_SHARPE = "sharpe"


def chances_of_luck(connection: sa.Connection, sweep_id: int, numbers: IntArray) -> FloatArray | None:
    """Return the chance that luck alone shows the Sharpe ratio of each of some completed trials somewhere.

    NaN without a Sharpe ratio; None while the selection is not judged. Raises: UnknownSweepError.
    """
    spec = get_spec(connection, sweep_id)
    judged = made_report(connection, sweep_id, spec.validation)
    return None if judged is None else chances_by(judged, connection, sweep_id, spec, numbers)


def chances_by(
    judged: JudgedPanels, connection: sa.Connection, sweep_id: int, spec: SweepSpec, numbers: IntArray
) -> FloatArray:
    """Return the chances of `chances_of_luck` by a report that has been read."""
    done = measured(connection, sweep_id, (_SHARPE,), spec.guard)
    rows = np.searchsorted(done.numbers, numbers)
    daily = done.floats(_SHARPE)[rows] / math.sqrt(DAYS_PER_YEAR)
    windows = PanelWindows.of(spec)
    places = windows.places(numbers)
    chances = np.full(len(numbers), np.nan)
    for place, window in enumerate(windows.windows):
        own = places == place
        report = _report(judged, window.start, window.end, window.exchange)
        if report is not None and report.cash is not None:
            chances[own] = _chances(report.cash.search.highest, daily[own])
    return chances


def _report(judged: JudgedPanels, start: int, end: int, exchange: str | None) -> SelectionReport | None:
    fit = (
        one.report
        for one in judged.panels
        if (one.start_ms, one.end_ms) == (start, end) and exchange in {None, one.exchange}
    )
    return next(fit, None)


def _chances(highest: tuple[float, ...], daily: FloatArray) -> FloatArray:
    """Return `SearchLuck.p_luck` of many Sharpe ratios."""
    draws = len(highest)
    chances = (1 + draws - np.searchsorted(highest, daily)) / (draws + 1)
    return np.where(np.isnan(daily), np.nan, np.where(daily > 0, chances, 1.0))
