"""Measure how long questions about a sweep of many trials take: `python tests/benchmarks/million_trials.py`.

Takes the URL of a database; without one a SQLite file in a temporary folder is used. It is filled once;
again with the same URL, the trials that are there are asked about.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from bot.config.run_key import KEY_BYTES
from bot.market_store.database import open_engine, write_transaction
from bot.statistics.trial_columns import MetricColumn, TrialColumns
from bot.statistics.trial_metrics import DIGEST_BYTES
from sweeps.analysis.maps.heatmap import Aggregate, heatmap
from sweeps.analysis.progress import get_sweep, list_sweeps
from sweeps.analysis.queries import one_trial, trial_page
from sweeps.analysis.robustness import over_axis
from sweeps.lifecycle.repository import create_sweep
from sweeps.migrations import migrate
from sweeps.spec.metrics import METRICS, MetricKind
from sweeps.spec.spec import SweepSpec
from sweeps.storage.results import CompletedTrials, Results
from sweeps.storage.tables import chunk, sweep

CHUNK = 4_000
ROUNDS = 5


def spec_of(trials: int) -> SweepSpec:
    """Return a sweep over four parameters and five symbols; constraints are left to other tests."""
    last = trials // 100_000
    symbols = [f"{coin}/USDT:USDT" for coin in ("BTC", "ETH", "SOL", "XRP", "DOGE")]
    return SweepSpec.parse(
        {
            "name": f"{trials:,} trials",
            "base": {"exchange": "synthetic", "start": "2023-01-01", "end": "2024-01-01"},
            "grid": {
                "min_funding_rate": {"start": "0.0001", "stop": "0.001", "num": 50},
                "exit_funding_rate": {"start": "0", "stop": "0.0005", "num": 40},
                "perp_leverage": list(range(1, 11)),
                "symbols": symbols,
                "slippage_bps": list(range(last)),
            },
        }
    )


def results_of(lo: int, hi: int) -> CompletedTrials:
    """Return made-up results of trials [lo, hi), every hundredth without trades."""
    random = np.random.default_rng(lo)
    columns: dict[str, MetricColumn] = {}
    for name, kind in METRICS.items():
        if kind is MetricKind.MONEY:
            columns[name] = random.integers(-(10**12), 10**12, hi - lo)
        elif kind is MetricKind.COUNT:
            columns[name] = random.integers(0, 200, hi - lo)
        else:
            columns[name] = np.where(np.arange(hi - lo) % 100 == 0, np.nan, random.normal(size=hi - lo))
    ledgers = np.zeros((hi - lo, DIGEST_BYTES), dtype=np.uint8)
    keys = np.zeros((hi - lo, KEY_BYTES), dtype=np.uint8)
    return CompletedTrials(np.arange(lo, hi), keys, TrialColumns(columns, ledgers, {}))


def fill(engine: sa.Engine, spec: SweepSpec) -> int:
    """Store the sweep with all its trials and return its id."""
    with write_transaction(engine) as connection:
        sweep_id = create_sweep(connection, spec, size=CHUNK).sweep_id
    for index, lo in enumerate(range(0, spec.trial_count, CHUNK)):
        results = Results.of(sweep_id, [results_of(lo, min(lo + CHUNK, spec.trial_count))])
        rank, number = results.best(spec) or (None, None)
        with write_transaction(engine) as connection:
            results.store(connection)
            connection.execute(
                chunk.update()
                .where(chunk.c.sweep_id == sweep_id, chunk.c.id == index)
                .values(
                    state="done",
                    trials_done=len(results),
                    best_number=number,
                    best_rank=rank,
                    finished_ms=1,
                )
            )
    with write_transaction(engine) as connection:
        connection.execute(
            sweep.update()
            .where(sweep.c.id == sweep_id)
            .values(state="completed", started_ms=1, finished_ms=2)
        )
    return sweep_id


def questions(sweep_id: int) -> Iterator[tuple[str, Callable[[sa.Connection], Any]]]:
    """Yield what is asked, with a name."""

    def second(connection: sa.Connection) -> str:
        return str(trial_page(connection, sweep_id, sort="-sharpe").next_cursor)

    yield "sweep with progress", lambda c: get_sweep(c, sweep_id)
    yield "list of sweeps", list_sweeps
    yield "one trial", lambda c: one_trial(c, sweep_id, 98_765)
    yield "1,000 trials by -sharpe", lambda c: trial_page(c, sweep_id, sort="-sharpe", limit=1_000)
    for sort in (
        "-sharpe",
        "sharpe",
        "-net_pnl",
        "total_trades",
        "-captured_share",
        "number",
        "-slippage_bps",
    ):
        yield f"first page by {sort}", lambda c, sort=sort: trial_page(c, sweep_id, sort=sort)
    yield "two pages by -sharpe", lambda c: trial_page(c, sweep_id, sort="-sharpe", cursor=second(c))
    filters = {"perp_leverage": "3", "symbols": "ETH/USDT:USDT"}
    yield "page by -net_pnl, two filters", lambda c: trial_page(c, sweep_id, sort="-net_pnl", filters=filters)
    yield "page of failed trials", lambda c: trial_page(c, sweep_id, state="failed")
    for aggregate in Aggregate:
        for metric in ("sharpe", "net_pnl"):
            yield (
                f"heatmap, {aggregate} {metric} of the rest",
                lambda c, a=aggregate, m=metric: heatmap(
                    c, sweep_id, x="min_funding_rate", y="exit_funding_rate", metric=m, aggregate=a
                ),
            )
    yield "settings over symbols", lambda c: over_axis(c, sweep_id, over="symbols", metric="net_pnl")


def measured(trials: int) -> dict[str, Any]:
    """Return the milliseconds that each question takes on a new SQLite file: first answer, median of more."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'bench.db'}")
        migrate(engine)
        answers = list(answered(engine, fill(engine, spec_of(trials))))
        engine.dispose()
    return {"trials": trials, "rounds": ROUNDS, "reads": answers}


def answered(engine: sa.Engine, sweep_id: int) -> Iterator[dict[str, Any]]:
    """Yield the milliseconds that each question takes, its first answer on a new connection apart."""
    for name, ask in questions(sweep_id):
        with engine.connect() as connection:
            times = [timed(connection, ask) for _ in range(1 + ROUNDS)]
        yield {"name": name, "first_ms": times[0], "median_ms": statistics.median(times[1:])}


def main() -> None:
    """Fill where needed, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--trials", type=int, default=1_000_000, help="a multiple of 100,000")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(chosen.url or f"sqlite:///{Path(folder) / 'bench.db'}")
        report(engine, spec_of(chosen.trials))
        engine.dispose()


def report(engine: sa.Engine, spec: SweepSpec) -> None:
    """Print one line a question: the first answer on a new connection, and the median of more."""
    migrate(engine)
    with engine.connect() as connection:
        sweep_id = connection.execute(sa.select(sweep.c.id).where(sweep.c.name == spec.name)).scalar()
    if sweep_id is None:
        started = time.perf_counter()
        sweep_id = fill(engine, spec)
        print(f"filled {spec.trial_count:,} trials in {time.perf_counter() - started:.0f} s")
    print(f"{engine.dialect.name}, {spec.trial_count:,} trials; ms: first, median of {ROUNDS}")
    for row in answered(engine, sweep_id):
        print(f"{row['name']:40} {row['first_ms']:8.0f} {row['median_ms']:8.0f}", flush=True)


def timed(connection: sa.Connection, ask: Callable[[sa.Connection], Any]) -> float:
    """Return the milliseconds one answer takes."""
    started = time.perf_counter()
    ask(connection)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
