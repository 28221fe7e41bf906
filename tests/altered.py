"""Run a module as the program of another machine: `python -m altered MODULE ARGUMENT...`.

CLOCK_AHEAD_S is how far its clock is ahead, ENGINE_VERSION_IS the version of the engine installed there. Both
have to be in place before anything is imported, and a clock that is asked by name cannot be moved later.
"""

import os
import runpy
import sys
import time

CLOCK_AHEAD = "CLOCK_AHEAD_S"
ENGINE_VERSION = "ENGINE_VERSION_IS"


def _set_clock_ahead(seconds: int) -> None:
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() + seconds
    time.time_ns = lambda: now_ns() + seconds * 10**9


def _install_engine(version: str) -> None:
    import bot

    bot.ENGINE_VERSION = version


if __name__ == "__main__":
    _set_clock_ahead(int(os.environ.get(CLOCK_AHEAD, "0")))
    if installed := os.environ.get(ENGINE_VERSION):
        _install_engine(installed)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
