import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from carrygrid.local import leash

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@linux_only
def test_a_leashed_child_ends_with_a_killed_parent() -> None:
    child = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    parent = (
        "import os, signal, subprocess, sys; from carrygrid.local import leash;"
        "c = leash.command(os.getpid(), signal.SIGKILL, [sys.executable, '-c', sys.argv[1]]);"
        "subprocess.run(c)"
    )
    with subprocess.Popen([sys.executable, "-c", parent, child], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    deadline = time.monotonic() + 5
    while _is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_child_whose_parent_is_gone_already_does_not_start() -> None:
    command = leash.command(2**22 + 1, signal.SIGKILL, [sys.executable, "-c", "print('started')"])
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")


def test_the_command_finds_its_own_process_id() -> None:
    script = f"import os; assert os.environ['{leash.LEASH_PID}'] == str(os.getpid())"
    subprocess.run(leash.command(os.getpid(), signal.SIGKILL, [sys.executable, "-c", script]), check=True)
