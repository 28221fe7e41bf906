"""Sums that a selection is judged by: how long they stay, and that trials without them book what they did."""

import re
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from selecting import (
    LONG_BASE,
    LONG_GRID,
    SETTINGS,
    do_jobs,
    long_market,
    long_spec,
    plain_report,
    replayed_sweep,
    report_of_sweep,
    run_chunks,
    view_of,
)
from sweeping import count_stored, submit

from bot.clock import SimulatedClock
from bot.market_store.database import write_transaction
from bot.selection.settings import ValidationSettings
from bot.statistics.trial_metrics import DIGEST_BYTES
from sweeps.analysis.progress import get_spec
from sweeps.errors import SweepStateError
from sweeps.jobs.selection_jobs import ask_for_selection
from sweeps.lifecycle.deleting import delete_sweep
from sweeps.lifecycle.extend_clone import extend_sweep, extended_spec
from sweeps.storage.packing import packed_digests
from sweeps.storage.selection import held_panels
from sweeps.storage.stored_trials import LEDGER
from sweeps.storage.tables import chunk, selection_report, selection_sums, trial_block
from sweeps.work import judging, panels
from sweeps.work.chunk_buffer import BatchSizer
from sweeps.work.judging import forget_needless_sums


def test_sums_of_trials_that_the_kernel_replays_go_with_the_report_others_stay(engine: sa.Engine) -> None:
    def parts() -> list[int]:
        with engine.connect() as connection:
            return list(connection.execute(sa.select(selection_sums.c.first)).scalars())

    long_market(engine)
    spec = long_spec(grid={"order_style": ["taker", "maker"], **LONG_GRID})
    sweep_id = submit(engine, spec, size=40)
    run_chunks(engine, sweep_id, 2)
    assert sorted(parts()) == [0, 40]
    assert do_jobs(engine) == ["completed"]
    assert parts() == [40]
    assert report_of_sweep(engine, sweep_id)["cash"] == plain_report(engine, spec)["cash"]


def test_trials_judged_again_must_book_what_is_stored_of_them(engine: sa.Engine) -> None:
    sweep_id = replayed_sweep(engine)
    do_jobs(engine)
    ledgers = packed_digests(np.zeros((40, DIGEST_BYTES), dtype=np.uint8))
    with write_transaction(engine) as connection:
        connection.execute(trial_block.update().where(trial_block.c.name == LEDGER).values(data=ledgers))
        digest = ask_for_selection(connection, sweep_id, {"blocks": 6})
    assert do_jobs(engine) == ["failed"]
    said = "trial 0 no longer books what it did; was its strategy changed? Clone the sweep"
    with pytest.raises(SweepStateError, match=re.escape(said)):
        view_of(engine, sweep_id, digest)


def test_trials_judged_again_are_stored_after_each_second_of_the_clock(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call of the replay takes 700 ms, and fewer trials than it began with."""
    sweep_id = replayed_sweep(engine)
    do_jobs(engine)
    clock, told, sizes, real = SimulatedClock(), list[int](), list[int](), judging._replayed

    def replayed(*asked: Any) -> Any:
        clock.advance_to(clock.now_ms() + 700)
        sizes.append(len(asked[3]))
        return real(*asked)

    monkeypatch.setattr(judging, "_replayed", replayed)
    monkeypatch.setattr(judging, "BatchSizer", lambda limits, **_: BatchSizer(limits, alone=False, last=5))
    judging.judged_selection(
        engine, sweep_id, ValidationSettings(), clock, lambda done, _total: told.append(done)
    )
    assert sizes == [5, 7, 10, 14, 4]
    assert told == [0, 12, 36]


def test_report_that_is_made_while_its_sweep_is_extended_leaves_the_sums_of_new_windows(
    engine: sa.Engine,
) -> None:
    long_market(engine)
    base = {name: value for name, value in LONG_BASE.items() if name != "end"}
    spec = long_spec(base=base, grid={**LONG_GRID, "end": ["2024-12-20"]})
    sweep_id = submit(engine, spec, size=40)
    with engine.connect() as connection:
        before = panels.SweepPanels(connection, spec, ValidationSettings.model_validate(SETTINGS))
    with write_transaction(engine) as connection:
        extend_sweep(connection, sweep_id, spec, extended_spec(spec, add_values={"end": ["2024-11-20"]}))
    run_chunks(engine, sweep_id, 2)
    with write_transaction(engine) as connection:
        forget_needless_sums(connection, sweep_id, get_spec(connection, sweep_id), before)
        assert len(held_panels(connection, sweep_id)) == 2


def test_deleted_sweep_takes_its_sums_and_reports_with_it(engine: sa.Engine) -> None:
    sweep_id = replayed_sweep(engine)
    do_jobs(engine)
    with write_transaction(engine) as connection:
        delete_sweep(connection, sweep_id)
        for table in (selection_sums, selection_report):
            assert connection.execute(sa.select(table)).first() is None


def test_extended_sweep_tells_nothing_of_its_selection_before_all_of_it_is_judged(engine: sa.Engine) -> None:
    long_market(engine)
    spec = long_spec()
    sweep_id = submit(engine, spec, size=40)
    run_chunks(engine, sweep_id, 1)
    do_jobs(engine)
    with write_transaction(engine) as connection:
        extend_sweep(connection, sweep_id, spec, extended_spec(spec, add_values={"perp_leverage": [5, 10]}))
        connection.execute(chunk.update().where(chunk.c.id == 1).values(hi=50))
        connection.execute(chunk.insert().values(sweep_id=sweep_id, id=9, lo=50, hi=80, state="pending"))
    run_chunks(engine, sweep_id, 2)
    assert count_stored(engine, sweep_id) == 50
    view = view_of(engine, sweep_id)
    assert (view.complete, view.panels) == (False, None)
