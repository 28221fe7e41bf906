"""Trials in profit every year, by the returns of many at once and by the exact curve of each."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bot.backtest.periods.yearly import years
from bot.market.symbols import SYNTHETIC_EXCHANGE
from bot.market_store.database import open_engine
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import generate
from bot.statistics.daily_returns import DailyReturns
from bot.timestamps import parse_time_ms
from sweeps.migrations import migrate
from sweeps.spec.spec import SweepSpec
from sweeps.work import positive_years
from sweeps.work.positive_years import positive_every_year, rising
from sweeps.work.replay import WindowCache, replay_trial

RATES = ["-0.00002", "0.00001", "0.00003", "0.00005", "0.00008", "0.0002"]
SPEC = SweepSpec.parse(
    {
        "name": "over two turns of the year",
        "base": {
            "exchange": "synthetic",
            "symbols": ["BTC/USDT:USDT"],
            "min_volume_24h": "0",
            "start": "2022-12-20",
        },
        "grid": {"end": ["2024-01-01", "2024-01-10"], "min_funding_rate": RATES, "perp_leverage": [1, 3, 10]},
    }
)
EVERY = range(2 * len(RATES) * 3)


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowCache]:
    engine = open_engine(f"sqlite:///{_home(tmp_path_factory)}")
    migrate(engine)
    store = HistoricalDataStore(engine)
    generate(
        store,
        start_ms=parse_time_ms("2022-12-10"),
        end_ms=parse_time_ms("2024-01-12"),
        exchanges=[SYNTHETIC_EXCHANGE],
    )
    yield WindowCache(store)
    engine.dispose()


def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("years") / "market.db"


def by_curve(number: int, windows: WindowCache) -> bool:
    run = replay_trial(SPEC, number, windows)
    span = run.config.start, run.config.end
    return all(year.change > 0 for year in years(run.curve, run.config.initial_capital, span))


@pytest.mark.parametrize("undecided", [1e-9, 10.0], ids=["by returns", "by curves"])
def test_trials_that_rise_in_every_year_are_those_whose_exact_curves_do(
    windows: WindowCache, monkeypatch: pytest.MonkeyPatch, undecided: float
) -> None:
    monkeypatch.setattr(positive_years, "_UNDECIDED", undecided)
    found = positive_every_year(SPEC, EVERY, windows)
    assert found == [number for number in EVERY if by_curve(number, windows)]
    assert 0 < len(found) < len(EVERY)


def test_year_without_a_change_is_none_in_profit_and_a_tiny_one_is_left_to_the_curve(
    windows: WindowCache,
) -> None:
    window = windows.window(SPEC.config(0))
    days = (window.calendar.times_ms[-1] - 1) // 86_400_000 - window.calendar.times_ms[0] // 86_400_000 + 2
    runs = np.zeros((4, int(days)))
    runs[:, 5], runs[:, 100] = 0.01, [0.02, 0, 1e-12, -0.02]
    first = np.datetime64("2022-12-20").astype(object)
    returns = DailyReturns.of(first, runs, runs[:1], np.zeros(4, dtype=np.int64))
    positive, unsure = rising(returns, window)
    assert positive.tolist() == [True, False, True, False]
    assert unsure.tolist() == [False, False, True, False]
