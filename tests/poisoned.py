"""The worker application with one trial that does its process harm, for `celery -A poisoned worker`."""

import os
import time
from typing import Any

from sweeps import replay
from workers.app import app

__all__ = ["app"]

_trial_config = replay.trial_config
_number = int(os.environ["POISONED_TRIAL"])
_harm = os.environ["POISON"]


def _poisoned(spec: Any, number: int) -> Any:
    if number == _number:
        if _harm == "exit":
            os._exit(11)
        if _harm == "memory":
            bytearray(8 * 1024**3)
        if _harm == "hang":
            while True:
                time.sleep(0.01)
    return _trial_config(spec, number)


replay.trial_config = _poisoned
