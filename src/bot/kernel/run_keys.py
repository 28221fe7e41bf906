"""Run keys of many trials by the compiled library, equal to those that hashlib makes."""

from collections.abc import Callable

import numpy as np

from bot.config.parameter_columns import ParameterColumns, row_numbers
from bot.config.run_key import KEY_BYTES, key_texts, run_keys
from bot.kernel.layouts import RunKeys, address
from bot.kernel.loading import Library, usable
from bot.statistics.trial_columns import DigestArray

KeyMaker = Callable[[ParameterColumns, str], DigestArray]
"""Function that returns the run keys of trials, for the fingerprint of their data."""


def fastest_run_keys() -> KeyMaker:
    """Return what makes run keys here: the library where it is faster than hashlib."""
    library = usable()
    return run_keys if library is None or not library.hashes else run_keys_by(library)


def run_keys_by(library: Library) -> KeyMaker:
    """Return what makes run keys by `library`."""

    def keys(parameters: ParameterColumns, data_fingerprint: str) -> DigestArray:
        head, varied = key_texts(parameters, data_fingerprint)
        pieces = [head]
        places = [parameters.places[name] for name in varied]
        numbers = np.zeros((len(parameters), 1 + len(varied)), dtype=np.int64)
        for at, (own, after) in enumerate(varied.values()):
            numbers[:, at + 1] = places[at] + len(pieces)
            pieces += [text + after for text in own]
        starts = np.array([0, *map(len, pieces)], dtype=np.int64).cumsum()
        order = np.argsort(row_numbers(places, len(parameters))[0])
        found = np.empty((len(parameters), KEY_BYTES), dtype=np.uint8)
        library.run_keys(
            RunKeys(
                *numbers.shape,
                len(pieces),
                b"".join(pieces),
                *(address(array) for array in (starts, numbers, order, found)),
            )
        )
        return found

    return keys
