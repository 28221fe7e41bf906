"""Threads of the API take turns often, so that a quick read does not wait for those that take long."""

import subprocess
import sys


def test_process_of_the_api_lets_threads_take_turns_each_half_millisecond() -> None:
    program = "import sys, api.main; print(sys.getswitchinterval())"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(ended.stdout.splitlines()[-1]) == 0.0005
