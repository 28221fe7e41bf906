"""A crowd of readers before a running service: `python -m benchmarks.crowd URL SWEEP [CLIENTS] [SECONDS]`.

Each client asks for the list, a sweep, a page of trials and now and then writes a note; the answers' times
are printed by kind. Loopback only, and bounded in time and in number.
"""

import asyncio
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

import httpx2
import numpy as np

MOST_CLIENTS, MOST_SECONDS = 200, 120
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


async def ask(
    client: httpx2.AsyncClient, sweep_id: int, until: float, took: dict[str, list[float]]
) -> Counter[int]:
    """Ask one thing after another until a moment; return how often each status was answered."""
    statuses: Counter[int] = Counter()
    turn = 0
    while time.monotonic() < until:
        turn += 1
        kind, path = [
            ("list", "/sweeps"),
            ("state", f"/sweeps/{sweep_id}"),
            ("trials", f"/sweeps/{sweep_id}/trials?limit=25"),
            ("state", f"/sweeps/{sweep_id}"),
        ][turn % 4]
        began = time.monotonic()
        if turn % 20:
            answer = await client.get(path)
        else:
            kind, answer = "write", await client.patch(f"/sweeps/{sweep_id}", json={"note": f"turn {turn}"})
        took.setdefault(kind, []).append(time.monotonic() - began)
        statuses[answer.status_code] += 1
    return statuses


async def crowd(url: str, sweep_id: int, clients: int, seconds: float) -> None:
    """Let the crowd ask, and print what it met."""
    took: dict[str, list[float]] = {}
    limits = httpx2.Limits(max_connections=clients)
    async with httpx2.AsyncClient(base_url=url, limits=limits, timeout=120, trust_env=False) as client:
        until = time.monotonic() + seconds
        found = await asyncio.gather(*(ask(client, sweep_id, until, took) for _ in range(clients)))
    print("statuses", dict(sum(found, Counter[int]())))
    for kind, times in sorted(took.items()):
        middle, worst = np.percentile(times, [50, 99])
        print(f"{kind:7} {len(times):6} p50 {middle:.3f} p99 {worst:.3f}")


def main(argv: list[str]) -> int:
    """Run from the command line; return the exit status."""
    url, sweep_id, *rest = argv
    clients, seconds = [*map(int, rest), *(50, 30)[len(rest) :]]
    if urlsplit(url).hostname not in _LOOPBACK:
        print("error: the address is not of this machine", file=sys.stderr)
        return 2
    asyncio.run(crowd(url, int(sweep_id), min(clients, MOST_CLIENTS), min(seconds, MOST_SECONDS)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
