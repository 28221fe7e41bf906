"""Pages, orders, filters and heatmaps agree with a naive reading of the rows, in both databases."""

import itertools
from decimal import Decimal
from statistics import median
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from sweeping import stored_rows, submit, sweep_spec, worked

from bot.config.parameter_columns import ParameterColumns
from bot.errors import BotError, InvalidInputError, StoreError
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.maps.heatmap import Aggregate, heatmap, panels
from sweeps.analysis.overview import overview
from sweeps.analysis.queries import TrialView, one_trial, stored_curve, stored_trades, trial_page
from sweeps.errors import UnknownSweepError
from sweeps.work.replay import WindowCache, replay_trial

GRID = {
    "min_funding_rate": ["0.0002", "0.00002", "0.0001"],
    "exit_funding_rate": ["0.00005", "0"],
    "perp_leverage": [1, 3, 10, 50],
}
FAILED = (3, 9)
SPEC = sweep_spec(grid=GRID, curves={"top": 3}, constraints=["exit_funding_rate * 2 < min_funding_rate"])


@pytest.fixture(scope="module")
def engine(shared_engine: sa.Engine) -> sa.Engine:
    return shared_engine


@pytest.fixture(scope="module")
def sweep_id(engine: sa.Engine) -> int:
    """Return a finished sweep in which two trials were made to fail, its last chunk finished first."""
    with patch.object(ParameterColumns, "refused", refused):
        return worked(engine, SPEC, size=7)


def refused(parameters: ParameterColumns) -> dict[int, BotError]:
    """Refuse the parameters of two trials."""
    unwanted = [SPEC.config(number) for number in FAILED]
    return {
        place: StoreError("made to fail")
        for place, config in enumerate(parameters.configs())
        if config in unwanted
    }


def all_pages(engine: sa.Engine, sweep_id: int, limit: int, **query: Any) -> list[TrialView]:
    found: list[TrialView] = []
    cursor = None
    with engine.connect() as connection:
        while True:
            page = trial_page(connection, sweep_id, limit=limit, cursor=cursor, **query)
            found += page.trials
            cursor = page.next_cursor
            if cursor is None:
                return found


@pytest.mark.parametrize("name", ["sharpe", "net_pnl", "total_trades", "profit_factor"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_pages_follow_a_metric_in_both_directions_with_undefined_and_failed_last(
    engine: sa.Engine, sweep_id: int, name: str, sign: str
) -> None:
    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        value = row[name]
        failed = row["state"] == "failed"
        return (failed, value is None, 0 if value is None else -value if sign else value, row["number"])

    expected = [row["number"] for row in sorted(stored_rows(engine, sweep_id), key=key)]
    found = all_pages(engine, sweep_id, 5, sort=f"{sign}{name}")
    assert [view.number for view in found] == expected
    assert len(expected) == SPEC.trial_count


@pytest.mark.parametrize(
    "sort", ["min_funding_rate", "-min_funding_rate", "-perp_leverage", "exit_funding_rate"]
)
def test_pages_follow_a_parameter_by_value_not_as_written(
    engine: sa.Engine, sweep_id: int, sort: str
) -> None:
    name, sign = sort.removeprefix("-"), -1 if sort.startswith("-") else 1
    numbers = sorted(
        range(SPEC.trial_count), key=lambda number: (sign * Decimal(SPEC.params(number)[name]), number)
    )
    assert [view.number for view in all_pages(engine, sweep_id, 4, sort=sort)] == numbers


@pytest.mark.parametrize("sign", ["", "-"])
def test_trials_without_a_value_of_the_parameter_come_last_in_both_directions(
    engine: sa.Engine, sign: str
) -> None:
    spec = sweep_spec(
        grid={
            "order_style": ["taker", "maker"],
            "spot_maker": {"values": ["0.0005", "0.002"], "when": {"order_style": "maker"}},
            "max_round_trips": [None, 3],
        },
        constraints=[],
    )
    sweep_id = worked(engine, spec, size=3)
    for name in ("spot_maker", "max_round_trips"):
        found = all_pages(engine, sweep_id, 2, sort=f"{sign}{name}")
        values = [spec.params(view.number)[name] for view in found]
        held = [value for value in values if value is not None]
        assert held == sorted(held, key=Decimal, reverse=bool(sign))
        assert values == held + [None] * (len(values) - len(held))
        assert [view.number for view in found if spec.params(view.number)[name] is None] == [
            number for number in range(spec.trial_count) if spec.params(number)[name] is None
        ]


def test_filters_pick_the_trials_with_that_value(engine: sa.Engine, sweep_id: int) -> None:
    found = all_pages(
        engine, sweep_id, 3, sort="number", filters={"perp_leverage": "3.0", "exit_funding_rate": "0"}
    )
    assert [(view.params["perp_leverage"], view.params["exit_funding_rate"]) for view in found] == [
        ("3", "0")
    ] * 3


def test_best_comes_first_where_no_order_is_asked_for(engine: sa.Engine, sweep_id: int) -> None:
    found = all_pages(engine, sweep_id, 50)
    values = [view.metrics["sharpe"] for view in found if view.metrics and view.metrics["sharpe"] is not None]
    assert values == sorted(values, reverse=True)
    assert [view.state for view in found[-2:]] == ["failed", "failed"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"sort": "profit"}, "sort"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "WyJ4IiwgMV0"}, "cursor"),
        ({"limit": 0}, "limit"),
        ({"filters": {"symbols": "BTC"}}, "symbols"),
        ({"filters": {"perp_leverage": "7"}}, "perp_leverage"),
    ],
)
def test_refused_page_names_the_field(
    engine: sa.Engine, sweep_id: int, query: dict[str, Any], field: str
) -> None:
    with engine.connect() as connection, pytest.raises(InvalidInputError) as caught:
        trial_page(connection, sweep_id, **query)
    assert [error.field for error in caught.value.errors] == [field]


@pytest.mark.parametrize("aggregate", list(Aggregate))
@pytest.mark.parametrize("metric", ["sharpe", "net_pnl", "total_trades", "max_drawdown"])
def test_heatmap_agrees_with_a_naive_aggregation(
    engine: sa.Engine, sweep_id: int, metric: str, aggregate: Aggregate
) -> None:
    with engine.connect() as connection:
        found = heatmap(
            connection,
            sweep_id,
            x="min_funding_rate",
            y="exit_funding_rate",
            metric=metric,
            aggregate=aggregate,
        )
    rows = [row for row in stored_rows(engine, sweep_id) if row["state"] == "completed"]
    cells = found.rows(found.cells.one_by_one())
    for (at_y, y), (at_x, x) in itertools.product(enumerate(found.y.labels), enumerate(found.x.labels)):
        behind = [
            row
            for row in rows
            if SPEC.params(row["number"])["min_funding_rate"] == x
            and SPEC.params(row["number"])["exit_funding_rate"] == y
            and row[metric] is not None
        ]
        cell = cells[at_y][at_x]
        if not behind:
            assert cell is None
            continue
        assert cell is not None
        assert cell.count == len(behind)
        expected = naive(behind, metric, aggregate)
        exact = isinstance(expected, Decimal)
        assert cell.value == (expected if exact else pytest.approx(expected, rel=1e-12))
        assert cell.number in {row["number"] for row in behind}


def naive(rows: list[dict[str, Any]], metric: str, aggregate: Aggregate) -> Any:
    values = [row[metric] for row in rows]
    worst, best = (max, min) if metric == "max_drawdown" else (min, max)
    if aggregate is Aggregate.BEST:
        return best(values)
    if aggregate is Aggregate.WORST:
        return worst(values)
    value = median(values) if aggregate is Aggregate.MEDIAN else sum(values) / len(values)
    return round(value, 8) if isinstance(value, Decimal) else value


def test_heatmap_with_fixed_axes_shows_exactly_their_trials(engine: sa.Engine, sweep_id: int) -> None:
    with engine.connect() as connection:
        found = heatmap(
            connection,
            sweep_id,
            x="min_funding_rate",
            y="exit_funding_rate",
            metric="net_pnl",
            fixed={"perp_leverage": "10"},
        )
    rows = {row["number"]: row for row in stored_rows(engine, sweep_id)}
    cells = found.cells.one_by_one()
    assert all(cell.value == rows[cell.number]["net_pnl"] and cell.count == 1 for cell in cells)
    assert all(SPEC.params(cell.number)["perp_leverage"] == "10" for cell in cells)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"x": "nope", "y": "perp_leverage"}, "x"),
        ({"x": "perp_leverage", "y": "perp_leverage"}, "y"),
        ({"x": "perp_leverage", "y": "exit_funding_rate", "metric": "nope"}, "metric"),
        ({"x": "perp_leverage", "y": "exit_funding_rate", "fixed": {"perp_leverage": "1"}}, "perp_leverage"),
    ],
)
def test_refused_heatmap_names_the_field(
    engine: sa.Engine, sweep_id: int, query: dict[str, Any], field: str
) -> None:
    with engine.connect() as connection, pytest.raises(InvalidInputError) as caught:
        heatmap(connection, sweep_id, **query)
    assert [error.field for error in caught.value.errors] == [field]


def test_stored_curve_and_trades_equal_a_replay_and_others_have_none(
    engine: sa.Engine, sweep_id: int
) -> None:
    with engine.connect() as connection:
        kept = [n for n in range(SPEC.trial_count) if stored_curve(connection, sweep_id, n) is not None]
        result = replay_trial(SPEC, kept[0], WindowCache(HistoricalDataStore(engine)))
        curve = stored_curve(connection, sweep_id, kept[0])
        assert curve is not None
        assert curve.document() == result.document()["equity"]
        assert stored_trades(connection, sweep_id, kept[0]) == result.document()["trades"]
        missing = next(n for n in range(SPEC.trial_count) if n not in kept)
        assert stored_trades(connection, sweep_id, missing) is None
    assert len(kept) == 3


def test_single_trial_is_pending_until_it_has_a_row_and_unknown_beyond_the_sweep(
    engine: sa.Engine, sweep_id: int
) -> None:
    other = submit(engine, SPEC)
    with engine.connect() as connection:
        assert one_trial(connection, sweep_id, 3).error == "made to fail"
        assert one_trial(connection, other, 3).state == "pending"
        for number in (-1, SPEC.trial_count, 10**30):
            with pytest.raises(UnknownSweepError):
                one_trial(connection, sweep_id, number)
        for unknown in (0, -1, other + 1, 10**30):
            with pytest.raises(UnknownSweepError):
                one_trial(connection, unknown, 0)


RANGES: list[dict[str, str]] = [
    {"net_pnl": "0.."},
    {"net_pnl": "..0", "perp_leverage": "3..10"},
    {"perp_leverage": "2..49", "total_trades": "1..2"},
    {"sharpe": "0.5..", "min_funding_rate": "0.00005..0.0002"},
    {"min_funding_rate": "..0.0001", "exit_funding_rate": "0..0"},
    {"liquidations": "0.2..1.9"},
]


def test_ranges_pick_the_trials_whose_values_lie_between(engine: sa.Engine, sweep_id: int) -> None:
    rows = stored_rows(engine, sweep_id)
    for filters in RANGES:
        expected = [
            row["number"] for row in rows if all(lies_within(row, *wanted) for wanted in filters.items())
        ]
        found = all_pages(engine, sweep_id, 4, sort="number", filters=filters)
        assert [trial.number for trial in found] == expected, filters
        with engine.connect() as connection:
            seen = overview(connection, sweep_id, risk="max_drawdown", gain="net_pnl", filters=filters)
        assert seen.points.numbers.tolist() == [trial.number for trial in found if trial.metrics], filters


def lies_within(row: dict[str, Any], name: str, text: str) -> bool:
    value = row[name] if name in row else SPEC.params(row["number"])[name]
    low, _, high = text.partition("..")
    if value is None:
        return False
    return (not low or Decimal(str(value)) >= Decimal(low)) and (
        not high or Decimal(str(value)) <= Decimal(high)
    )


def test_refused_range_names_the_field(engine: sa.Engine, sweep_id: int) -> None:
    refused = {"net_pnl": "much..", "perp_leverage": "1..x", "luck": "1..2", "sharpe": "1e99999.."}
    for field, text in refused.items():
        with engine.connect() as connection, pytest.raises(InvalidInputError) as caught:
            trial_page(connection, sweep_id, filters={field: text})
        assert [error.field for error in caught.value.errors] == [field]


def test_panels_are_the_heatmaps_of_each_value_of_a_third_axis(engine: sa.Engine, sweep_id: int) -> None:
    sides = {"x": "min_funding_rate", "y": "exit_funding_rate", "metric": "net_pnl"}
    with engine.connect() as connection:
        found = panels(connection, sweep_id, z="perp_leverage", **sides)
        assert found.labels == ("1", "3", "10", "50")
        for label, panel in zip(found.labels, found.heatmaps, strict=True):
            alone = heatmap(connection, sweep_id, most=50_000, fixed={"perp_leverage": label}, **sides)
            assert panel.rows(panel.cells.one_by_one()) == alone.rows(alone.cells.one_by_one())
            assert (panel.best, panel.plateau) == (alone.best, alone.plateau)


def test_overview_counts_the_selected_among_all_and_knows_the_front(engine: sa.Engine, sweep_id: int) -> None:
    with engine.connect() as connection:
        seen = overview(
            connection,
            sweep_id,
            metric="net_pnl",
            risk="max_drawdown",
            gain="net_pnl",
            filters={"net_pnl": "0.."},
            most=2,
        )
    rows = [row for row in stored_rows(engine, sweep_id) if row["state"] == "completed"]
    winners = [row for row in rows if row["net_pnl"] >= 0]
    assert (seen.finished, seen.selected) == (len(rows), len(winners))
    assert (sum(seen.distribution.every), sum(seen.distribution.counts)) == (len(rows), len(winners))
    unbeaten = {
        (row["max_drawdown"], row["net_pnl"])
        for row in winners
        if not any(
            other["max_drawdown"] <= row["max_drawdown"]
            and other["net_pnl"] >= row["net_pnl"]
            and (other["max_drawdown"], other["net_pnl"]) != (row["max_drawdown"], row["net_pnl"])
            for other in winners
        )
    }
    by_number = {row["number"]: row for row in rows}
    front = [by_number[number] for number in seen.front.numbers.tolist()]
    assert {(row["max_drawdown"], row["net_pnl"]) for row in front} == unbeaten
    assert (seen.maximize["net_pnl"], seen.maximize["max_drawdown"]) == (True, False)
