"""Pool processes use the memory of arrays that they have freed again."""

import platform
import subprocess
import sys

import pytest

ROUNDS, ARRAYS, KIB, PAGE_KIB = 50, 20, 160, 4
FAULTS = f"""
import resource, sys
import numpy as np
from workers.heap import keep_freed_memory
told = len(sys.argv) > 1 and keep_freed_memory()
def work():
    return [np.ones({KIB} * 128) for _ in range({ARRAYS})]
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({ROUNDS}):
    work()
print(told, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*arguments: str) -> tuple[str, int]:
    """Return whether the C library was told, and how many pages of the arrays were new."""
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, *arguments], capture_output=True, text=True, check=True
    )
    told, count = done.stdout.split()
    return told, int(count)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries cannot be told")
def test_arrays_of_a_process_that_keeps_its_memory_need_no_new_pages() -> None:
    told, new = faults("keep")
    assert told == "True"
    assert new < ROUNDS * ARRAYS * KIB // PAGE_KIB / 10
