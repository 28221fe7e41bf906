"""Parts of a report that take replays: the stitched run of its folds, and transfer between pairs."""

from decimal import Decimal
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import sqlalchemy as sa
from selecting import (
    LONG_BASE,
    SETTINGS,
    do_jobs,
    long_market,
    long_spec,
    plain_returns,
    report_of_sweep,
    run_chunks,
    view_of,
)
from sweeping import stored_rows, submit

from bot.backtest import ReplayWindow, replay
from bot.backtest.baseline import held_throughout
from bot.backtest.random_runs import random_entries
from bot.backtest.stitched import Seam, stitch
from bot.clock import SystemClock
from bot.config.parameter_columns import ParameterColumns
from bot.config.run_config import RunConfig
from bot.errors import BotError, StoreError
from bot.hedges.evidence.engine_choice import stitch_runs
from bot.hedges.evidence.stitched import StitchedHedges
from bot.hedges.runs import load_window
from bot.market.rows import SeriesKey, SeriesKind
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import PROFILES, generate_pair
from bot.models import HOUR_MS
from bot.selection.days.whole_returns import whole_returns
from bot.selection.sharpe import PowerSums
from bot.timestamps import parse_time_ms
from sweeps.analysis.queries import TrialView, one_trial, trial_page
from sweeps.jobs.job_runner import JobRunner
from sweeps.spec.spec import SweepSpec
from sweeps.work import replay as replays
from sweeps.work.replay import WindowCache, replay_trial
from sweeps.work.runner import ChunkRunner

SPEC = long_spec()
LATE_EXCHANGE = "one-pair-late"


@pytest.fixture(scope="module")
def engine(shared_engine: sa.Engine) -> sa.Engine:
    long_market(shared_engine)
    return shared_engine


@pytest.fixture(scope="module")
def sweep_id(engine: sa.Engine) -> int:
    """Return a judged sweep."""
    return judged(engine, SPEC)


@pytest.fixture(scope="module")
def report(engine: sa.Engine, sweep_id: int) -> dict[str, Any]:
    return report_of_sweep(engine, sweep_id)


def judged(engine: sa.Engine, spec: SweepSpec, chunks: int = 1) -> int:
    """Return a sweep that was replayed in so many chunks, and judged."""
    sweep_id = submit(engine, spec, size=-(-spec.trial_count // chunks))
    run_chunks(engine, sweep_id, chunks)
    do_jobs(engine)
    return sweep_id


def test_stitched_run_of_a_completed_sweep_is_one_account_under_the_trials_of_its_folds(
    engine: sa.Engine, report: dict[str, Any]
) -> None:
    found = report["walk_forward"]
    first_ms = parse_time_ms(found["folds"][0]["test_dates"][0])
    seams = [
        Seam(parse_time_ms(fold["test_dates"][0]), SPEC.config(fold["trial"])) for fold in found["folds"]
    ]
    store = HistoricalDataStore(engine)

    def window(config: RunConfig) -> ReplayWindow:
        return ReplayWindow.build(config, store.load(config.exchange, config.symbols, config.end))

    run = stitch(first_ms, seams, window)
    assert found["metrics"] == run.metrics.document()
    assert len(seams) == 4
    assert sum(Decimal(fold["net_pnl"]) for fold in found["folds"]) == run.metrics.net_pnl
    held = [Seam(seam.from_ms, held_throughout(seam.config)) for seam in seams]
    assert found["hold"] == stitch(first_ms, held, window).metrics.document()


def test_random_entries_of_the_winner_are_those_of_its_trial(
    engine: sa.Engine, report: dict[str, Any]
) -> None:
    config = SPEC.config(report["winner"])
    data = HistoricalDataStore(engine).load(config.exchange, config.symbols, config.end, config.start)
    window = ReplayWindow.build(config, data)
    assert report["random_entries"] == random_entries(replay(config, window), window).p
    assert "Random entries with the same time in market: " in report["sentence"]


@pytest.mark.usefixtures("kernel")
def test_the_process_that_ends_a_sweep_takes_the_run_of_the_winner_from_its_samples(
    engine: sa.Engine, report: dict[str, Any]
) -> None:
    windows = WindowCache(HistoricalDataStore(engine))
    sweep_id = submit(engine, long_spec(reuse=False))
    ChunkRunner(engine, windows, SystemClock()).run(sweep_id, 0, "me")
    with patch.object(replays, "replay_run", side_effect=AssertionError("replayed once more")):
        assert JobRunner(engine, windows=windows).report(sweep_id)
    assert report_of_sweep(engine, sweep_id)["random_entries"] == report["random_entries"]


def test_plateau_of_the_winner_is_the_worst_of_it_and_the_trials_one_step_away(
    engine: sa.Engine, sweep_id: int, report: dict[str, Any]
) -> None:
    rows = {row["number"]: row["sharpe"] for row in stored_rows(engine, sweep_id)}
    around = neighbours(report["winner"])
    assert 3 <= len(around) <= 4
    assert report["plateau"] == min(rows[number] for number in [report["winner"], *around])


def test_failed_neighbour_makes_the_plateau_as_low_as_the_worst_eligible_trial(
    engine: sa.Engine, report: dict[str, Any]
) -> None:
    failing = SPEC.config(neighbours(report["winner"])[0])

    def refused(parameters: ParameterColumns) -> dict[int, BotError]:
        configs = enumerate(parameters.configs())
        return {place: StoreError("made to fail") for place, config in configs if config == failing}

    with patch.object(ParameterColumns, "refused", refused):
        sweep_id = judged(engine, long_spec(name="one fails", reuse=False))
    rows = stored_rows(engine, sweep_id)
    assert sum(row["state"] == "failed" for row in rows) == 1
    settled = [row for row in rows if row["state"] == "completed" and may_win(row)]
    found = report_of_sweep(engine, sweep_id)
    assert found["winner"] == report["winner"]
    assert found["plateau"] == min(row["sharpe"] for row in settled) < report["plateau"]


def may_win(row: dict[str, Any]) -> bool:
    enough = row["total_trades"] >= SETTINGS["min_trades"]
    return bool(row["volatility"] and enough and row["funding_payments"] >= SETTINGS["min_settlements"])


def neighbours(number: int) -> list[int]:
    """Return the trials one step away from a trial."""
    own = SPEC.params(number)
    return [other for other in range(SPEC.trial_count) if _one_step_apart(own, SPEC.params(other))]


def _one_step_apart(one: dict[str, Any], other: dict[str, Any]) -> bool:
    values = {name: list(axis.labels) for name, axis in SPEC.space.by_name.items()}
    apart = [abs(values[name].index(one[name]) - values[name].index(other[name])) for name in one]
    return sorted(apart)[-2:] == [0, 1]


def test_transfer_of_a_sweep_over_pairs_ranks_what_is_chosen_on_the_others(engine: sa.Engine) -> None:
    pairs = ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    values = [[pairs[0]], [pairs[1]], pairs]
    grid = {"min_funding_rate": ["0.00002", "0.00006", "0.0002"], "symbols": values}
    base = {name: value for name, value in LONG_BASE.items() if name != "symbols"}
    sweep_id = judged(engine, long_spec(base=base, grid=grid), chunks=3)
    found = report_of_sweep(engine, sweep_id)["transfer"]
    assert list(found["ranks"]) == [pairs[0], pairs[1], ", ".join(pairs)]
    assert set(found["ranks"].values()) <= {0.0, 0.25, 0.5, 0.75, 1.0}
    assert found["mean"] == sum(found["ranks"].values()) / 3


def test_a_sweep_of_one_pair_has_no_transfer_and_says_why(report: dict[str, Any]) -> None:
    assert report["transfer"] is None
    assert report["missing"]["transfer"] == "3 values of symbols needed, 1 held"


def test_trials_of_a_judged_sweep_are_sorted_and_chosen_by_chance_of_luck_and_plateau(
    engine: sa.Engine, sweep_id: int, report: dict[str, Any]
) -> None:
    def page(**asked: Any) -> list[TrialView]:
        found: list[TrialView] = []
        cursor = None
        while True:
            with engine.connect() as connection:
                part = trial_page(connection, sweep_id, limit=7, cursor=cursor, **asked)
            found += part.trials
            if (cursor := part.next_cursor) is None:
                return found

    every = {trial.number: trial for trial in page(sort="number")}
    winner = every[report["winner"]]
    assert winner.p_luck == report["cash"]["winner"]["p_luck"]
    assert winner.plateau == report["plateau"]
    for name in ("p_luck", "plateau"):
        known = [getattr(trial, name) for trial in page(sort=name) if trial.eligible]
        known = [value for value in known if value is not None]
        assert len(known) > 2
        assert known == sorted(known)
    chosen = page(sort="-plateau", filters={"p_luck": f"..{winner.p_luck}"})
    wanted = {n for n, trial in every.items() if trial.p_luck is not None and trial.p_luck <= winner.p_luck}
    assert {trial.number for trial in chosen} == wanted
    with engine.connect() as connection:
        assert one_trial(connection, sweep_id, winner.number).plateau == winner.plateau


def test_chance_of_luck_of_each_trial_is_that_of_its_sharpe_ratio_over_the_sample(
    engine: sa.Engine, sweep_id: int
) -> None:
    found, wanted = chances(engine, SPEC, sweep_id)
    assert len(wanted) > 30
    assert found == wanted


def test_chance_of_luck_of_trials_that_begin_late_is_over_all_days_of_their_panel(engine: sa.Engine) -> None:
    late_market(engine)
    symbols = ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    base = {**LONG_BASE, "exchange": LATE_EXCHANGE, "min_coverage": "0.1"}
    del base["symbols"]
    grid = {
        "symbols": symbols,
        "min_funding_rate": ["0.00002", "0.00004", "0.00006"],
        "perp_leverage": [1, 3],
    }
    spec = long_spec(base=base, grid=grid)
    found, wanted = chances(engine, spec, judged(engine, spec, chunks=2))
    assert len(wanted) == spec.trial_count
    assert found == wanted


def late_market(engine: sa.Engine) -> None:
    """Store a year of one generated pair, and the last eight months of another."""
    store = HistoricalDataStore(engine)
    for profile, first in zip(PROFILES, ("2024-01-01", "2024-05-02"), strict=False):
        pair = generate_pair(profile, 1, parse_time_ms(first), parse_time_ms("2025-01-01"))
        store.put_instrument(LATE_EXCHANGE, pair.symbol, pair.instrument)
        for kind, rows in pair.rows.items():
            key = SeriesKey(LATE_EXCHANGE, pair.symbol, kind, 0 if kind is SeriesKind.FUNDING else HOUR_MS)
            store.merge(key, rows, synthetic=True)


def chances(
    engine: sa.Engine, spec: SweepSpec, sweep_id: int
) -> tuple[dict[int, float | None], dict[int, float | None]]:
    """Return the chance of luck of each trial that moved, as lists have it, and from its curve."""
    panels = view_of(engine, sweep_id).panels
    assert panels is not None
    cash = panels.at(None).report.cash
    assert cash is not None
    calendar, highest = cash.search.calendar, cash.search.highest
    assert calendar.days > calendar.sample_days
    windows = WindowCache(HistoricalDataStore(engine))
    with engine.connect() as connection:
        trials = trial_page(connection, sweep_id, sort="number", limit=spec.trial_count).trials
    wanted: dict[int, float | None] = {}
    for number in range(spec.trial_count):
        run = replay_trial(spec, number, windows)
        returns = np.array([plain_returns(run, calendar.first_day, calendar.days)])
        ratio = PowerSums.of(whole_returns(returns).values[0, calendar.sample_start :]).sharpe
        if ratio is not None:
            as_high = sum(one >= ratio for one in highest)
            wanted[number] = 1.0 if ratio <= 0 else (1 + as_high) / 501
    return {trial.number: trial.p_luck for trial in trials if trial.number in wanted}, wanted


def test_trials_of_a_sweep_that_is_not_judged_have_neither(engine: sa.Engine) -> None:
    sweep_id = submit(engine, SPEC, size=SPEC.trial_count)
    run_chunks(engine, sweep_id, 1)
    with engine.connect() as connection:
        trials = trial_page(connection, sweep_id, sort="p_luck").trials
    assert {(trial.p_luck, trial.plateau) for trial in trials} == {(None, None)}


def test_folds_of_trials_of_hedges_are_one_account_beside_holding(engine: sa.Engine) -> None:
    grid = {"min_funding_rate": ["0.00002", "0.0001"], "impact_bps": [5, 10]}
    spec = long_spec(grid=grid, name="hedges")
    found = report_of_sweep(engine, judged(engine, spec))["walk_forward"]
    trials = [fold["trial"] for fold in found["folds"]]
    seams = [
        Seam(parse_time_ms(fold["test_dates"][0]), spec.config(fold["trial"])) for fold in found["folds"]
    ]
    store = HistoricalDataStore(engine)
    run = stitch_runs(seams[0].from_ms, seams, lambda config: load_window(config, store))
    assert found["metrics"] == run.metrics_document()
    assert sum(Decimal(fold["net_pnl"]) for fold in found["folds"]) == run.metrics.net_pnl
    assert found["hold"]["net_pnl"] != found["metrics"]["net_pnl"]
    assert len(trials) == 4
    assert isinstance(run, StitchedHedges)
