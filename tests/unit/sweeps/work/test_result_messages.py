"""A result that cannot be stored is refused with its name, the amount and the limit."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from bot.backtest.result import Curve
from bot.config.run_key import key_array
from bot.statistics.daily_returns import DailyReturns
from bot.statistics.metrics import Calendar
from bot.statistics.trial_columns import TrialColumns
from bot.statistics.trial_metrics import DIGEST_BYTES
from sweeps.errors import ResultRangeError
from sweeps.spec.metrics import METRICS, MetricKind
from sweeps.storage.columns import money_units
from sweeps.storage.curves import encode_curve
from sweeps.storage.results import failed_row
from sweeps.work.replay import Replayed

REST = (
    "does not fit the results, which hold up to 92233720368.54775807 with 8 decimal places; "
    "with less initial_capital it would"
)


def test_metric_too_large_is_named_with_its_amount_and_its_neighbour_is_kept() -> None:
    metrics = {name: Decimal(0) if kind is MetricKind.MONEY else 0 for name, kind in METRICS.items()}
    large = metrics | {"net_pnl": Decimal("-4090703073967.04855537")}
    columns = TrialColumns.of_values([metrics, large], [bytes(DIGEST_BYTES)] * 2)
    runs, hold_of = np.array([[0.1], [0.2]]), np.zeros(2, dtype=int)
    days = DailyReturns.of(date(2023, 1, 1), runs, np.zeros((1, 1)), hold_of)
    replayed = Replayed.of(np.array([7, 8]), key_array([b"7" * 32, b"8" * 32]), columns, days)
    [refused] = replayed.refused
    assert replayed.completed.numbers.tolist() == [7]
    assert replayed.days.runs.tolist() == [[0.1]]
    assert (refused.number, refused.error.code) == (8, "out_of_range")
    assert refused.error.message == f"net_pnl -4090703073967.04855537 {REST}"


def test_amount_without_a_name_begins_with_a_word() -> None:
    with pytest.raises(ResultRangeError) as refused:
        money_units(Decimal("-1e11"))
    assert refused.value.message == f"an amount of -100000000000 {REST}"


def test_equity_too_large_is_named_with_its_extreme() -> None:
    units = np.array([1, -(10**20), 5], dtype=object)
    curve = Curve(Calendar.of(np.array([0, 1, 2], dtype=np.int64)), units)
    with pytest.raises(ResultRangeError) as refused:
        encode_curve(curve)
    assert refused.value.message == f"equity of -1000000000000 {REST}"


def test_error_code_of_a_strategy_is_cut_to_its_column() -> None:
    assert failed_row(1, 2, "x" * 40, "no")["error_code"] == "x" * 32
