"""Figures of a decision beside what the strategy's parameters compare them with, for any strategy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from example_plugin import installed_example
from toy_market import START, configured, pair, window

from api.dashboard.trial.charts import thresholds
from api.dashboard.trial.decision_rows import decision_rows
from bot.backtest import replay
from bot.backtest.decision_trace import decision_snapshots
from bot.models import HOUR_MS

RATES = dict(enumerate(["0.0004", "0.0003", "0.0002"], 1))
MARKET = {"X": pair(RATES, ["100"] * 3)}


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with installed_example(tmp_path, monkeypatch):
        yield


def rows(**parameters: Any) -> dict[str, tuple[str, str]]:
    """Return value and comparison by the title of each figure at the second settlement."""
    config = configured(MARKET, **parameters)
    at = START + 2 * HOUR_MS
    snapshot = decision_snapshots(config, window(MARKET, config), [(at, "X")])[at, "X"]
    return {row.title: (row.value, row.against) for row in decision_rows(snapshot, config)}


def test_rate_thresholds_stand_beside_the_rate_of_a_strategy_that_decides_by_it() -> None:
    found = rows(strategy_mode="simple", min_funding_rate="0.0002", min_volume_24h="150")
    assert found["Rate per 8 h"] == ("0.03 %", "enter at 0.02 %, exit below 0.01 %")
    assert found["Volume 24 h"] == ("200", "at least 150")
    assert found["Net yield per interval"] == ("0.03 %", "above 0 to enter")


def test_score_thresholds_stand_beside_the_score_of_a_strategy_that_decides_by_it() -> None:
    found = rows(strategy_mode="composite", entry_threshold="0.4", exit_threshold="0.25")
    assert found["Rate per 8 h"] == ("0.03 %", "")
    assert found["Volume 24 h"] == ("200", "")
    assert found["Composite score"][1] == "enter at 0.4, exit below 0.25"
    assert found["Volume holds up"] == ("yes", "")


def test_figures_of_a_plug_in_stand_beside_its_own_parameters() -> None:
    found = rows(strategy_mode="smoothed-rate", smoothed_entry="0.0003", smoothed_exit="0.0001")
    assert found["Rate per 8 h"] == ("0.03 %", "")
    assert found["Average rate per 8 h"] == ("0.035 %", "enter at 0.03 %, exit below 0.01 %")


@pytest.mark.parametrize(
    ("strategy", "drawn"),
    [
        ("simple", {"enter": "0.0003", "exit": "0.0001"}),
        ("composite", {"enter": None, "exit": None}),
        ("smoothed-rate", {"enter": None, "exit": None}),
    ],
)
def test_chart_of_rates_draws_the_thresholds_of_strategies_that_decide_by_the_rate(
    strategy: str, drawn: dict[str, str | None]
) -> None:
    config = configured(MARKET, strategy_mode=strategy)
    assert thresholds(replay(config, window(MARKET, config))) == drawn
