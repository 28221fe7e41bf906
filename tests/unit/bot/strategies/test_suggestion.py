"""Thresholds suggested by a window come from its own rates, rounded, inside the constraints."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from bot.config.strategy_registry import strategy_plugin
from bot.market.rows import Rows, SeriesKind, candle_series
from bot.models import HOUR_MS
from bot.strategies.suggestion import (
    NOTHING_PAID,
    Suggestion,
    WindowFigures,
    daily_volumes,
    price_age,
    rounded,
    volume_floor,
)


def figures(rates: Any, *, volume: float = 5e6, age_hours: float = 0.0, interval: int = 8) -> WindowFigures:
    size = len(rates)
    return WindowFigures(
        rates_8h=np.array(rates, dtype=np.float64),
        volumes=np.full(size, volume),
        basis=np.linspace(0, 0.001, size),
        ages_hours=np.full(size, age_hours),
        interval_hours=interval,
    )


def suggested(strategy: str, window: WindowFigures) -> Suggestion:
    suggest = strategy_plugin(strategy).suggest
    assert suggest is not None
    return suggest(window)


TENTHS = [step * 1e-5 for step in range(1, 11)]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.000123456, "0.00012"), (-0.000129, "-0.00012"), (1234567.0, "1200000"), (0.1, "0.1")],
)
def test_figures_are_cut_to_two_digits_in_plain_notation(value: float, text: str) -> None:
    assert rounded(value) == text


def test_simple_enters_at_the_quantile_that_its_note_names() -> None:
    found = suggested("simple", figures(TENTHS))
    assert found.parameters == {
        "min_funding_rate": "0.00008",
        "exit_funding_rate": "0.00003",
        "min_holding_periods": 40,
    }
    assert found.notes[0] == "80% of this window's settlements are below 0.8 bp per 8 h: enter from there on"
    assert found.notes[1] == "25% are below 0.3 bp: leave there"


def test_every_combination_of_the_grid_exits_no_higher_than_it_enters() -> None:
    grid = suggested("simple", figures(TENTHS)).grid
    assert grid["min_funding_rate"] == ["0.00005", "0.00007", "0.00008", "0.00009", "0.0001"]
    assert max(map(Decimal, grid["exit_funding_rate"])) <= min(map(Decimal, grid["min_funding_rate"]))


def test_hourly_rates_are_given_the_settlements_that_repay_a_round_trip() -> None:
    found = suggested("simple", figures(TENTHS, interval=1))
    holding = found.parameters["min_holding_periods"]
    per_settlement = Decimal(found.parameters["min_funding_rate"]) / 8
    assert per_settlement * holding > 2 * (Decimal("0.001") + Decimal("0.00055"))
    assert holding == 320


def test_window_that_paid_nothing_suggests_nothing_and_says_so() -> None:
    window = figures([-1e-5] * 10)
    assert suggested("simple", window) == Suggestion(notes=NOTHING_PAID)
    assert suggested("composite", window) == Suggestion(notes=NOTHING_PAID)


def test_composite_scales_its_scores_by_the_window() -> None:
    found = suggested("composite", figures(TENTHS))
    assert found.parameters == {
        "rate_cap": "0.0001",
        "persistence_threshold": "0.00005",
        "basis_cap": "0.00094",
    }


def test_thin_market_lowers_the_least_volume_to_one_digit() -> None:
    assert suggested("simple", figures(TENTHS, volume=123_456.0)).parameters["min_volume_24h"] == "100000"
    assert volume_floor(figures(TENTHS, volume=2e6), Decimal(1000000)) is None


def test_candles_that_close_long_before_settlements_raise_the_price_age() -> None:
    default = Decimal(2)
    assert price_age(figures(TENTHS, age_hours=1.5), default) == Suggestion()
    assert price_age(figures(TENTHS, age_hours=3.5), default).parameters == {"max_price_age_hours": 4}


def test_daily_volume_sums_the_24_newest_closed_candles() -> None:
    opens = [hour * HOUR_MS for hour in range(30)]
    values = [(Decimal(10),) * 4 + (Decimal(hour),) for hour in range(30)]
    perp = candle_series(Rows.of(opens, values, SeriesKind.PERP), HOUR_MS)
    times = np.array([0, HOUR_MS, 2 * HOUR_MS, 30 * HOUR_MS])
    found = daily_volumes(times, perp).tolist()
    assert np.isnan(found[0])
    assert found[1:] == [0.0, 10.0, 10.0 * sum(range(6, 30))]
