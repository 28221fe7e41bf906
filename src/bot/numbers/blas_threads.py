"""Threads of the library behind NumPy's products of matrices."""

import os


def use_one_thread() -> None:
    """Have products of matrices use one thread unless the environment says otherwise, before NumPy is loaded.

    There is a process for each core already. Several threads wait for each other by spinning: on a busy
    machine the report on a search took five times the processor time.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
