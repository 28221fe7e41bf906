"""The benchmark's sweep goes through the real service, with processes of its own."""

from pathlib import Path

import pytest
from benchmarks.endtoend import serving, sweep_run
from benchmarks.market import START_MS, filled_store, generated
from service import is_alive

from bot.models import DAY_MS

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def test_a_sweep_is_measured_from_submission_to_completion(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    filled_store(store, generated(end_ms=START_MS + 40 * DAY_MS)).engine.dispose()
    with serving(tmp_path / "home", store, workers=1) as service:
        run = sweep_run(service, 100, settlements=90)
        processes = service.uses()
    assert run["trials"] == 100
    assert run["accepted_s"] < run["wall_s"]
    assert {"API", "broker", "dispatcher", "worker", "worker master", "Flower"} == run["peak_mib"].keys()
    assert run["cpu_s"]["worker"] > 0
    assert run["database_bytes_per_trial"] > 0
    assert len(processes) >= 8
    assert not any(is_alive(process.pid) for process in processes)
