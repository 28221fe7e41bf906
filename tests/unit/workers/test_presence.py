"""Processes of a worker's pool: none outlives its main process, whenever that dies."""

import subprocess
import sys

import pytest

POOL_OF_ONE = """
import os, sys, time
from celery.signals import worker_process_init
from workers import presence

main = presence._main.pid = os.getpid()
reading, writing = os.pipe()
if os.fork() == 0:
    os.close(writing)
    if sys.argv[1] == "orphan":
        os.read(reading, 1)  # until the main process has ended
        while os.getppid() == main:
            time.sleep(0.001)
    worker_process_init.send(sender=None)
    print("waits for work", flush=True)
elif sys.argv[1] == "child":
    os.wait()
"""


@pytest.mark.parametrize(("child", "said"), [("child", "waits for work\n"), ("orphan", "")])
def test_pool_process_whose_main_process_died_while_it_was_forked_ends(child: str, said: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", POOL_OF_ONE, child], capture_output=True, text=True, check=False
    )
    assert (result.stdout, result.stderr) == (said, "")
