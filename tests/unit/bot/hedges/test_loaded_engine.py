"""The engine of hedges is loaded by the runs that it replays alone: other commands start without it."""

import subprocess
import sys


def test_runs_of_pairs_load_no_engine_of_hedges() -> None:
    code = "import sys, carrygrid.cli.runs; print('bot.hedges.engine' in sys.modules, 'rich' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
