"""Sweeps over recorded data for half an hour, with a fault every twenty seconds; then everything is counted.

Run as `PYTHONPATH=tests:tests/reliability python -m benchmarks.soak --data FOLDER`, where FOLDER holds one
folder of recorded market data for each exchange. Starts servers of its own and leaves nothing behind.
The API and one worker are spared, so that their memory can be followed; everything else is harmed.
"""

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import httpx2
from chaos import Chaos
from harms import harmful, orders_of
from harness import Installation, installation
from oracle import assert_promise_kept
from servers import eventually
from sweeping import recomputed_rows, stored_rows
from webservice import DATABASE

from benchmarks.measure import load, machine
from benchmarks.vitals import Vitals
from bot.market_store.database import open_engine
from bot.market_store.importing import import_path
from bot.market_store.store import HistoricalDataStore
from sweeps.migrations import migrate
from sweeps.spec.spec import SweepSpec

EXCHANGE = "binance"
SPARED = frozenset({"worker-steady"})
LASTING = ("api", "dispatcher", "worker-steady")
LOOK_S = 5.0
AT_ONCE = 2
POISON = {"t777": "exit"}


def specs() -> list[SweepSpec]:
    """Return the sweeps that are submitted in turn; one of them has a trial that kills its process."""
    asked = [
        (symbol, start, end)
        for symbol in ("BTC/USDT:USDT", "ETH/USDT:USDT", "ADA/USDT:USDT")
        for start, end in (("2023-01-01", "2023-07-01"), ("2024-01-01", "2024-07-01"))
    ]
    return [_spec(number, *one) for number, one in enumerate(asked)]


def _spec(number: int, symbol: str, start: str, end: str) -> SweepSpec:
    return SweepSpec.parse(
        {
            "name": harmful(trial_ms=20, **(POISON if number == 0 else {})),
            "base": {"exchange": EXCHANGE, "symbols": [symbol], "start": start, "end": end},
            "grid": {
                "min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"},
                "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
                "perp_leverage": [1, 3, 5],
            },
            "curves": {"top": 10},
            "reuse": False,
        }
    )


@dataclass
class Soak:
    """Keeps sweeps coming while faults are injected."""

    running: Installation
    chaos: Chaos
    vitals: Vitals
    specs: list[SweepSpec] = field(default_factory=specs)
    submitted: dict[int, SweepSpec] = field(default_factory=dict)
    refusals: int = 0
    broken: list[str] = field(default_factory=list)

    def run(self, seconds: float, every_s: float) -> None:
        """Go on for so long, with a fault every so often."""
        begun = time.monotonic()
        next_fault, next_look = every_s, 0.0
        keys = count(1)
        while (at_s := time.monotonic() - begun) < seconds:
            if at_s >= next_look:
                self.vitals.look(at_s)
                next_look += LOOK_S
            if at_s >= next_fault:
                print(f"{at_s:6.0f} s  {self.chaos.strike()}", flush=True)
                next_fault += every_s
            if len(self._open()) < AT_ONCE:
                self._submit(next(keys))
            time.sleep(0.5)
        self.chaos.settle()
        eventually(lambda: not self._open(), 600, "every sweep ends")
        self.vitals.look(time.monotonic() - begun)

    def _open(self) -> list[int]:
        return [number for number in self.submitted if self.running.state(number) in {"queued", "running"}]

    def _submit(self, key: int) -> None:
        spec = self.specs[key % len(self.specs)]
        try:
            self.submitted[self.running.submit(spec, key=f"soak {key}")] = spec
        except httpx2.TransportError:
            self.refusals += 1

    def counted(self) -> Counter[str]:
        """Count every trial of every sweep, against a replay in this process."""
        total: Counter[str] = Counter()
        for sweep_id, spec in self.submitted.items():
            total += self._counted_in(sweep_id, spec)
        return total

    def _counted_in(self, sweep_id: int, spec: SweepSpec) -> Counter[str]:
        harmed = {int(number) for number in orders_of(spec.name).trials}
        rows = stored_rows(self.running.engine, sweep_id)
        right = recomputed_rows(self.running.engine, sweep_id, spec)
        numbers = Counter(row["number"] for row in rows)
        wrong = [row for row in rows if row["number"] not in harmed and row != right[row["number"]]]
        quarantined = [row for row in rows if row["error_code"] == "quarantined"]
        self._ask_the_oracle(sweep_id, spec, dict.fromkeys(harmed, "quarantined"))
        return Counter(
            {
                "sweeps": 1,
                "expected": spec.trial_count,
                "stored": len(rows),
                "twice": sum(found - 1 for found in numbers.values()),
                "lost": spec.trial_count - len(numbers),
                "wrong": len(wrong),
                "poison": len(harmed),
                "quarantined": len(quarantined),
            }
        )

    def _ask_the_oracle(self, sweep_id: int, spec: SweepSpec, given_up: dict[int, str]) -> None:
        try:
            assert_promise_kept(self.running.engine, sweep_id, spec, given_up)
        except AssertionError as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.broken.append(f"sweep {sweep_id}, {where.name}: {where.line}")


def report(soak: Soak, minutes: float, every_s: float, seed: int) -> dict[str, Any]:
    """Return the figures of a soak that is over."""
    deaths = Counter(death.name for death in soak.running.keeper.deaths)
    trials = {name: int(found) for name, found in soak.counted().items()}
    return {
        "machine": machine(),
        "load": load(),
        "minutes": minutes,
        "fault_every_s": every_s,
        "seed": seed,
        "faults": dict(sorted(soak.chaos.injected.items())),
        "restarted": dict(sorted(deaths.items())),
        "submissions_without_answer": soak.refusals,
        "trials": trials,
        "broken_promises": soak.broken,
        "over_time": soak.vitals.document(),
    }


def table(figures: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    trials, place = figures["trials"], figures["machine"]
    lines = [
        f"{figures['minutes']:g} minutes, a fault every {figures['fault_every_s']:g} s,",
        f"seed {figures['seed']};",
        f"{place['processor']}, {place['cores']} cores, Python {place['python']}, commit {place['commit']}.",
        "",
        "| | |",
        "|---|---:|",
        f"| faults injected | {sum(figures['faults'].values())} |",
        f"| processes started again | {sum(figures['restarted'].values())} |",
        f"| sweeps submitted | {trials['sweeps']} |",
        *(
            f"| trials {name} | {trials.get(name, 0):,} |"
            for name in ("expected", "stored", "twice", "lost", "wrong", "poison", "quarantined")
        ),
        f"| broken promises | {len(figures['broken_promises'])} |",
        "",
        "| over time | first | last | largest | slope an hour |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, found in figures["over_time"].items():
        slope = "" if found["slope_per_hour"] is None else f"{found['slope_per_hour']:+g}"
        lines.append(f"| {name} | {found['first']:g} | {found['last']:g} | {found['largest']:g} | {slope} |")
    return "\n".join(lines) + "\n"


def _market(folder: Path, data: Path) -> Path:
    engine = open_engine(f"sqlite:///{folder / DATABASE}")
    migrate(engine)
    imported = import_path(HistoricalDataStore(engine), data / EXCHANGE, EXCHANGE)
    engine.dispose()
    print(f"{imported.new:,} rows of recorded data", flush=True)
    return folder


def main() -> int:
    """Run, count, write; the exit status tells whether every trial is there once and right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="recorded data, one folder for each exchange"
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=20, help="seconds between faults")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--markdown", type=Path, help="where to write them as tables")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carrygrid-soak-") as folder:
        market, place = Path(folder, "market"), Path(folder, "service")
        for made in (market, place):
            made.mkdir()
        _market(market, asked.data)
        names = ("one", "two", "steady")
        shipped = {"lease_s": "30", "republish_s": "30"}
        with installation(place, market, workers=names, persistent_broker=True, **shipped) as running:
            chaos = Chaos(running, Random(asked.seed), spared=SPARED, left_out=frozenset({"kill the API"}))
            soak = Soak(running, chaos, Vitals(running, LASTING))
            soak.run(asked.minutes * 60, asked.every)
            figures = report(soak, asked.minutes, asked.every, asked.seed)
    text = table(figures)
    print(text)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    if asked.markdown:
        asked.markdown.write_text(text)
    return int(bool(figures["broken_promises"]))


if __name__ == "__main__":
    sys.exit(main())
