"""Limits within a pool process, and what its main process sees of it; each in a process of its own."""

import subprocess
import sys

SCRIPT = """
import ctypes, os, signal, sys, time
from sweeps.watch import TimeLimitError
from workers.alarm import TrialAlarm
from workers.inflight import forget_task, in_flight, mark_hung, task_in_flight

alarm = TrialAlarm(60)

def spin():  # a frame of its own: CPython 3.11 covers no first jump of a bare loop by the `try` around it
    while True: pass

def child(work):
    pid = os.fork()
    if not pid:
        with task_in_flight("task-1", 60):
            alarm.claimed(7, 3, 2)
            work()
        os._exit(0)
    return pid
"""
STOPPED = """
try:
    with alarm.limited(0.3, [5]):
        while True:
            try:
                spin()
            except Exception: pass
except TimeLimitError:
    print("stopped")
with alarm.limited(3):
    pass
time.sleep(3.2)
print("and no other")
"""
SWALLOWED = """
class Swallows:
    def __del__(self):
        spin()
try:
    with alarm.limited(0.2, [5]):
        Swallows()
        spin()
except TimeLimitError:
    print("stopped")
"""
SEEN = """
def work():
    with alarm.limited(0.5, [5]):
        library, lock = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
        library.pthread_mutex_lock(lock)
        library.pthread_mutex_lock(lock)
pid = child(work)
while not (in_flight() and in_flight()[0].count): time.sleep(0.01)
(seen,) = in_flight()
print(seen.pid == pid, seen.task, seen.sweep_id, seen.chunk_id, seen.token, seen.trial, seen.limit_s)
time.sleep(0.6)
mark_hung("task-1")
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
(seen,) = in_flight()
print(seen.is_overdue(), seen.is_overdue(60), seen.hung, forget_task("task-1").trial, in_flight())
"""
ENDED = """
pid = child(lambda: alarm.limited(5, [5]).__enter__() or alarm.limited(5, [5]).__exit__(None, None, None))
os.waitpid(pid, 0)
print(in_flight(), forget_task("task-1"))
"""


def printed(script: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT + script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()


def test_trial_that_swallows_errors_is_stopped_at_its_limit_and_nothing_after_it_is() -> None:
    assert printed(STOPPED) == ["stopped", "and no other"]


def test_limit_that_comes_where_python_swallows_errors_comes_again() -> None:
    assert printed(SWALLOWED) == ["stopped"]


def test_main_process_sees_which_trial_hangs_and_still_does_when_its_process_is_dead() -> None:
    assert printed(SEEN) == ["True task-1 7 3 2 5 0.5", "True False True 5 []"]


def test_nothing_is_in_flight_once_the_task_has_ended() -> None:
    assert printed(ENDED) == ["[] None"]


def test_process_is_ended_by_the_watchdog_even_in_a_call_that_never_gives_way() -> None:
    script = """
import ctypes
from sweeps.watchdog import end_within, limited
end_within(0.5)
with limited(60):
    library, lock = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
    library.pthread_mutex_lock(lock)
    library.pthread_mutex_lock(lock)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Timeout (0:00:00.")
    assert "in <module>" in done.stderr
