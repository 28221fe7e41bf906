"""Chance of luck of single trials beside holding, from what is stored of them."""

from datetime import date

import numpy as np
import pytest
from builders import run_config
from judging import FIRST_DAY, judged, trials_of

from bot.numbers.arrays import FloatArray
from bot.timestamps import parse_time_ms
from sweeps.analysis.judged.cell_luck import over_hold_in
from sweeps.analysis.judged.judged_panels import JudgedPanel

DAYS = 371
FIRST = (FIRST_DAY - date(1970, 1, 1)).days
PAIRS = {
    ("binance", "BTC/USDT:USDT"): (FIRST, FIRST + DAYS - 1),
    ("binance", "ETH/USDT:USDT"): (FIRST + 200, FIRST + DAYS - 1),
}


@pytest.fixture(scope="module")
def panel() -> JudgedPanel:
    """Return a panel of drawn trials, in which ETH is listed 200 days after BTC."""
    returns = np.random.default_rng(3).normal(0.0004, 0.01, (12, DAYS))
    start, end = parse_time_ms("2021-01-01"), parse_time_ms("2022-01-07")
    symbols = tuple(symbol for _, symbol in PAIRS)
    return JudgedPanel("binance", symbols, start, end, judged(trials_of(returns)), PAIRS)


def over_hold(panel: JudgedPanel, symbol: str, leads: FloatArray) -> float | None:
    ratio = leads.mean() / leads.std(ddof=1) * np.sqrt(365)
    config = run_config(exchange="binance", symbols=[symbol], start="2021-01-01", end="2022-01-07")
    return over_hold_in(panel, config, 99, {"sharpe_over_hold": float(ratio)})


def test_days_before_a_pair_was_listed_count_as_days_without_a_lead(panel: JudgedPanel) -> None:
    hold = panel.report.hold
    assert hold is not None
    own = np.random.default_rng(4).normal(0.001, 0.008, DAYS - 200)
    every = np.concatenate([np.zeros(200), own])
    wanted, of_own = (hold.search.p_luck(one.mean() / one.std(ddof=1)) for one in (every, own))
    assert wanted > of_own
    assert over_hold(panel, "ETH/USDT:USDT", own) == wanted
    assert over_hold(panel, "BTC/USDT:USDT", every) == wanted


def test_winner_has_the_chance_of_the_report_and_a_trial_without_a_lead_none(panel: JudgedPanel) -> None:
    report, config = panel.report, run_config(exchange="binance", symbols=["BTC/USDT:USDT"])
    assert report.hold is not None
    assert report.winner is not None
    winners = over_hold_in(panel, config, report.winner, {"sharpe_over_hold": 0.1})
    assert winners == report.hold.p_luck
    assert over_hold_in(panel, config, 99, {"sharpe_over_hold": None}) is None
