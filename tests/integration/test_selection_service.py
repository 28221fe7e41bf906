"""A selection judged by real processes: two workers leave sums, one of them makes the report."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from selecting import long_market, long_spec, plain_report, report_of_sweep, view_of
from servers import eventually
from service import service
from sweeping import state_of, submit

pytestmark = pytest.mark.broker

JUDGED = ("trials", "winner", "cash", "hold", "pbo", "cv", "verdict")


def test_sweep_of_two_workers_is_judged_as_its_trial_curves_say(
    engine: sa.Engine, database_url: str, broker: str, tmp_path: Path
) -> None:
    long_market(engine)
    spec = long_spec()
    with service(database_url, broker, tmp_path) as running:
        running.start_dispatcher()
        for name in ("one", "two"):
            running.start_worker(name, processes=1)
        sweep_id = submit(engine, spec, size=7)
        eventually(lambda: state_of(engine, sweep_id) == "completed", 60, "sweep completes")
        eventually(lambda: view_of(engine, sweep_id).complete, 60, "its selection is judged")
    found, expected = report_of_sweep(engine, sweep_id), plain_report(engine, spec)
    assert {name: found[name] for name in JUDGED} == {name: expected[name] for name in JUDGED}
