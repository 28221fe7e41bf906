"""The study in examples/notebook_style.py, against a served application with workers' hands."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import pytest
from servers import eventually
from webservice import Hands, copy_of, make_template, serving

from sweeps.jobs.job_runner import JobRunner

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "notebook_style.py"
RUNS_AFTER_THE_SWEEP = 2


def serve_the_study(address: str, hands: Hands) -> None:
    """Do the work of the example's sweep and of its single runs as they come in."""
    eventually(lambda: httpx2.get(f"{address}/sweeps").json()["sweeps"], 60, "the sweep is there")
    hands.work(1)
    for job_id in range(1, RUNS_AFTER_THE_SWEEP + 1):
        job = f"{address}/backtests/{job_id}"
        eventually(lambda job=job: httpx2.get(job).is_success, 60, "the run is there")
        JobRunner(hands.engine).run(job_id)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    template = tmp_path / "template"
    template.mkdir()
    return copy_of(make_template(template), tmp_path / "home")


def test_notebook_example_studies_a_sweep_from_submission_to_promotion(home: Path) -> None:
    hands = Hands(home)
    with serving(home) as address:
        worker = threading.Thread(target=serve_the_study, args=(address, hands))
        worker.start()
        environment = {**os.environ, "CARRYGRID_API_URL": address}
        done = subprocess.run(
            [sys.executable, "-W", "error", str(EXAMPLE)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        worker.join(60)
    hands.close()
    assert done.returncode == 0, done.stderr
    assert "BTC/USDT:USDT on synthetic (generated, not recorded), 2024-01-09 to 2024-03-31" in done.stdout
    assert "57 of 60 combinations" in done.stdout
    assert "57 of 57" in done.stderr
    assert "as in the sweep" in done.stdout
    assert "second half" in done.stdout
