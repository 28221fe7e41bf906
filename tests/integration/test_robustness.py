"""Settings summed up over an axis agree with a naive reading of the rows, in both databases."""

from collections import defaultdict
from decimal import Decimal
from statistics import median
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import chunks_of, stored_rows, submit, sweep_spec

from bot.clock import SystemClock
from bot.errors import InvalidInputError
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.robustness import PROFITABLE_SHARE, Setting, over_axis
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

SPEC = sweep_spec(
    base={
        "exchange": "synthetic",
        "start": "2024-01-10",
        "end": "2024-03-30",
        "min_volume_24h": "0",
        "perp_leverage": 2,
    },
    grid={
        "min_funding_rate": ["0.00002", "0.0001", "0.0003"],
        "symbols": ["BTC/USDT:USDT", "ETH/USDT:USDT"],
        "exit_funding_rate": ["0", "0.00005"],
    },
)


@pytest.fixture
def sweep_id(engine: sa.Engine) -> int:
    """Return a finished sweep over two symbols."""
    sweep_id = submit(engine, SPEC, size=5)
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    for found in chunks_of(engine, sweep_id):
        runner.run(sweep_id, found.id, "test")
    return sweep_id


def all_settings(engine: sa.Engine, sweep_id: int, **query: Any) -> list[Setting]:
    found: list[Setting] = []
    cursor = None
    with engine.connect() as connection:
        while True:
            page = over_axis(connection, sweep_id, limit=2, cursor=cursor, **query)
            found += page.settings
            cursor = page.next_cursor
            if cursor is None:
                return found


def by_setting(engine: sa.Engine, sweep_id: int) -> dict[tuple[str, str], list[dict[str, Any]]]:
    settings: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in stored_rows(engine, sweep_id):
        params = SPEC.params(row["number"])
        settings[params["min_funding_rate"], params["exit_funding_rate"]].append(row)
    return settings


@pytest.mark.parametrize("metric", ["net_pnl", "max_drawdown", "total_return"])
def test_each_setting_is_summed_up_over_all_its_symbols_and_its_best_is_eligible(
    engine: sa.Engine, sweep_id: int, metric: str
) -> None:
    expected = by_setting(engine, sweep_id)
    found = all_settings(engine, sweep_id, metric=metric)
    assert {tuple(setting.params.values()) for setting in found} == set(expected)
    worst, best = (max, min) if metric == "max_drawdown" else (min, max)
    for setting in found:
        rows = expected[tuple(setting.params.values())]
        values = [row[metric] for row in rows]
        contenders = [row[metric] for row in rows if row["volatility"]]
        assert (setting.trials, setting.eligible) == (2, len(contenders))
        assert (setting.worst.value, setting.best.value) == (worst(values), best(contenders or values))
        middle = median(values)
        assert setting.median.value == (round(middle, 8) if isinstance(middle, Decimal) else middle)
        assert setting.profitable == sum(row["net_pnl"] > 0 for row in rows)
        assert setting.worst.number in {row["number"] for row in rows}
    assert any(setting.eligible == 1 for setting in found)


@pytest.mark.parametrize("sort", ["median", "-median", "-worst", "best", "-mean", "-profitable_share"])
def test_settings_come_in_order_and_each_once(engine: sa.Engine, sweep_id: int, sort: str) -> None:
    found = all_settings(engine, sweep_id, metric="net_pnl", sort=sort)
    name = sort.removeprefix("-")
    values = [
        setting.profitable_share if name == PROFITABLE_SHARE else getattr(setting, name).value
        for setting in found
    ]
    assert values == sorted(values, reverse=sort.startswith("-"))
    assert len({tuple(setting.params.values()) for setting in found}) == len(found) == 6


def test_fixed_axes_leave_only_their_settings(engine: sa.Engine, sweep_id: int) -> None:
    found = all_settings(engine, sweep_id, fixed={"exit_funding_rate": "0"})
    assert [setting.params["exit_funding_rate"] for setting in found] == ["0"] * 3


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"over": "perp_leverage"}, "over"),
        ({"metric": "nope"}, "metric"),
        ({"sort": "sharpe"}, "sort"),
        ({"cursor": "zzz"}, "cursor"),
        ({"fixed": {"nope": "1"}}, "nope"),
        ({"limit": 0}, "limit"),
    ],
)
def test_refused_question_names_the_field(
    engine: sa.Engine, sweep_id: int, query: dict[str, Any], field: str
) -> None:
    with engine.connect() as connection, pytest.raises(InvalidInputError) as caught:
        over_axis(connection, sweep_id, **query)
    assert [error.field for error in caught.value.errors] == [field]


def test_sweep_without_results_has_no_settings(engine: sa.Engine) -> None:
    assert all_settings(engine, submit(engine, SPEC)) == []
