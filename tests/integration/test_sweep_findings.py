"""Findings of a sweep: stored by whoever reads its windows, once each, and joined to its trials."""

import json
from decimal import Decimal
from pathlib import Path

import odd_markets
import pytest
import sqlalchemy as sa
from sweeping import chunks_of, submit, sweep_spec

from bot.backtest import replay
from bot.clock import SystemClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.findings import kept_findings, sweep_findings, window_name
from sweeps.analysis.progress import get_sweep, list_sweeps
from sweeps.analysis.queries import one_trial, trial_page
from sweeps.lifecycle.deleting import delete_sweep
from sweeps.queue.leases import LeaseOutcome
from sweeps.spec.spec import SweepSpec
from sweeps.storage.tables import sweep_window
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

JUMPED = SweepSpec.parse(odd_markets.sweep("JUMP"))


@pytest.fixture(autouse=True)
def _odd(engine: sa.Engine, tmp_path: Path) -> None:
    odd_markets.fill(engine, tmp_path / "odd")


def worked(engine: sa.Engine, spec: SweepSpec, *, workers: int = 1, size: int | None = None) -> int:
    """Submit a sweep and replay its chunks in turn by `workers` that share nothing but the database."""
    sweep_id = submit(engine, spec, size=size)
    runners = [
        ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock()) for _ in range(workers)
    ]
    for place, chunk in enumerate(chunks_of(engine, sweep_id)):
        assert runners[place % workers].run(sweep_id, chunk.id, "test") is LeaseOutcome.DONE
    return sweep_id


def rows(engine: sa.Engine, sweep_id: int) -> int:
    with engine.connect() as connection:
        found = connection.execute(sa.select(sweep_window).where(sweep_window.c.sweep_id == sweep_id))
        return len(found.all())


def test_window_read_by_two_workers_has_its_findings_once(engine: sa.Engine) -> None:
    sweep_id = worked(engine, JUMPED, workers=2, size=1)
    assert rows(engine, sweep_id) == 1
    with engine.connect() as connection:
        [found] = sweep_findings(connection, sweep_id)
        assert get_sweep(connection, sweep_id).finding_names == ("price_jump",)
    assert (found.finding.symbol, found.finding.name, found.windows) == ("JUMP/USDT:USDT", "price_jump", 1)
    assert json.loads(json.dumps(found.document()))["serious"] is True


def test_sweep_over_data_in_order_stores_nothing(engine: sa.Engine) -> None:
    sweep_id = worked(engine, SweepSpec.parse(odd_markets.sweep("FINE")))
    assert rows(engine, sweep_id) == 0
    with engine.connect() as connection:
        assert get_sweep(connection, sweep_id).finding_names == ()
        assert [one.findings for one in trial_page(connection, sweep_id).trials] == [(), ()]


def test_each_window_of_an_axis_of_symbols_keeps_its_own(engine: sa.Engine) -> None:
    spec = SweepSpec.parse(odd_markets.sweep("JUMP", "DEAD", "FINE"))
    sweep_id = worked(engine, spec)
    with engine.connect() as connection:
        kept = kept_findings(connection, sweep_id)
        names = {name: [one.name for one in found] for name, found in kept.items()}
        assert names == {
            window_name(spec.config(0)): ["price_jump"],
            window_name(spec.config(2)): ["dead_contract"],
        }
        assert get_sweep(connection, sweep_id).finding_names == ("dead_contract", "price_jump")
        by_number = {one.number: one.findings for one in trial_page(connection, sweep_id).trials}
    assert [[one.name for one in by_number[number]] for number in range(6)] == [
        ["price_jump"],
        ["price_jump"],
        ["pnl_after_market_end", "dead_contract"],
        ["dead_contract"],
        [],
        [],
    ]


def test_best_trial_tells_the_same_amount_as_a_run_of_its_own(engine: sa.Engine) -> None:
    sweep_id = worked(engine, JUMPED)
    config = JUMPED.config(0)
    result = replay(config, WindowCache(HistoricalDataStore(engine)).window(config))
    with engine.connect() as connection:
        best, idle = (one_trial(connection, sweep_id, number) for number in (0, 1))
    assert best.findings == result.findings
    [found] = best.findings
    assert (found.warning, found.mainly) == (True, True)
    assert found.pnl is not None
    assert found.pnl > Decimal(1_000_000)
    assert [(one.warning, one.pnl) for one in idle.findings] == [(False, None)]


def test_trial_whose_round_trips_are_not_stored_is_warned_about_without_an_amount(engine: sa.Engine) -> None:
    sweep_id = worked(engine, SweepSpec.parse(odd_markets.sweep("JUMP", curves="none")))
    with engine.connect() as connection:
        [found] = one_trial(connection, sweep_id, 0).findings
    assert (found.name, found.warning, found.pnl, found.mainly) == ("price_jump", True, None, False)


def test_sweep_that_ends_dead_contracts_itself_only_notes_them(engine: sa.Engine) -> None:
    body = odd_markets.sweep("DEAD")
    body["base"]["end_dead_markets"] = True
    sweep_id = worked(engine, SweepSpec.parse(body))
    with engine.connect() as connection:
        [found] = sweep_findings(connection, sweep_id)
        [noted] = one_trial(connection, sweep_id, 0).findings
        assert get_sweep(connection, sweep_id).summary.ends_dead
    assert (found.serious, found.finding.detail) == (False, noted.detail)
    assert (noted.name, noted.warning) == ("dead_contract", False)
    assert noted.detail.endswith("; end_dead_markets closes there")


def test_list_of_sweeps_says_which_have_findings(engine: sa.Engine) -> None:
    worked(engine, JUMPED)
    worked(engine, sweep_spec(grid={"perp_leverage": [1]}))
    with engine.connect() as connection:
        found = list_sweeps(connection).sweeps
    assert [one.finding_names for one in found] == [(), ("price_jump",)]


def test_deleted_sweep_leaves_no_findings(engine: sa.Engine) -> None:
    sweep_id = worked(engine, JUMPED)
    with write_transaction(engine) as connection:
        delete_sweep(connection, sweep_id)
    assert rows(engine, sweep_id) == 0
