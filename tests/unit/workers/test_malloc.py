"""Pool processes use the memory of arrays that they have freed again."""

import ctypes
import gc
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from workers.malloc import keep_freed_memory

ROUNDS, ARRAYS, KIB, PAGE_KIB = 50, 20, 160, 4
FAULTS = f"""
import resource
import numpy as np
from workers.resources import set_up_memory
def faults():
    [np.ones({KIB} * 128) for _ in range({ARRAYS})]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range({ROUNDS}):
        [np.ones({KIB} * 128) for _ in range({ARRAYS})]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
before = faults()
set_up_memory()
print(before, faults())
"""


COLLECTIONS = """
import gc
from workers.resources import set_up_memory
set_up_memory()
before = gc.get_stats()[0]["collections"]
document = [[] for _ in range(40_000)]
print(gc.get_stats()[0]["collections"] - before)
"""


def printed(script: str, folder: Path) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"CARRYGRID_DATABASE_URL": f"sqlite:///{folder}/none.db"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(number) for number in done.stdout.split()]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries cannot be told")
def test_arrays_of_a_pool_process_need_no_new_pages(tmp_path: Path) -> None:
    before, after = printed(FAULTS, tmp_path)
    assert after < before / 10
    assert after < ROUNDS * ARRAYS * KIB // PAGE_KIB / 10


def test_a_document_of_a_pool_process_is_not_searched_for_cycles_while_it_grows(tmp_path: Path) -> None:
    assert printed(COLLECTIONS, tmp_path) == [0]


def test_a_c_library_that_cannot_be_told_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    thresholds = gc.get_threshold()
    try:
        assert keep_freed_memory() is False
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
