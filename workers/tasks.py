"""Celery tasks: unpack, call, nothing else."""

from sweeps.queue.messages import REPLAY_CHUNK_TASK, RUN_JOB_TASK
from workers.app import app
from workers.loading import left_at_once

with left_at_once():
    from sweeps.queue.leases import LeaseOutcome
    from workers.resources import Task, chunk_runner, job_runner, outside_trials

OTHER_REPORTS_MS = 250
"""Time for which a process goes on with reports before it asks the broker what else there is."""


@app.task(name=REPLAY_CHUNK_TASK, bind=True)
def replay_chunk(self: Task, sweep_id: int, chunk_id: int) -> str:
    """Replay the missing trials of a chunk; return its outcome, for people who watch Flower.

    Whoever ends a sweep makes its report, having read all that it takes.
    """
    with outside_trials(self.request.id):
        outcome = chunk_runner().run(sweep_id, chunk_id, self.request.id)
        if outcome is LeaseOutcome.DONE:
            job_runner().report(sweep_id)
    return outcome or "unavailable"


@app.task(name=RUN_JOB_TASK, bind=True)
def run_job(self: Task, job_id: int) -> str:
    """Do a single job; return its outcome, for people who watch Flower."""
    with outside_trials(self.request.id):
        state = job_runner().run(job_id, others_ms=OTHER_REPORTS_MS)
    return state or "unavailable"
