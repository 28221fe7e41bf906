"""Change of equity by UTC year."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bot.backtest.periods import yearly_figures
from bot.backtest.periods.monthly import months
from bot.backtest.periods.yearly import years
from bot.backtest.result import Curve
from bot.numbers.money import exact
from bot.timestamps import parse_time_ms

POINTS = [
    [parse_time_ms("2021-11-30T08:00"), "1010"],
    [parse_time_ms("2021-12-31T16:00"), "1100.5"],
    [parse_time_ms("2022-01-01"), "1100.5"],
    [parse_time_ms("2022-12-31T16:00"), "990.45"],
    [parse_time_ms("2024-02-01"), "1089.495"],
]


def test_years_sum_to_the_change_and_a_year_without_events_repeats_the_one_before() -> None:
    window = parse_time_ms("2021-11-01"), parse_time_ms("2024-02-01")
    found = years(Curve.of_document(POINTS), Decimal(1000), window)
    assert [(one.year, one.change, one.whole) for one in found] == [
        (2021, Decimal("100.5"), False),
        (2022, Decimal("-110.05"), True),
        (2023, Decimal(0), True),
        (2024, Decimal("99.045"), False),
    ]
    assert [one.share for one in found] == [0.1005, -0.1, 0.0, 0.1]


@pytest.mark.parametrize(("end", "last_year"), [("2022-01-01", 2021), ("2022-01-01T08:00", 2022)])
def test_event_at_the_new_year_that_ends_a_window_is_of_the_year_before(end: str, last_year: int) -> None:
    first_ms, last_ms = parse_time_ms("2021-11-01"), parse_time_ms(end)
    equity = [(first_ms, Decimal(1000)), (last_ms, Decimal(1100))]
    found = years(
        Curve.of_document([[t_ms, str(value)] for t_ms, value in equity]), Decimal(1000), (first_ms, last_ms)
    )
    assert [(one.year, one.change) for one in found][-1] == (last_year, Decimal(100))
    with exact():
        by_month = months(equity, Decimal(1000), [], [])
    assert [(one.year, one.month) for one in by_month][-1] == (last_year, 12 if last_year == 2021 else 1)
    assert sum(one.change for one in by_month) == Decimal(100)


def test_year_that_begins_with_nothing_left_has_no_share() -> None:
    points = [[parse_time_ms("2021-06-01"), "-5"], [parse_time_ms("2022-06-01"), "-6"]]
    window = parse_time_ms("2021-01-01"), parse_time_ms("2023-01-01")
    found = years(Curve.of_document(points), Decimal(1000), window)
    assert [one.share for one in found] == [-1.005, None]


@pytest.mark.parametrize(
    ("begun", "name", "change"),
    [
        ("2023-01-01", "last 365 days", 20),
        ("2023-06-01", "last 365 days", 20),
        ("2023-06-02", "whole window", 30),
    ],
)
def test_last_year_of_a_shorter_window_is_called_the_whole_window(
    monkeypatch: pytest.MonkeyPatch, begun: str, name: str, change: int
) -> None:
    monkeypatch.setattr(yearly_figures, "bands_document", lambda *_: {"bands": None})
    monkeypatch.setattr(yearly_figures, "regimes_document", lambda *_: {"regimes": []})
    times = [parse_time_ms(begun), parse_time_ms("2024-05-31")]
    run: Any = SimpleNamespace(
        config=SimpleNamespace(initial_capital=Decimal(1000), start=times[0], end=times[1]),
        metrics=SimpleNamespace(annualized_return=0.5, net_pnl=Decimal(30)),
        calendar=SimpleNamespace(times_ms=np.array(times)),
        curve=Curve.of_document([[times[0], "1010"], [times[1], "1030"]]),
    )
    last = yearly_figures.Yearly.of(run, run, run, []).last_year
    assert (last.name, last.net_pnl) == (name, change)
