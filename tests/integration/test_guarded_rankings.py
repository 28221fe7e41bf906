"""Trials that the guard refuses follow all others in every ranking, in both databases."""

import csv
import io
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from sweeping import stored_rows, sweep_spec, worked

from bot.selection.guard import Guard
from sweeps.analysis.maps.cell_states import CellState, cell_states
from sweeps.analysis.maps.heatmap import Aggregate, heatmap
from sweeps.analysis.maps.slices import QUANTILES, slices
from sweeps.analysis.overview import overview
from sweeps.analysis.progress import get_sweep
from sweeps.analysis.queries import TrialView, trial_page
from sweeps.analysis.robustness import over_axis
from sweeps.analysis.scenarios import without_setting
from sweeps.export.files import ExportFormat, exported
from sweeps.spec.scenarios import ScenarioRank, Scenarios
from sweeps.storage import blocks
from sweeps.storage.blocks import Measured
from sweeps.storage.column_cache import ColumnCache
from sweeps.storage.tables import chunk

GRID = {
    "min_funding_rate": ["0.0002", "0.00002", "0.0001"],
    "exit_funding_rate": ["0.00005", "0"],
    "perp_leverage": [1, 3, 10, 50],
}
FEWEST = 70
SPEC = sweep_spec(
    grid=GRID,
    curves={"top": 3},
    objective={"metric": "net_pnl", "direction": "minimize"},
    validation={"min_trades": 1, "min_settlements": FEWEST},
)


@pytest.fixture(scope="module")
def engine(shared_engine: sa.Engine) -> sa.Engine:
    return shared_engine


@pytest.fixture(scope="module")
def sweep_id(engine: sa.Engine) -> int:
    """Return a finished sweep that calls the greatest loss the best, so that the guard has its say."""
    return worked(engine, SPEC, size=7)


@pytest.fixture(scope="module")
def rows(engine: sa.Engine, sweep_id: int) -> list[dict[str, Any]]:
    return stored_rows(engine, sweep_id)


def may_win(row: dict[str, Any]) -> bool:
    return bool(row["volatility"]) and row["funding_payments"] >= FEWEST


def pages(engine: sa.Engine, sweep_id: int, limit: int, **query: Any) -> list[TrialView]:
    found: list[TrialView] = []
    cursor = None
    with engine.connect() as connection:
        while True:
            page = trial_page(connection, sweep_id, limit=limit, cursor=cursor, **query)
            found += page.trials
            cursor = page.next_cursor
            if cursor is None:
                return found


def test_some_may_win_and_some_may_not(rows: list[dict[str, Any]]) -> None:
    assert {may_win(row) for row in rows} == {True, False}


@pytest.mark.parametrize("blocks_at_once", [1, 2, 32])
def test_trials_that_may_win_are_told_however_many_blocks_are_looked_at_together(
    engine: sa.Engine,
    sweep_id: int,
    rows: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    blocks_at_once: int,
) -> None:
    monkeypatch.setattr(blocks, "_BLOCKS_AT_ONCE", blocks_at_once)
    monkeypatch.setattr(blocks, "_FEW_BLOCKS", 0)
    monkeypatch.setattr(blocks, "_column_cache", ColumnCache())
    with engine.connect() as connection:
        found = blocks.measured(connection, sweep_id, guard=Guard.of(SPEC.validation))
    expected = {row["number"]: may_win(row) for row in rows}
    assert dict(zip(found.numbers.tolist(), found.eligible.tolist(), strict=True)) == expected


@pytest.mark.parametrize("sort", [None, "net_pnl", "-net_pnl", "profit_factor", "-total_trades"])
@pytest.mark.parametrize("limit", [1, 5, 100])
def test_ineligible_trials_follow_in_both_directions_across_pages(
    engine: sa.Engine, sweep_id: int, rows: list[dict[str, Any]], sort: str | None, limit: int
) -> None:
    name = (sort or "net_pnl").removeprefix("-")
    sign = -1 if (sort or "").startswith("-") else 1

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        value = row[name]
        return (not may_win(row), value is None, 0 if value is None else sign * value, row["number"])

    found = pages(engine, sweep_id, limit, sort=sort)
    assert [view.number for view in found] == [row["number"] for row in sorted(rows, key=key)]
    eligible = {row["number"]: may_win(row) for row in rows}
    assert {view.number: view.eligible for view in found} == eligible
    assert {view.ineligible is None for view in found if not view.eligible} == {False}


def test_order_by_number_or_axis_is_no_ranking(engine: sa.Engine, sweep_id: int) -> None:
    found = pages(engine, sweep_id, 5, sort="number")
    assert [view.number for view in found] == list(range(SPEC.trial_count))


@pytest.mark.parametrize("aggregate", list(Aggregate))
def test_cells_sum_up_eligible_trials_and_only_such_cells_are_best(
    engine: sa.Engine, sweep_id: int, rows: list[dict[str, Any]], aggregate: Aggregate
) -> None:
    with engine.connect() as connection:
        found = heatmap(
            connection, sweep_id, x="min_funding_rate", y="exit_funding_rate", aggregate=aggregate
        )
    cells: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in rows:
        entry, leave, _ = np.unravel_index(row["number"], (3, 2, 4))
        cells.setdefault((int(leave), int(entry)), []).append(row)
    counts = found.rows(found.cells.counts.tolist(), 0)
    shown = found.rows(found.cells.numbers.tolist())
    eligible = found.rows(found.eligible.tolist(), False)
    for (y, x), held in cells.items():
        good = [row for row in held if may_win(row)]
        assert eligible[y][x] == bool(good)
        assert counts[y][x] == len(good or held)
        assert shown[y][x] in {row["number"] for row in good or held}
    assert found.best is not None
    assert eligible[found.best[0]][found.best[1]]


def test_front_is_of_eligible_trials(engine: sa.Engine, sweep_id: int, rows: list[dict[str, Any]]) -> None:
    with engine.connect() as connection:
        front = overview(connection, sweep_id).front.numbers.tolist()
    good = {row["number"] for row in rows if may_win(row)}
    assert front
    assert set(front) <= good


@pytest.mark.parametrize("sort", ["median", "-median", "best", "-profitable_share"])
def test_settings_without_an_eligible_trial_come_last_across_pages(
    engine: sa.Engine, sweep_id: int, rows: list[dict[str, Any]], sort: str
) -> None:
    found, cursor = [], None
    with engine.connect() as connection:
        while True:
            page = over_axis(
                connection, sweep_id, over="exit_funding_rate", sort=sort, limit=2, cursor=cursor
            )
            found += page.settings
            cursor = page.next_cursor
            if cursor is None:
                break
    assert len(found) == 12
    counts = [setting.eligible for setting in found]
    assert [count == 0 for count in counts] == sorted(count == 0 for count in counts)
    assert sum(counts) == sum(map(may_win, rows))
    assert {setting.trials for setting in found} == {2}


def test_best_trial_and_stored_curves_are_eligible(
    engine: sa.Engine, sweep_id: int, rows: list[dict[str, Any]]
) -> None:
    ranked = sorted(filter(may_win, rows), key=lambda row: (row["net_pnl"], row["number"]))
    with engine.connect() as connection:
        best = get_sweep(connection, sweep_id).best
        kept = connection.execute(sa.text("SELECT number FROM trial_curve ORDER BY number")).scalars().all()
    assert best is not None
    assert best.number == ranked[0]["number"]
    assert list(kept) == sorted(row["number"] for row in ranked[:3])
    assert min(row["net_pnl"] for row in rows) < ranked[0]["net_pnl"]


def test_best_trial_of_chunks_that_were_counted_without_a_guard_is_found_among_the_eligible(
    engine: sa.Engine, sweep_id: int, rows: list[dict[str, Any]]
) -> None:
    worst = min(rows, key=lambda row: (row["net_pnl"], row["number"]))["number"]
    ranked = sorted(filter(may_win, rows), key=lambda row: (row["net_pnl"], row["number"]))
    with engine.connect() as connection:  # rolled back
        mine = sa.and_(chunk.c.sweep_id == sweep_id, chunk.c.lo <= worst, chunk.c.hi > worst)
        connection.execution_options(carrygrid_write=True)
        connection.execute(chunk.update().where(mine).values(best_number=worst, best_rank=-(2**62)))
        best = get_sweep(connection, sweep_id).best
        connection.rollback()
    assert best is not None
    assert best.number == ranked[0]["number"]


def test_sweep_of_ineligible_trials_has_no_best_one(engine: sa.Engine) -> None:
    spec = sweep_spec(grid={"perp_leverage": [1, 3]}, validation={"min_trades": 10_000})
    sweep_id = worked(engine, spec)
    with engine.connect() as connection:
        assert get_sweep(connection, sweep_id).best is None
        assert overview(connection, sweep_id).front.numbers.tolist() == []
    assert [view.number for view in pages(engine, sweep_id, 1)] == [0, 1]


def test_exports_say_of_each_trial_whether_it_may_win(
    engine: sa.Engine, sweep_id: int, rows: list[dict[str, Any]]
) -> None:
    text = b"".join(exported(engine, sweep_id, SPEC, ExportFormat.CSV, {})).decode()
    told = {int(row["number"]): row["eligible"] for row in csv.DictReader(io.StringIO(text))}
    assert told == {row["number"]: str(may_win(row)).lower() for row in rows}


WINNING = {"worst": 0, "median": 4}
"""Settings of which the trial that they are ranked at is eligible: at a leverage of 50 none is."""


def at_leverage(rows: list[dict[str, Any]], rank: str) -> list[dict[str, Any]]:
    """Return the trial that each setting of the other axes is ranked at over `perp_leverage`, best first."""
    settings: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        settings.setdefault(row["number"] // 4, []).append(row)
    chosen = []
    for held in settings.values():
        best_first = sorted(held, key=lambda row: (not may_win(row), row["net_pnl"]))
        worst = best_first[-1 if rank == "worst" else 2]
        alike = [row for row in held if level(row) == level(worst)]
        chosen.append(min(alike, key=lambda row: row["number"]))
    return sorted(chosen, key=lambda row: (not may_win(row), row["net_pnl"], row["number"]))


def level(row: dict[str, Any]) -> Any:
    return row["net_pnl"] if may_win(row) else None


@pytest.mark.parametrize("rank", ["worst", "median"])
def test_settings_rank_at_a_scenario_and_their_other_trials_follow(
    engine: sa.Engine, sweep_id: int, rows: list[dict[str, Any]], rank: str
) -> None:
    scenarios = Scenarios(axes=("perp_leverage",), rank=ScenarioRank(rank))
    expected = [row["number"] for row in at_leverage(rows, rank)]
    winning = [number for number in expected if may_win(rows[number])]
    assert (len(winning), len(expected)) == (WINNING[rank], 6)
    found = [view.number for view in pages(engine, sweep_id, 5, scenarios=scenarios)]
    assert sorted(found) == list(range(SPEC.trial_count))
    assert found[: len(winning)] == winning
    x, y, metric = "min_funding_rate", "exit_funding_rate", "net_pnl"
    shown = Scenarios(axes=(x,))
    with engine.connect() as connection:
        drawn = heatmap(connection, sweep_id, x=x, y=y, metric=metric, scenarios=scenarios)
        plain = heatmap(connection, sweep_id, x=x, y=y, metric=metric, scenarios=shown)
        view = overview(connection, sweep_id, metric=metric, scenarios=scenarios)
    assert sorted(drawn.cells.numbers.tolist()) == sorted(expected)
    assert drawn.cells.counts.tolist() == [1] * 6
    shown_trials = drawn.rows(drawn.cells.numbers.tolist())
    assert [shown_trials[row][column] for row, column in filter(None, [drawn.best])] == winning[:1]
    assert (drawn.plateau is None) == (rank == "worst")
    assert plain.cells.counts.sum() > 6  # an axis that is shown is no scenario
    assert sorted(view.points.numbers.tolist()) == sorted(expected)
    assert view.finished == view.selected == 6


def test_a_range_of_a_scenario_axis_narrows_the_scenarios_and_one_of_a_metric_the_settings(
    engine: sa.Engine, sweep_id: int, rows: list[dict[str, Any]]
) -> None:
    scenarios = Scenarios(axes=("perp_leverage",))
    narrow = [row for row in rows if row["number"] % 4 < 2]
    with engine.connect() as connection:
        view = overview(
            connection,
            sweep_id,
            metric="net_pnl",
            scenarios=scenarios,
            filters={"perp_leverage": "..3", "net_pnl": "0.."},
        )
    worst = [
        max(narrow[at : at + 2], key=lambda row: (not may_win(row), row["net_pnl"], -row["number"]))
        for at in range(0, 12, 2)
    ]
    assert view.finished == 6
    assert sorted(view.points.numbers.tolist()) == [row["number"] for row in worst if row["net_pnl"] >= 0]


def test_slices_hold_quantiles_of_the_trials_that_may_win_by_value(
    engine: sa.Engine, sweep_id: int, rows: list[dict[str, Any]]
) -> None:
    with engine.connect() as connection:
        found = slices(connection, sweep_id, metric="net_pnl")
    assert [one.axis.name for one in found.slices] == list(GRID)
    leverage = found.slices[2]
    for step, label in enumerate(leverage.axis.labels):
        held = [row for row in rows if may_win(row) and SPEC.params(row["number"])["perp_leverage"] == label]
        held.sort(key=lambda row: (float(row["net_pnl"]), row["number"]))
        assert leverage.counts[step] == len(held)
        if not held:
            assert np.isnan(leverage.levels[step]).all()
            assert leverage.best[step] == -1
            continue
        places = np.rint(np.multiply(QUANTILES, len(held) - 1)).astype(int)
        assert leverage.levels[step].tolist() == [float(held[at]["net_pnl"]) for at in places]
        assert leverage.best[step] == held[0]["number"]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_best_trial_of_a_slice_is_the_first_of_equal_ones(engine: sa.Engine, direction: str) -> None:
    makers = ["0", "0.0001", "0.0002"]  # no order is a maker's
    grid = {"perp_maker": makers, "perp_leverage": [1, 2], "min_funding_rate": ["0.00002"]}
    objective = {"metric": "net_pnl", "direction": direction}
    spec = sweep_spec(grid=grid, constraints=[], objective=objective)
    with engine.connect() as connection:
        maker, leverage, rate = slices(connection, worked(engine, spec, size=4)).slices
    number = 1 if direction == "maximize" else 0
    assert maker.best.tolist() == [number, number + 2, number + 4]
    assert (leverage.best.tolist(), rate.best.tolist()) == ([0, 1], [number])


def test_cells_without_a_trial_that_may_win_say_why(
    engine: sa.Engine, sweep_id: int, rows: list[dict[str, Any]]
) -> None:
    with engine.connect() as connection:
        sides = connection, sweep_id
        every = heatmap(*sides, x="perp_leverage", y="exit_funding_rate", metric="net_pnl")
        part = heatmap(*sides, x="perp_leverage", y="exit_funding_rate", fixed={"perp_leverage": "1..3"})
    for (y, x), state in np.ndenumerate(np.array(every.table(every.states), dtype=object)):
        held = [row for row in rows if (row["number"] // 4 % 2, row["number"] % 4) == (y, x)]
        traded = any(row["total_trades"] for row in held)
        other = CellState.INELIGIBLE if traded else CellState.NOT_TRADED
        assert state == (None if any(map(may_win, held)) else other)
    assert part.table(part.states)[0][2:] == [CellState.OUTSIDE, CellState.OUTSIDE]


def test_state_of_a_cell_is_the_one_that_says_most_of_its_trials() -> None:
    columns = {"net_pnl": np.array([0, 0, 5]), "total_trades": np.array([0, 1, 1])}
    none = np.zeros(3, dtype=np.bool_)
    done = Measured(np.arange(3), columns, none)
    ids, failed = np.array([1, 2, 2]), np.array([0, 1])
    states = cell_states(done, ids, "net_pnl", np.zeros(4, dtype=np.bool_), failed, selecting=False)
    assert states == [CellState.FAILED, CellState.NOT_TRADED, CellState.INELIGIBLE, CellState.NOT_RUN]
    undefined = Measured(np.arange(1), {"sharpe": np.array([np.nan]), "total_trades": np.ones(1)}, none[:1])
    found = cell_states(
        undefined, np.zeros(1, dtype=int), "sharpe", none[:1], np.array([], dtype=int), selecting=True
    )
    assert found == [CellState.UNDEFINED]


@pytest.mark.parametrize("fails", [False, True])
def test_a_failed_scenario_leaves_its_setting_to_those_that_completed(
    fails: bool,
) -> None:
    scenarios = Scenarios(axes=("perp_leverage",))
    cells = SPEC.space.cells_of(np.array([0, 1, 4]))
    failed = np.array([2, 3, 8] if fails else [], dtype=np.int64)
    assert without_setting(SPEC, scenarios, cells, failed).tolist() == ([8] if fails else [])
