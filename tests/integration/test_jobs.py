"""Jobs: one result each, whoever dies on the way, in both databases."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import BASE

from bot.backtest import run_backtest
from bot.config.run_config import RunConfig
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.errors import QueueUnavailableError, UnknownJobError
from sweeps.jobs.job_dispatcher import JobDispatcher
from sweeps.jobs.job_runner import JobRunner
from sweeps.jobs.jobs import (
    JobKind,
    JobView,
    claim_job,
    complete_job,
    create_job,
    fail_job,
    get_job,
    release_job,
)
from sweeps.storage.tables import job

CONFIG = RunConfig.parse(BASE)


class Queue:
    """Takes messages, or refuses them."""

    def __init__(self, *, broken: bool = False) -> None:
        self.taken: list[int] = []
        self.behind: list[int] = []
        self.broken = broken

    def publish_job(self, job_id: int, *, behind: bool = False) -> None:
        if self.broken:
            raise QueueUnavailableError("made to fail")
        self.taken.append(job_id)
        if behind:
            self.behind.append(job_id)


def created(engine: sa.Engine, kind: JobKind = JobKind.BACKTEST, **config: Any) -> int:
    with write_transaction(engine) as connection:
        return create_job(connection, kind, {"config": CONFIG.document() | config})


def shown(engine: sa.Engine, job_id: int, kind: JobKind = JobKind.BACKTEST) -> JobView:
    with engine.connect() as connection:
        return get_job(connection, kind, job_id)


def let_leases_run_out(engine: sa.Engine) -> None:
    with write_transaction(engine) as connection:
        connection.execute(job.update().values(lease_until_ms=1, published_ms=1))


def test_backtest_job_gives_the_result_document_of_the_run(engine: sa.Engine) -> None:
    job_id = created(engine)
    assert JobRunner(engine).run(job_id) == "completed"
    found = shown(engine, job_id)
    data = HistoricalDataStore(engine).load(CONFIG.exchange, CONFIG.symbols, CONFIG.end, CONFIG.start)
    expected = json.loads(json.dumps(run_backtest(CONFIG, data).document()))
    assert found.result is not None
    assert {name: found.result[name] for name in expected} == expected
    assert found.result["hold_baseline"]["metrics"]["total_trades"] == 1
    assert (found.state, found.error, found.finished_ms is None) == ("completed", None, False)


def test_probe_job_says_whether_the_run_read_ahead(engine: sa.Engine) -> None:
    job_id = created(engine, JobKind.PROBE)
    JobRunner(engine).run(job_id)
    result = shown(engine, job_id, JobKind.PROBE).result
    assert result is not None
    assert result["passed"] is True
    assert len(result["cuts_ms"]) == 8


def test_refused_run_is_a_failed_job_with_its_reason(engine: sa.Engine) -> None:
    job_id = created(engine, start="2019-01-01", end="2019-02-01")
    assert JobRunner(engine).run(job_id) == "failed"
    found = shown(engine, job_id)
    assert found.result is None
    assert found.error_code == "insufficient_data"
    assert "2019-01-01" in str(found.error)


def test_job_is_claimed_once_and_not_again_when_it_ended(engine: sa.Engine) -> None:
    job_id = created(engine)
    with write_transaction(engine) as connection:
        assert claim_job(connection, job_id)
        assert claim_job(connection, job_id) is None
    assert JobRunner(engine).run(job_id) is None
    let_leases_run_out(engine)
    assert JobRunner(engine).run(job_id) == "completed"
    assert JobRunner(engine).run(job_id) is None


@pytest.mark.parametrize("job_id", [0, -1, 10**30, "1", None, 77])
def test_message_about_no_job_is_dropped(engine: sa.Engine, job_id: Any) -> None:
    assert JobRunner(engine).run(job_id) is None


def test_late_owner_stores_nothing(engine: sa.Engine) -> None:
    job_id = created(engine)
    with write_transaction(engine) as connection:
        late = claim_job(connection, job_id)
        assert late
        assert release_job(connection, job_id, late.attempt)
        owner = claim_job(connection, job_id)
        assert owner
        assert not release_job(connection, job_id, late.attempt)
        assert not complete_job(connection, late, {"late": True})
        assert not fail_job(connection, late, "late", "late")
        assert complete_job(connection, owner, {"late": False})
    assert shown(engine, job_id).result == {"late": False}


class Stopped(BaseException):
    """An end of a task that nobody foresaw."""


def test_job_that_fails_unforeseen_is_given_back_by_its_owner(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise Stopped

    job_id = created(engine)
    monkeypatch.setattr(JobRunner, "_worked_out", stop)
    with pytest.raises(Stopped):
        JobRunner(engine).run(job_id)
    assert shown(engine, job_id).state == "queued"
    monkeypatch.undo()
    assert JobRunner(engine).run(job_id) == "completed"


def test_job_that_costs_every_worker_its_life_is_given_up(engine: sa.Engine) -> None:
    job_id = created(engine)
    dispatcher = JobDispatcher(engine, queue := Queue())
    for _ in range(3):
        assert dispatcher.step() == 1
        with write_transaction(engine) as connection:
            assert claim_job(connection, job_id)
        assert dispatcher.step() == 0
        let_leases_run_out(engine)
    dispatcher.step()
    found = shown(engine, job_id)
    assert (found.state, found.error_code, queue.taken) == ("failed", "given_up", [job_id] * 3)
    assert dispatcher.step() == 0


def test_jobs_are_published_once_and_again_when_the_broker_lost_them(engine: sa.Engine) -> None:
    ids = [created(engine) for _ in range(2)]
    assert JobDispatcher(engine, Queue(broken=True)).step() == 0
    dispatcher = JobDispatcher(engine, queue := Queue())
    assert [dispatcher.step() for _ in range(2)] == [2, 0]
    let_leases_run_out(engine)
    assert dispatcher.step() == 2
    assert queue.taken == ids * 2


def test_reports_on_sweeps_go_behind_what_people_wait_for(engine: sa.Engine) -> None:
    kinds = (JobKind.SELECTION, JobKind.BACKTEST, JobKind.IMPORT, JobKind.SELECTION)
    ids = [created(engine, kind) for kind in kinds]
    JobDispatcher(engine, queue := Queue()).step()
    assert (queue.taken, queue.behind) == (ids, [ids[0], ids[3]])


def test_job_of_another_kind_is_not_shown(engine: sa.Engine) -> None:
    job_id = created(engine)
    for kind, number in ((JobKind.PROBE, job_id), (JobKind.BACKTEST, 10**30), (JobKind.BACKTEST, 0)):
        with pytest.raises(UnknownJobError, match="there is no"):
            shown(engine, number, kind)
