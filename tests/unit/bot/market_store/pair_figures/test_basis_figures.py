"""The basis at settlements: from closed candles alone, and from none that are too old."""

from decimal import Decimal

import numpy as np
import pytest

from bot.market.rows import Rows, SeriesKind, candle_series
from bot.market.series import CandleSeries
from bot.market_store.pair_figures.basis import basis_at, basis_figures
from bot.models import HOUR_MS
from bot.timestamps import parse_time_ms

START = parse_time_ms("2024-01-01")
TWO_HOURS = 2 * HOUR_MS


def candles(closes: dict[int, str], timeframe: int = 1) -> CandleSeries:
    """Return candles by the hour at which they open."""
    values = [(*[Decimal(close)] * 4, Decimal(1)) for close in closes.values()]
    times = [START + hour * HOUR_MS for hour in closes]
    return candle_series(Rows.of(times, values, SeriesKind.PERP), timeframe * HOUR_MS)


def at(*hours: int) -> np.ndarray:
    return np.array([START + hour * HOUR_MS for hour in hours])


def test_basis_reads_the_candle_that_closed_and_not_the_one_that_opens() -> None:
    found = basis_at(at(1, 2), candles({0: "100", 1: "200"}), candles({0: "101", 1: "190"}), TWO_HOURS)
    assert found.tolist() == [0.01, -0.05]


def test_basis_is_unknown_before_the_first_close_and_once_a_price_is_too_old() -> None:
    spot, perp = candles({0: "100"}), candles({0: "101", 1: "101", 2: "101", 3: "101"})
    found = basis_at(at(0, 1, 3, 4), spot, perp, TWO_HOURS)
    assert np.isnan(found).tolist() == [True, False, False, True]


def test_candles_of_eight_hours_count_where_they_close_at_the_settlement() -> None:
    spot, perp = candles({0: "100"}, 8), candles({0: "102"}, 8)
    assert basis_at(at(8), spot, perp, TWO_HOURS).tolist() == [0.02]
    assert np.isnan(basis_at(at(7), spot, perp, TWO_HOURS)).all()


def test_pair_without_spot_candles_has_no_basis() -> None:
    found = basis_at(at(1), candles({}), candles({0: "101"}), TWO_HOURS)
    assert basis_figures(found) is None


def test_figures_are_those_of_the_known_values() -> None:
    found = basis_figures(np.array([0.01, np.nan, -0.03, 0.005]))
    assert found is not None
    assert (found.known, found.lowest, found.highest, found.latest) == (3, -0.03, 0.01, 0.005)
    assert found.mean == pytest.approx(-0.005)
    assert found.deviation == pytest.approx(0.0217944947, rel=1e-8)
