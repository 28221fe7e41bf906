"""Parts of a report that take replays: the stitched run of its folds, and transfer between pairs."""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from selecting import LONG_BASE, do_jobs, long_market, long_spec, report_of_sweep, run_chunks
from sweeping import stored_rows, submit

from bot.backtest import ReplayWindow, replay
from bot.backtest.baseline import held_throughout
from bot.backtest.random_runs import random_entries
from bot.backtest.stitched import Seam, stitch
from bot.config.run_config import RunConfig
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import parse_time_ms
from sweeps.spec.spec import SweepSpec


def test_stitched_run_of_a_completed_sweep_is_one_account_under_the_trials_of_its_folds(
    engine: sa.Engine,
) -> None:
    long_market(engine)
    spec = long_spec()
    sweep_id = submit(engine, spec)
    run_chunks(engine, sweep_id, 1)
    do_jobs(engine)
    found = report_of_sweep(engine, sweep_id)["walk_forward"]
    first_ms = parse_time_ms(found["folds"][0]["test_dates"][0])
    seams = [
        Seam(parse_time_ms(fold["test_dates"][0]), spec.config(fold["trial"])) for fold in found["folds"]
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


def test_random_entries_of_the_winner_are_those_of_its_trial(engine: sa.Engine) -> None:
    long_market(engine)
    spec = long_spec()
    sweep_id = submit(engine, spec)
    run_chunks(engine, sweep_id, 1)
    do_jobs(engine)
    found = report_of_sweep(engine, sweep_id)
    config = spec.config(found["winner"])
    data = HistoricalDataStore(engine).load(config.exchange, config.symbols, config.end, config.start)
    window = ReplayWindow.build(config, data)
    assert found["random_entries"] == random_entries(replay(config, window), window).p
    assert "Random entries with the same time in market: " in found["sentence"]


def test_plateau_of_the_winner_is_the_worst_of_it_and_the_trials_one_step_away(engine: sa.Engine) -> None:
    long_market(engine)
    spec = long_spec()
    sweep_id = submit(engine, spec)
    run_chunks(engine, sweep_id, 1)
    do_jobs(engine)
    found = report_of_sweep(engine, sweep_id)
    own = spec.params(found["winner"])
    rows = {row["number"]: row["sharpe"] for row in stored_rows(engine, sweep_id)}
    around = [number for number in rows if _one_step_apart(spec, own, spec.params(number))]
    assert 3 <= len(around) <= 4
    assert found["plateau"] == min(rows[number] for number in [found["winner"], *around])


def _one_step_apart(spec: SweepSpec, one: dict[str, Any], other: dict[str, Any]) -> bool:
    values = {name: list(axis.labels) for name, axis in spec.space.by_name.items()}
    apart = [abs(values[name].index(one[name]) - values[name].index(other[name])) for name in one]
    return sorted(apart)[-2:] == [0, 1]


def test_transfer_of_a_sweep_over_pairs_ranks_what_is_chosen_on_the_others(engine: sa.Engine) -> None:
    long_market(engine)
    pairs = ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    values = [[pairs[0]], [pairs[1]], pairs]
    grid = {"min_funding_rate": ["0.00002", "0.00006", "0.0002"], "symbols": values}
    base = {name: value for name, value in LONG_BASE.items() if name != "symbols"}
    sweep_id = submit(engine, long_spec(base=base, grid=grid), size=3)
    run_chunks(engine, sweep_id, 3)
    do_jobs(engine)
    found = report_of_sweep(engine, sweep_id)["transfer"]
    assert list(found["ranks"]) == [pairs[0], pairs[1], ", ".join(pairs)]
    assert set(found["ranks"].values()) <= {0.0, 0.25, 0.5, 0.75, 1.0}
    assert found["mean"] == sum(found["ranks"].values()) / 3


def test_a_sweep_of_one_pair_has_no_transfer_and_says_why(engine: sa.Engine) -> None:
    long_market(engine)
    sweep_id = submit(engine, long_spec())
    run_chunks(engine, sweep_id, 1)
    do_jobs(engine)
    found = report_of_sweep(engine, sweep_id)
    assert (found["transfer"], found["missing"]["transfer"]) == (None, "3 values of symbols needed, 1 held")
