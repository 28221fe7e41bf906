"""The worker application with one trial that does its process harm, for `celery -A poisoned worker`."""

import os
import time
from typing import Any

from sweeps import runner
from workers.app import app

__all__ = ["app"]

_replay_trial = runner.replay_trial
_number = int(os.environ["POISONED_TRIAL"])
_harm = os.environ["POISON"]


def _poisoned(spec: Any, number: int, windows: Any) -> Any:
    if number == _number:
        if _harm == "exit":
            os._exit(11)
        if _harm == "memory":
            bytearray(8 * 1024**3)
        if _harm == "hang":
            while True:
                time.sleep(0.01)
    return _replay_trial(spec, number, windows)


runner.replay_trial = _poisoned
