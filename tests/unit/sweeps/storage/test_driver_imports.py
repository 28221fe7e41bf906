"""The driver of a database is imported only where that database is used: a worker over SQLite is smaller."""

import subprocess
import sys


def test_storing_results_imports_no_driver_of_postgresql() -> None:
    code = "import sys, sweeps.work.runner; print('psycopg' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
