"""Grids that users write: the trials that the sweep path is measured on, besides those of two thresholds."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks import market
from bot.config.run_config import RunConfig
from sweeps.spec.spec import SweepSpec

PAIRS = (5, 20)
"""Numbers of pairs that compete for one account, with slots for half of them."""
_ENTRIES = {"start": "0.0001", "stop": "0.00049", "num": 10}
_EXITS = {"start": "-0.00015", "stop": "0.00009", "num": 4}
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
    """Yield the grids over windows of so many settlements, 1,000 trials each."""
    compounding = {"sizing_base": "equity"}
    yield Grid("costs and leverage", _sweep(market.simple_body(settlements), grid=_costs()))
    yield Grid("random over eight axes", _sweep(market.simple_body(settlements), **_random()))
    yield Grid("compounding", _sweep(market.simple_body(settlements), compounding))
    scored = market.composite_body(settlements)
    yield Grid("composite", _sweep(scored))
    yield Grid("composite, dynamic, compounding", _sweep(scored, compounding | {"dynamic_sizing": True}))
    for pairs in PAIRS:
        yield Grid(f"{pairs} pairs", _many_pairs(settlements, pairs))


def _costs() -> dict[str, Any]:
    """Return thresholds as the first axes, costs and leverage as the fastest."""
    return {
        "min_funding_rate": _ENTRIES,
        "exit_funding_rate": _EXITS,
        "slippage_bps": _SLIPPAGES,
        "perp_leverage": _LEVERAGES,
    }


def _random() -> dict[str, Any]:
    grid = _costs() | {
        "spot_taker": ["0", "0.0005", "0.001"],
        "perp_taker": ["0.0002", "0.0004", "0.0005"],
        "allocation": {"start": "0.5", "stop": "0.95", "step": "0.05"},
        "margin_exit_ratio": ["0.5", "0.6", "0.7", "0.8"],
    }
    return {"grid": grid, "sampler": {"kind": "random", "n": 1_000, "seed": 1}}


def _many_pairs(settlements: int, pairs: int) -> SweepSpec:
    symbols = [market.named(number) for number in range(pairs)]
    slots = {"symbols": symbols, "max_simultaneous_positions": max(1, pairs // 2)}
    return _sweep(market.simple_body(settlements), slots)


def _sweep(body: dict[str, Any], base: dict[str, Any] | None = None, **changes: Any) -> SweepSpec:
    """Return a sweep, some parts of it or of its base changed."""
    spec = {**body, **changes}
    shared = body["base"] | (base or {})
    spec["base"] = {name: value for name, value in shared.items() if name not in spec["grid"]}
    return SweepSpec.parse(spec)
