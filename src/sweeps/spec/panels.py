"""Panels of a sweep: its trials by market and window, each with the symbols that they name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Self

import numpy as np

from bot.config.run_config import RunConfig
from bot.models import DAY_MS
from bot.numbers.arrays import IntArray
from sweeps.spec.read_pairs import MARKETS, Pair, ReadPairs
from sweeps.spec.spec import SweepSpec

_PANEL = ("exchange", "start", "end")


@dataclass(frozen=True, slots=True)
class PanelWindow:
    """Exchange and window (ms UTC, inclusive) that trials share, and all symbols that any of them names.

    `perps` are those that settle in some of the trials, under the exchange of each; `settled` are the UTC
    days (since 1970) of their first and last settlement in the window, where these have been looked up.
    """

    exchange: str | None
    start: int
    end: int
    symbols: frozenset[str] = frozenset()
    perps: frozenset[Pair] = field(default=frozenset(), compare=False)
    settled: Mapping[Pair, tuple[int, int]] = field(default_factory=dict, compare=False)

    def look(self, sweep_id: int) -> str:
        """Return the name of the look at it by a sweep."""
        return f"sweep {sweep_id} {self.exchange} {self.start} {self.end}"

    @property
    def days(self) -> tuple[int, int]:
        """First and last UTC day, since 1970."""
        return self.start // DAY_MS, self.end // DAY_MS


@dataclass(frozen=True, slots=True, eq=False)
class PanelWindows:
    """Every panel of a sweep, those of earlier values of its axes first."""

    spec: SweepSpec
    windows: Sequence[PanelWindow]
    codes: IntArray
    """Code of each panel, ascending."""

    @classmethod
    def of(cls, spec: SweepSpec) -> Self:
        """Return the panels that some trial of a sweep belongs to."""
        markets = prod(len(spec.values_of(name)) for name in MARKETS)
        found: dict[int, list[RunConfig]] = {}
        for code, values in spec.space.combinations((*_PANEL, *MARKETS)).items():
            run = spec.base_config.model_copy(update=values)
            found.setdefault(code // markets, []).append(run)
        windows = tuple(_window(runs) for runs in found.values())
        return cls(spec, windows, np.array(list(found), dtype=np.int64))

    def places(self, numbers: IntArray) -> IntArray:
        """Return the place of the panel that each of some trials belongs to."""
        return np.searchsorted(self.codes, self.spec.space.codes(numbers, _PANEL))


def _window(runs: Sequence[RunConfig]) -> PanelWindow:
    """Return the panel of runs that differ in their markets alone."""
    fixed = {name: getattr(runs[0], name) for name in _PANEL}
    symbols = frozenset(symbol for run in runs for symbol in run.symbols)
    return PanelWindow(**fixed, symbols=symbols, perps=ReadPairs.of(runs).perps)
