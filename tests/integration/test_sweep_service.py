"""A sweep through real processes: submitted, dispatched, replayed, complete, whatever dies on the way."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from servers import eventually
from service import service
from sweeping import assert_every_trial_once, state_of, submit, sweep_spec

pytestmark = pytest.mark.broker


def test_sweep_is_completed_by_dispatcher_and_worker_and_equals_recomputation(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    spec = sweep_spec(curves="all")
    with service(database_url, broker, tmp_path) as running:
        running.start_dispatcher()
        running.start_worker()
        sweep_id = submit(engine, spec)
        eventually(lambda: state_of(engine, sweep_id) == "completed", 40, "sweep completes")
    assert_every_trial_once(engine, sweep_id, spec)
