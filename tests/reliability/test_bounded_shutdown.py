"""Everything is told to stop after database and broker have gone: no process waits for them for ever."""

import time
from pathlib import Path

import pytest
from harms import harmful
from harness import Installation, installation
from servers import postgres_database, postgres_server
from service import Process
from sweeping import sweep_spec
from webservice import fill

from carrygrid.local.programs import WORKER_ENVIRONMENT

pytestmark = [pytest.mark.broker, pytest.mark.postgres, pytest.mark.slow]

BOUND_S = 30
GRID = {"min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"}}


@pytest.mark.parametrize("sigterm", ["soft", "warm"])
@pytest.mark.parametrize("database", ["silent", "refusing"])
def test_every_process_ends_within_half_a_minute(
    tmp_path: Path, market_template: Path, database: str, sigterm: str
) -> None:
    environment = WORKER_ENVIRONMENT if sigterm == "soft" else {}
    with postgres_server() as server, postgres_database(server, f"shutdown_{database}_{sigterm}") as url:
        fill(url)
        with installation(
            tmp_path, market_template, postgres_url=url, workers=["one"], environment=environment
        ) as one:
            sweep_id = one.submit(sweep_spec(name=harmful(trial_ms=200), grid=GRID, curves="none"), size=10)
            one.wait_for_rows(sweep_id, 1)
            assert one.database_proxy
            one.broker.kill()
            if database == "silent":
                one.database_proxy.swallow(new=True)
            else:
                one.database_proxy.refuse()
            left = ended_within(BOUND_S, stopped(one))
    assert left == {}


def stopped(one: Installation) -> dict[str, Process]:
    """Tell every process to stop, and return them by name."""
    processes = {name: one.keeper.forsake(name) for name in list(one.keeper.processes)}
    for process in processes.values():
        process.terminate()
    return processes


def ended_within(seconds: float, processes: dict[str, Process]) -> dict[str, int]:
    """Return the pids, by name, of the processes that have not ended by then."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(process.poll() is None for process in processes.values()):
        time.sleep(0.1)
    return {name: process.pid for name, process in processes.items() if process.poll() is None}
