"""Selections judged from sums that workers left and from replays: one report, in both databases."""

from typing import Any

import pytest
import sqlalchemy as sa
from selecting import (
    LONG_BASE,
    LONG_EXCHANGE,
    LONG_GRID,
    SETTINGS,
    JobList,
    do_jobs,
    long_market,
    long_spec,
    plain_report,
    replayed_sweep,
    report_of_sweep,
    run_chunks,
    view_of,
)
from sweeping import submit

from bot.clock import SystemClock
from bot.market_store.database import write_transaction
from bot.selection.settings import ValidationSettings
from sweeps.analysis.progress import get_sweep
from sweeps.errors import SweepStateError, UnknownSweepError
from sweeps.export import manifest
from sweeps.jobs.job_dispatcher import JobDispatcher
from sweeps.jobs.job_runner import JobRunner
from sweeps.jobs.jobs import claim_job
from sweeps.jobs.selection_jobs import ask_for_selection, is_asked_for, take_report
from sweeps.lifecycle.extend_clone import extend_sweep, extended_spec
from sweeps.lifecycle.seals import set_seal
from sweeps.storage import blocks
from sweeps.storage.candidates import candidates_of
from sweeps.storage.column_cache import ColumnCache
from sweeps.storage.selection import held_panels
from sweeps.storage.tables import job, selection_report, selection_sums, sweep
from sweeps.work import panels
from sweeps.work.judging import JudgedSelection, judged_selection

HEAD = ("trials", "winner", "cash", "hold", "pbo", "cv", "walk_forward", "verdict")


def test_report_of_a_completed_sweep_is_that_of_its_trial_curves(engine: sa.Engine) -> None:
    long_market(engine)
    spec = long_spec()
    sweep_id = submit(engine, spec, size=7)
    run_chunks(engine, sweep_id, 6)
    assert not view_of(engine, sweep_id).complete
    assert do_jobs(engine) == ["completed"]
    found = report_of_sweep(engine, sweep_id)
    expected = plain_report(engine, spec)
    assert {name: found[name] for name in HEAD} == {name: expected[name] for name in HEAD}
    assert found["cash"] is not None
    assert found["walk_forward"] is not None


def test_report_leaves_no_columns_of_the_sweep_in_its_process(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ColumnCache()
    monkeypatch.setattr(blocks, "_column_cache", kept)
    long_market(engine)
    run_chunks(engine, submit(engine, long_spec()), 1)
    assert do_jobs(engine) == ["completed"]
    assert kept.size == 0


def test_report_does_not_depend_on_chunks_workers_or_the_kernel(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_market(engine)
    found = []
    for size, by_kernel in ((40, True), (3, True), (11, False)):
        if not by_kernel:
            monkeypatch.setattr("sweeps.work.kernel_replay.usable", lambda: None)
        sweep_id = submit(engine, long_spec(name=f"{size}"), size=size)
        run_chunks(engine, sweep_id, -(-40 // size), backwards=size == 3)
        monkeypatch.setattr(panels, "_MOST_RETURNS", 1_000)  # as the trials of many years: a few at a time
        do_jobs(engine)
        report = report_of_sweep(engine, sweep_id)
        found.append({name: report[name] for name in ("winner", "hold", "pbo", "cv", "walk_forward")})
        found[-1]["cash"] = {key: value for key, value in report["cash"].items() if key != "lifetime"}
        found[-1]["hold"] = {key: value for key, value in report["hold"].items() if key != "lifetime"}
    assert found[0] == found[1] == found[2]
    assert found[0]["cash"]["winner"] is not None


def test_looks_at_the_same_days_weigh_on_a_report_that_was_made_before(engine: sa.Engine) -> None:
    long_market(engine)
    first = submit(engine, long_spec(), size=40)
    run_chunks(engine, first, 1)
    do_jobs(engine)
    alone = report_of_sweep(engine, first)
    second = submit(engine, long_spec(name="again"), size=40)
    run_chunks(engine, second, 1)
    after = report_of_sweep(engine, first)
    assert (alone["trials"]["tried"], after["trials"]["tried"]) == (40, 80)
    assert after["cash"]["winner"] == alone["cash"]["winner"]
    assert after["cash"]["lifetime"]["p_luck"] >= alone["cash"]["lifetime"]["p_luck"]
    assert "Sealed" not in after["sentence"]
    with write_transaction(engine) as connection:
        set_seal(connection, LONG_EXCHANGE, "2024-12-21")
    assert "Sealed from 2024-12-21, no look. " in report_of_sweep(engine, first)["sentence"]


def test_trials_taken_over_from_another_sweep_are_replayed_for_the_report(engine: sa.Engine) -> None:
    long_market(engine)
    first = submit(engine, long_spec(), size=40)
    run_chunks(engine, first, 1)
    do_jobs(engine)
    copy = submit(engine, long_spec(reuse=True), size=40)
    run_chunks(engine, copy, 1)
    assert do_jobs(engine) == ["completed"]
    one, other = (report_of_sweep(engine, sweep_id) for sweep_id in (first, copy))
    for name in ("winner", "pbo", "cv", "walk_forward"):
        assert one[name] == other[name]
    assert one["cash"]["winner"] == other["cash"]["winner"]


def test_sweep_of_before_is_judged_by_replay_once_somebody_asks(engine: sa.Engine) -> None:
    long_market(engine)
    spec = long_spec()
    sweep_id = submit(engine, spec, size=40)
    run_chunks(engine, sweep_id, 1)
    with write_transaction(engine) as connection:
        connection.execute(selection_sums.delete())
        connection.execute(selection_report.delete())
    assert do_jobs(engine) == []
    with write_transaction(engine) as connection:
        assert not is_asked_for(connection, sweep_id)
        ask_for_selection(connection, sweep_id)
    assert view_of(engine, sweep_id).share == 0.0
    assert do_jobs(engine) == ["completed"]
    assert report_of_sweep(engine, sweep_id)["cash"] == plain_report(engine, spec)["cash"]


def test_other_settings_are_judged_apart(engine: sa.Engine) -> None:
    long_market(engine)
    spec = long_spec()
    sweep_id = submit(engine, spec, size=40)
    run_chunks(engine, sweep_id, 1)
    do_jobs(engine)
    own = report_of_sweep(engine, sweep_id)
    with write_transaction(engine) as connection:
        digest = ask_for_selection(connection, sweep_id, {"blocks": 6, "walk_forward": {"test_days": 30}})
    assert do_jobs(engine) == ["completed"]
    changed = ValidationSettings(
        **{**SETTINGS, "blocks": 6, "walk_forward": {"train_days": 120, "test_days": 30}}
    )
    other = report_of_sweep(engine, sweep_id, digest)
    assert {name: other[name] for name in ("pbo", "cv", "walk_forward")} == {
        name: value
        for name, value in plain_report(engine, spec, changed).items()
        if name in {"pbo", "cv", "walk_forward"}
    }
    assert report_of_sweep(engine, sweep_id)["pbo"] == own["pbo"]
    with engine.connect() as connection:
        assert held_panels(connection, sweep_id) == set()


def test_sweep_without_validation_leaves_no_sums_and_is_judged_on_request(engine: sa.Engine) -> None:
    long_market(engine)
    sweep_id = submit(engine, long_spec(validation=False), size=40)
    run_chunks(engine, sweep_id, 1)
    assert do_jobs(engine) == []
    with engine.connect() as connection:
        assert held_panels(connection, sweep_id) == set()
    with pytest.raises(SweepStateError, match="was submitted without validation"):
        view_of(engine, sweep_id)
    with write_transaction(engine) as connection:
        digest = ask_for_selection(connection, sweep_id, SETTINGS)
    assert do_jobs(engine) == ["completed"]
    assert report_of_sweep(engine, sweep_id, digest)["cash"] is not None


def test_running_sweep_shows_the_report_on_its_trials_so_far(engine: sa.Engine) -> None:
    long_market(engine)
    sweep_id = submit(engine, long_spec(), size=20)
    run_chunks(engine, sweep_id, 1)
    view = view_of(engine, sweep_id)
    assert (view.complete, view.share) == (False, None)
    assert view.panels is not None
    assert view.panels.document()["trials"]["tried"] == 20
    with write_transaction(engine) as connection, pytest.raises(SweepStateError, match="once it has ended"):
        ask_for_selection(connection, sweep_id, {"blocks": 6})


def test_extended_sweep_is_judged_anew_on_its_days_and_trials(engine: sa.Engine) -> None:
    long_market(engine)
    spec = long_spec()
    sweep_id = submit(engine, spec, size=40)
    run_chunks(engine, sweep_id, 1)
    do_jobs(engine)
    extended = extended_spec(spec, add_values={"perp_leverage": [5]})
    with write_transaction(engine) as connection:
        extend_sweep(connection, sweep_id, spec, extended)
    assert not view_of(engine, sweep_id).complete
    run_chunks(engine, sweep_id, 4)
    assert do_jobs(engine) == ["completed"]
    found, expected = report_of_sweep(engine, sweep_id), plain_report(engine, extended)
    assert {name: found[name] for name in HEAD} == {name: expected[name] for name in HEAD}


def test_windows_of_a_sweep_are_panels_of_their_own_and_short_ones_say_why(engine: sa.Engine) -> None:
    long_market(engine)
    base = {name: value for name, value in LONG_BASE.items() if name != "end"}
    grid = {**LONG_GRID, "end": ["2024-04-20", "2024-12-20"]}
    sweep_id = submit(engine, long_spec(base=base, grid=grid), size=80)
    run_chunks(engine, sweep_id, 1)
    do_jobs(engine)
    view = view_of(engine, sweep_id)
    assert view.panels is not None
    short, whole = (view.panels.document(place) for place in (0, 1))
    assert (short["end"], short["cash"], short["verdict"]) == ("2024-04-20T00:00:00Z", None, "too_little")
    assert short["missing"]["cash"] == "26 weeks needed, 14 held"
    expected = plain_report(engine, long_spec())
    assert whole["cv"] == expected["cv"]
    assert whole["pbo"]["pbo"] == expected["pbo"]["pbo"]
    assert whole["winner"] == 2 * expected["winner"] + 1


def test_death_between_the_last_chunk_and_the_report_loses_nothing(engine: sa.Engine) -> None:
    sweep_id = replayed_sweep(engine)
    queue = JobList()
    JobDispatcher(engine, queue).step()
    with write_transaction(engine) as connection:
        claim_job(connection, queue.told[0])  # by a worker that dies now
        connection.execute(job.update().values(lease_until_ms=1, published_ms=1))
    assert not view_of(engine, sweep_id).complete
    assert do_jobs(engine) == ["completed"]
    assert view_of(engine, sweep_id).complete


def test_report_gives_way_to_a_crowd_of_sweeps_for_five_seconds(engine: sa.Engine) -> None:
    long_market(engine)
    sweep_id = submit(engine, long_spec(), size=40)
    for _ in range(3):
        submit(engine, long_spec(), size=40)
    run_chunks(engine, sweep_id, 1)
    dispatcher = JobDispatcher(engine, queue := JobList())
    assert [dispatcher.step() for _ in range(2)] == [0, 0]
    assert not JobRunner(engine).report(sweep_id)
    with write_transaction(engine) as connection:
        connection.execute(sweep.update().values(finished_ms=sweep.c.finished_ms - 5_000))
    assert dispatcher.step() == 1
    assert len(queue.told) == 1


def test_report_is_made_by_who_ends_the_sweep_and_no_message_is_sent(engine: sa.Engine) -> None:
    long_market(engine)
    sweeps = [submit(engine, long_spec(), size=40) for _ in range(2)]
    run_chunks(engine, sweeps[0], 1)
    run_chunks(engine, sweeps[1], 1)
    runner = JobRunner(engine)
    assert [runner.report(sweeps[1]) for _ in range(2)] == [True, False]
    assert [view_of(engine, one).complete for one in sweeps] == [False, True]
    dispatcher = JobDispatcher(engine, queue := JobList())
    assert (dispatcher.step(), len(queue.told)) == (1, 1)
    assert runner.run(queue.told[0]) == "completed"
    assert view_of(engine, sweeps[0]).complete


def test_report_that_was_taken_without_a_message_is_made_by_another_after_a_death(engine: sa.Engine) -> None:
    sweep_id = replayed_sweep(engine)
    with write_transaction(engine) as connection:
        assert take_report(connection, sweep_id) is not None  # by a worker that dies now
    assert JobDispatcher(engine, JobList()).step() == 0
    with write_transaction(engine) as connection:
        connection.execute(job.update().values(lease_until_ms=1))
    assert do_jobs(engine) == ["completed"]
    assert view_of(engine, sweep_id).complete


def test_report_of_a_late_owner_is_not_stored_nor_what_goes_with_it(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*judged: Any) -> JudgedSelection:
        found = judged_selection(*judged)
        with write_transaction(engine) as connection:
            [job_id] = connection.execute(job.update().values(lease_until_ms=1).returning(job.c.id)).scalars()
            assert claim_job(connection, job_id) is not None
        return found

    sweep_id = replayed_sweep(engine)
    with monkeypatch.context() as late:
        late.setattr("sweeps.jobs.selection_jobs.judged_selection", overtaken)
        assert JobRunner(engine).report(sweep_id)
    assert not view_of(engine, sweep_id).complete
    with engine.connect() as connection:
        assert candidates_of(connection, [sweep_id]) == {}
    with write_transaction(engine) as connection:
        connection.execute(job.update().values(lease_until_ms=1))
    assert do_jobs(engine) == ["completed"]
    assert view_of(engine, sweep_id).complete
    with engine.connect() as connection:
        assert candidates_of(connection, [sweep_id]).keys() == {sweep_id}


def test_report_on_a_sweep_that_is_deleted_meanwhile_ends_with_that(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep_id = replayed_sweep(engine)
    deleted = blocks.Measured.nothing(["sharpe"])
    monkeypatch.setattr("sweeps.work.report_parts.measured", lambda *_, **__: deleted)
    with pytest.raises(UnknownSweepError, match="deleted"):
        judged_selection(engine, sweep_id, ValidationSettings(), SystemClock())


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_report_that_another_transaction_gives_to_a_job_is_given_to_no_second_one(engine: sa.Engine) -> None:
    sweep_id = replayed_sweep(engine)
    with write_transaction(engine) as connection:
        assert take_report(connection, sweep_id) is not None
        assert JobDispatcher(engine, JobList()).step() == 0
        assert not JobRunner(engine).report(sweep_id)
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(job)).scalar_one() == 1


def test_report_that_breaks_unexpectedly_is_free_at_once_for_others(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep_id = replayed_sweep(engine)
    with monkeypatch.context() as broken:
        broken.setattr("sweeps.jobs.job_runner.selection_document", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            JobRunner(engine).report(sweep_id)
    assert do_jobs(engine) == ["completed"]
    assert view_of(engine, sweep_id).complete


def test_process_that_made_a_report_goes_on_with_those_that_no_job_makes(engine: sa.Engine) -> None:
    long_market(engine)
    sweeps = [submit(engine, long_spec(), size=40) for _ in range(3)]
    run_chunks(engine, sweeps[0], 1)
    JobDispatcher(engine, queue := JobList()).step()
    for one in sweeps[1:]:
        run_chunks(engine, one, 1)
    assert JobRunner(engine).run(queue.told[0], others_ms=60_000) == "completed"
    assert all(view_of(engine, one).complete for one in sweeps)


def test_export_carries_the_report_in_its_manifest(engine: sa.Engine) -> None:
    long_market(engine)
    spec = long_spec()
    sweep_id = submit(engine, spec, size=40)
    run_chunks(engine, sweep_id, 1)
    with engine.connect() as connection:
        assert manifest(connection, get_sweep(connection, sweep_id), spec)["selection"] is None
    do_jobs(engine)
    with engine.connect() as connection:
        found = manifest(connection, get_sweep(connection, sweep_id), spec)["selection"]
    assert found == report_of_sweep(engine, sweep_id)
    assert found["sentence"].startswith("Best of 40 trials")
