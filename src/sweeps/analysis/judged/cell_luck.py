"""Chance of luck of single trials, as the stored report on the selection of their sweep has it."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.config.run_config import RunConfig
from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.days.calendar import WEEK_DAYS, Calendar
from bot.selection.report import BenchmarkReport
from bot.selection.track.sample_sharpe import padded_sharpes, sample_sharpes
from bot.statistics.metrics import DAYS_PER_YEAR
from sweeps.analysis.judged.judged_panels import JudgedPanel, JudgedPanels, made_report
from sweeps.analysis.progress import get_spec
from sweeps.spec.panels import PanelWindows
from sweeps.spec.read_pairs import MARKETS, ReadPairs
from sweeps.spec.spec import SweepSpec
from sweeps.storage.blocks import measured

_SHARPE = "sharpe"
_OF_SAMPLE = ("psr", "t_eff", "skewness", "kurtosis")
_STORED = (_SHARPE, *_OF_SAMPLE)
_EPOCH = date(1970, 1, 1)


def chances_of_luck(connection: sa.Connection, sweep_id: int, numbers: IntArray) -> FloatArray | None:
    """Return the chance that luck alone shows the Sharpe ratio of each of some completed trials somewhere.

    NaN without a Sharpe ratio; None while the selection is not judged. Raises: UnknownSweepError.
    """
    spec = get_spec(connection, sweep_id)
    judged = made_report(connection, sweep_id, spec.validation)
    if judged is None:
        return None
    return chances_by(judged, spec, numbers, columns_read(connection, sweep_id, spec, numbers))


def columns_read(
    connection: sa.Connection, sweep_id: int, spec: SweepSpec, numbers: IntArray
) -> dict[str, FloatArray]:
    """Return the columns that chances follow from, of some completed trials; reads those of all."""
    done = measured(connection, sweep_id, _STORED, spec.guard)
    rows = np.searchsorted(done.numbers, numbers)
    return {name: done.floats(name)[rows] for name in _STORED}


def columns_in(rows: Sequence[Mapping[str, Any]]) -> dict[str, FloatArray]:
    """Return the columns that chances follow from, of trials whose metrics have been read."""
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in _STORED}


def chances_by(
    judged: JudgedPanels, spec: SweepSpec, numbers: IntArray, columns: Mapping[str, FloatArray]
) -> FloatArray:
    """Return the chances of `chances_of_luck` by a report and `columns` that have been read."""
    windows = PanelWindows.of(spec)
    places = windows.places(numbers)
    chances = np.full(len(numbers), np.nan)
    for place, window in enumerate(windows.windows):
        own = places == place
        panel = judged.on(window.exchange, window.start, window.end)
        if panel is not None and panel.report.cash is not None:
            mine = {name: column[own] for name, column in columns.items()}
            spans = _spans(panel, spec, numbers[own])
            chances[own] = _chances(panel, panel.report.cash, numbers[own], mine, spans)
    return chances


def life_chance_in(
    panel: JudgedPanel, config: RunConfig, number: int, metrics: Mapping[str, Any]
) -> float | None:
    """Return the chance that luck shows the Sharpe ratio of one trial of a panel in all looks.

    None without a Sharpe ratio, and where the report judges nothing against cash.
    """
    cash = panel.report.cash
    if cash is None:
        return None
    spans = np.array([_span(panel, config)])
    chance = float(_chances(panel, cash, np.array([number]), columns_in([metrics]), spans)[0])
    return None if math.isnan(chance) else cash.lifetime.p_life(chance, cash.search.independent)


def over_hold_in(
    panel: JudgedPanel, config: RunConfig, number: int, metrics: Mapping[str, Any]
) -> float | None:
    """Return the chance that luck shows the lead over holding of one trial of a panel, None without one.

    Of all its days but for the winner: nothing is stored that the ratio over the sample would follow from.
    """
    hold, sharpe = panel.report.hold, metrics.get("sharpe_over_hold")
    if hold is None or sharpe is None:
        return None
    if panel.report.winner == number:
        return hold.p_luck
    ratios, spans = np.array([sharpe / math.sqrt(DAYS_PER_YEAR)]), np.array([_span(panel, config)])
    if not _alike(hold.search.calendar, spans)[0]:
        ratios = padded_sharpes(hold.search.calendar.sample_days, spans[:, 1] - spans[:, 0] + 1, ratios)
    return hold.search.p_luck(float(ratios[0]))


def _spans(panel: JudgedPanel, spec: SweepSpec, numbers: IntArray) -> IntArray:
    """Return the first and last day of each trial of a panel, since 1970."""
    spans = {
        code: _span(panel, spec.base_config.model_copy(update={**values, "exchange": panel.exchange}))
        for code, values in spec.space.combinations(MARKETS).items()
    }
    if len(set(spans.values())) == 1:
        return np.broadcast_to(next(iter(spans.values())), (len(numbers), 2))
    places = np.searchsorted(list(spans), spec.space.codes(numbers, MARKETS))
    return np.array(list(spans.values()))[places]


def _span(panel: JudgedPanel, config: RunConfig) -> tuple[int, int]:
    """Return the first and last day of a run, those of its panel where settlements are not known."""
    perps = ReadPairs.of([config]).perps
    known = [panel.settled[pair] for pair in perps if pair in panel.settled]
    return (min(first for first, _ in known), max(last for _, last in known)) if known else panel.days


def _chances(
    panel: JudgedPanel,
    cash: BenchmarkReport,
    numbers: IntArray,
    columns: Mapping[str, FloatArray],
    spans: IntArray,
) -> FloatArray:
    """Return `SearchLuck.p_luck` of many trials, of which `columns` hold the metrics."""
    ratios = _ratios(cash.search.calendar, columns, spans)
    ratios[numbers == panel.report.winner] = math.nan if cash.winner is None else cash.winner.sharpe
    draws, highest = len(cash.search.highest), cash.search.highest
    chances = (1 + draws - np.searchsorted(highest, ratios)) / (draws + 1)
    return np.where(np.isnan(ratios), np.nan, np.where(ratios > 0, chances, 1.0))


def _ratios(calendar: Calendar, columns: Mapping[str, FloatArray], spans: IntArray) -> FloatArray:
    """Return the daily Sharpe ratios of many trials over the sample of their panel."""
    all_days = columns[_SHARPE] / math.sqrt(DAYS_PER_YEAR)
    days = spans[:, 1] - spans[:, 0] + 1
    own = sample_sharpes(calendar.sample_days, all_days, *(columns[name] for name in _OF_SAMPLE))
    return np.where(_alike(calendar, spans), own, padded_sharpes(calendar.sample_days, days, all_days))


def _alike(calendar: Calendar, spans: IntArray) -> BoolArray:
    """Return the mask of trials whose days are those of their panel, but for some before its sample."""
    last = (calendar.first_day - _EPOCH).days + calendar.days - 1
    weeks = (spans[:, 1] - spans[:, 0] + 1) // WEEK_DAYS
    return np.asarray((spans[:, 1] == last) & (weeks == calendar.weeks))
