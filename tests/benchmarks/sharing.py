"""Sweeps that share the workers: a small one behind a large one, and many small ones at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import market
from benchmarks.endtoend import Service, serving, wait_completed
from benchmarks.measure import load

SETTLEMENTS, LONG = 1_095, 5_475
"""Settlements of small sweeps, and of the large one: over a year it would end before they are measured."""
SMALL = (20, 50)
LARGE = (1_000, 1_000)
MANY, CLIENTS = 200, 8
TINY = (10, 10)
_LOOKS = 5
_BETWEEN_S = 0.7
"""Seconds between two small sweeps: no multiple of a chunk's, so that they meet chunks at any stage."""


def measured(home: Path, folder: Path, workers: int) -> dict[str, Any]:
    """Return the seconds of small sweeps alone, behind a sweep of a million trials, and of many at once."""
    before = load()
    with serving(folder / "sharing", home, workers) as service:
        _seconds(service, TINY)  # the first sweep reads the window
        alone = [_seconds(service, SMALL) for _ in range(_LOOKS)]
        many = _many_s(service)
        large = service.client.submit(market.simple_body(LONG, *LARGE))
        behind = []
        for _ in range(_LOOKS):
            time.sleep(_BETWEEN_S)
            behind.append(_seconds(service, SMALL))
        large.refresh()
        if large.state != "running":
            raise RuntimeError(f"the large sweep was {large.state} before the small ones were measured")
        large.cancel()
    return {
        "trials": SMALL[0] * SMALL[1],
        "alone_s": alone,
        "behind_s": behind,
        "many": {"sweeps": MANY, "trials": TINY[0] * TINY[1], "clients": CLIENTS, **many},
        "load": before,
    }


def _seconds(service: Service, shape: tuple[int, int]) -> float:
    began = time.perf_counter()
    wait_completed(service.client.submit(market.simple_body(SETTLEMENTS, *shape)))
    return time.perf_counter() - began


def _many_s(service: Service) -> dict[str, float]:
    """Return the seconds until all of many sweeps are accepted, and until all are completed."""
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        sweeps = list(
            clients.map(lambda _: service.client.submit(market.simple_body(SETTLEMENTS, *TINY)), range(MANY))
        )
    accepted_s = time.perf_counter() - began
    for sweep in sweeps:
        sweep.refresh()  # most have ended by the time that they are asked about
        wait_completed(sweep)
    return {"accepted_s": accepted_s, "completed_s": time.perf_counter() - began}
