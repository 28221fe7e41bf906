"""Regimes of funding and transfer between pairs: known cases."""

from decimal import Decimal

import numpy as np
import pytest

from bot.models import DAY_MS
from bot.selection.evidence.regimes import by_regime, regimes
from bot.selection.evidence.transfer import transfer


def test_regimes_know_neither_today_nor_the_distribution_of_the_sample() -> None:
    rates = [Decimal("0.0001")] * 40 + [Decimal("0.001")] * 20
    times = [day * DAY_MS for day in range(60)]
    found = regimes(0, 60, times, rates)
    assert (found[0], found[40], found[44], found[47]) == ("unknown", "normal", "high", "extreme")
    assert found[:40] == regimes(0, 40, times[:40], rates[:40])


@pytest.mark.parametrize(
    ("rate", "regime"),
    [
        ("-0.00001", "negative"),
        ("0", "low"),
        ("0.00005", "normal"),
        ("0.00015", "high"),
        ("0.0003", "extreme"),
    ],
)
def test_an_edge_belongs_to_the_upper_regime(rate: str, regime: str) -> None:
    assert regimes(DAY_MS, 1, [0, 1, 2], [Decimal(rate)] * 3) == [regime]


def test_regimes_add_up_to_the_run() -> None:
    found = regimes(0, 60, [0, 30 * DAY_MS], [Decimal("0.0001"), Decimal("0.0004")])
    pnl = np.arange(60)
    results = by_regime(found, pnl, np.array([0.01, -0.005] * 30), [(0, 5), (31, 7), (40, -9)])
    assert [(one.regime, one.days, one.trades, one.trades_net) for one in results] == [
        ("normal", 30, 0, 0),
        ("extreme", 29, 2, -2),
        ("unknown", 1, 1, 5),
    ]
    assert sum(one.pnl for one in results) == pnl.sum()
    assert results[0].sharpe == pytest.approx(2.5 / (7.5 * (30 / 29) ** 0.5), rel=1e-5)
    assert [one.sharpe for one in results[1:]] == [None, None]


def test_transfer_does_not_train_on_the_pair_it_tests() -> None:
    assert transfer({"A": [1, 2, 3], "B": [1, 3, 2], "C": [2, None, 3]}) == {"A": 1.0, "B": 0.5, "C": 0.0}


def test_transfer_needs_three_pairs_and_two_settings() -> None:
    assert transfer({"A": [1, 2], "B": [1, 2]}) is None
    assert transfer({"A": [1], "B": [1], "C": [1]}) is None


def test_transfer_to_fixed_pairs_chooses_on_all_others_once() -> None:
    objectives = {"A": [1, 2, 3], "B": [1, 3, 2], "C": [2, None, 3], "D": [3, 1, 2]}
    # On A and B the second and the third setting tie; the first of them is taken.
    assert transfer(objectives, ["C", "D"]) == {"C": 0.0, "D": 0.0}
    assert transfer(objectives, ["C", "D", "elsewhere"]) == {"C": 0.0, "D": 0.0}
    assert transfer(objectives, list("ABCD")) is None


def test_transfer_tells_amounts_apart_that_floats_cannot() -> None:
    large = 2**60
    others = {"B": [large, large + 1], "C": [large, large + 1]}
    assert transfer({"A": [1, 2]} | others) == {"A": 1.0, "B": 1.0, "C": 1.0}
