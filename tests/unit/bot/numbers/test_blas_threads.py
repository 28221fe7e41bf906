"""Threads of the library behind NumPy in the processes of the service."""

import os
import subprocess
import sys

import pytest

COUNT = (
    "import numpy as np; a = np.ones((600, 600)); a @ a; import os; print(len(os.listdir('/proc/self/task')))"
)


@pytest.mark.parametrize("package", ["api", "workers"])
def test_products_of_matrices_start_no_threads_beside_that_of_the_process(package: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    command = [sys.executable, "-c", f"import {package}; {COUNT}"]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split()[-1] == "1"
