"""Chance of luck of single trials, as the stored report on the selection of their sweep has it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.numbers.arrays import FloatArray, IntArray
from bot.selection.report import BenchmarkReport, SelectionReport
from bot.selection.track.sample_sharpe import sample_sharpes
from bot.statistics.metrics import DAYS_PER_YEAR
from sweeps.analysis.judged.judged_panels import JudgedPanels, made_report
from sweeps.analysis.progress import get_spec
from sweeps.spec.panels import PanelWindows
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import measured

_SHARPE = "sharpe"
_OF_SAMPLE = ("psr", "t_eff", "skewness", "kurtosis")


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
    done = measured(connection, sweep_id, (_SHARPE, *_OF_SAMPLE), spec.guard)
    rows = np.searchsorted(done.numbers, numbers)
    windows = PanelWindows.of(spec)
    places = windows.places(numbers)
    chances = np.full(len(numbers), np.nan)
    for place, window in enumerate(windows.windows):
        own = places == place
        report = _report(judged, window.start, window.end, window.exchange)
        if report is not None and report.cash is not None:
            columns = {name: done.floats(name)[rows[own]] for name in (_SHARPE, *_OF_SAMPLE)}
            chances[own] = _chances(report, report.cash, numbers[own], columns)
    return chances


def chance_in(report: SelectionReport, number: int, metrics: Mapping[str, Any]) -> float | None:
    """Return the chance of luck of one trial by the report on its panel; None without a Sharpe ratio."""
    if report.cash is None:
        return None
    columns = {name: np.array([metrics[name]], dtype=np.float64) for name in (_SHARPE, *_OF_SAMPLE)}
    chance = float(_chances(report, report.cash, np.array([number]), columns)[0])
    return None if math.isnan(chance) else chance


def _report(judged: JudgedPanels, start: int, end: int, exchange: str | None) -> SelectionReport | None:
    fit = (
        one.report
        for one in judged.panels
        if (one.start_ms, one.end_ms) == (start, end) and exchange in {None, one.exchange}
    )
    return next(fit, None)


def _chances(
    report: SelectionReport, cash: BenchmarkReport, numbers: IntArray, columns: Mapping[str, FloatArray]
) -> FloatArray:
    """Return `SearchLuck.p_luck` of many trials, of which `columns` hold the metrics."""
    daily = columns[_SHARPE] / math.sqrt(DAYS_PER_YEAR)
    search = cash.search
    ratios = sample_sharpes(search.calendar.sample_days, daily, *(columns[name] for name in _OF_SAMPLE))
    ratios[numbers == report.winner] = math.nan if cash.winner is None else cash.winner.sharpe
    draws = len(search.highest)
    chances = (1 + draws - np.searchsorted(search.highest, ratios)) / (draws + 1)
    return np.where(np.isnan(ratios), np.nan, np.where(ratios > 0, chances, 1.0))
