"""`carrygrid demo --exit`: the main job through real processes, twice on one home."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from servers import free_port

pytestmark = pytest.mark.broker


def demo(home: Path) -> str:
    command = [
        sys.executable,
        "-c",
        "from carrygrid.cli import main; main()",
        "demo",
        "--exit",
        "--workers",
        "2",
    ]
    finished = subprocess.run(
        [*command, "--port", str(free_port())],
        env={
            **os.environ,
            "CARRYGRID_HOME": str(home),
            "CARRYGRID_DATABASE_URL": "",
            "CARRYGRID_BROKER_URL": "",
        },
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def best_rows(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.strip()[:1].isdigit()]


def test_demo_runs_to_its_best_trials_and_again_on_the_same_home(tmp_path: Path) -> None:
    first = demo(tmp_path / "home")
    second = demo(tmp_path / "home")
    for number, output in ((1, first), (2, second)):
        assert "Synthetic data" in output
        assert f"Best trials of sweep {number}" in output
        assert f"/dashboard/sweeps/{number}" in output
    assert len(best_rows(first)) == 10
    assert best_rows(first) == best_rows(second)
