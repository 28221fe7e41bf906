"""Grids that users write: the trials that the sweep path is measured on, besides those of two thresholds."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from benchmarks import market
from bot.config.run_config import RunConfig
from sweeps.spec.spec import SweepSpec
from sweeps.work.chunk_buffer import ChunkLimits

PAIRS = (5, 20)
"""Numbers of pairs that compete for one account, with slots for half of them."""
_THRESHOLDS = {1_000: (10, 4), 10_000: (20, 20), 100_000: (80, 50)}
"""Entries and exits beside costs and leverage in sweeps of so many trials."""
TOGETHER = ChunkLimits().rows
"""Trials that a worker stores together."""
_OF_SAMPLE = {1_000: (10, 4), TOGETHER: (40, 25), 10_000: (40, 25), 100_000: (40, 25)}
"""Entries and exits of the space that so many trials are drawn from."""
_SLIPPAGES = ["0", "1", "2", "5", "10"]
_LEVERAGES = ["1", "2", "3", "5", "8"]


class Grid(NamedTuple):
    """Sweep over one window under a name that says how its trials differ."""

    name: str
    spec: SweepSpec

    @property
    def runs(self) -> list[RunConfig]:
        """The parameters of every trial."""
        return market.configs(self.spec)


def grids(settlements: int) -> Iterator[Grid]:
    """Yield the grids over windows of so many settlements, 1,000 trials each, the random one also with more.

    What is worked out once for a window weighs most in a sample, whose trials have the least in common.
    """
    compounding = {"sizing_base": "equity"}
    for name, body in BODIES.items():
        yield Grid(name, SweepSpec.parse(body(settlements, 1_000)))
    yield Grid(f"random, {TOGETHER:,} trials", SweepSpec.parse(random_body(settlements, TOGETHER)))
    yield Grid("compounding", _sweep(market.simple_body(settlements), compounding))
    scored = market.composite_body(settlements)
    yield Grid("composite", _sweep(scored))
    yield Grid("composite, dynamic, compounding", _sweep(scored, compounding | {"dynamic_sizing": True}))
    for pairs in PAIRS:
        yield Grid(f"{pairs} pairs", _many_pairs(settlements, pairs))


def costs_body(settlements: int, trials: int) -> dict[str, Any]:
    """Return a sweep of 1,000, 10,000 or 100,000 trials with costs and leverage as the fastest axes."""
    return _body(market.simple_body(settlements), grid=_costs(*_THRESHOLDS[trials]))


def random_body(settlements: int, trials: int) -> dict[str, Any]:
    """Return a sweep of as many trials, a random sample over eight axes."""
    grid = _costs(*_OF_SAMPLE[trials]) | {
        "spot_taker": ["0", "0.0005", "0.001"],
        "perp_taker": ["0.0002", "0.0004", "0.0005"],
        "allocation": {"start": "0.5", "stop": "0.95", "step": "0.05"},
        "margin_exit_ratio": ["0.5", "0.6", "0.7", "0.8"],
    }
    sampler = {"kind": "random", "n": trials, "seed": 1}
    return _body(market.simple_body(settlements), grid=grid, sampler=sampler)


BODIES: Mapping[str, Callable[[int, int], dict[str, Any]]] = {
    "costs and leverage": costs_body,
    "random over eight axes": random_body,
}
"""Sweeps as they are submitted, by settlements and trials, under the names of their grids."""


def _costs(entries: int, exits: int) -> dict[str, Any]:
    """Return thresholds as the first axes, costs and leverage as the fastest."""
    thresholds = market.simple_body(0, entries, exits)["grid"]
    return {**thresholds, "slippage_bps": _SLIPPAGES, "perp_leverage": _LEVERAGES}


def _many_pairs(settlements: int, pairs: int) -> SweepSpec:
    symbols = [market.named(number) for number in range(pairs)]
    slots = {"symbols": symbols, "max_simultaneous_positions": max(1, pairs // 2)}
    return _sweep(market.simple_body(settlements), slots)


def _sweep(body: dict[str, Any], base: dict[str, Any] | None = None, **changes: Any) -> SweepSpec:
    """Return a sweep, some parts of it or of its base changed."""
    return SweepSpec.parse(_body(body, base, **changes))


def _body(body: dict[str, Any], base: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    spec = {**body, **changes}
    shared = body["base"] | (base or {})
    spec["base"] = {name: value for name, value in shared.items() if name not in spec["grid"]}
    return spec
