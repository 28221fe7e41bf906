"""Panels of a sweep: its trials by market and window, each with the symbols that they name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bot.models import DAY_MS
from bot.numbers.arrays import IntArray
from sweeps.spec.axes import Axis
from sweeps.spec.spec import SweepSpec

_PANEL = ("exchange", "start", "end")
_SYMBOLS = "symbols"
_AT_ONCE = 1_000_000
"""Trials looked at together, so that memory does not grow with a sweep."""


@dataclass(frozen=True, slots=True)
class PanelWindow:
    """Market and window (ms UTC, inclusive) that trials share, and all symbols that any of them names."""

    exchange: str | None
    start: int
    end: int
    symbols: frozenset[str] = frozenset()

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
        axes = _axes(spec, (*_PANEL, _SYMBOLS))
        if not axes:
            return cls(spec, (_window(spec, {}, [spec.values_of(_SYMBOLS)[0]]),), np.zeros(1, dtype=np.int64))
        found = np.unique(
            np.concatenate([np.unique(_codes(spec, some, axes)) for some in _numbers(spec.trial_count)])
        )
        named: dict[int, tuple[dict[str, Any], list[tuple[str, ...]]]] = {}
        for code in found.tolist():
            values = _values(axes, code)
            symbols = values.pop(_SYMBOLS, None) or spec.values_of(_SYMBOLS)[0]
            own = named.setdefault(_panel_code(axes, code), (values, []))
            own[1].append(symbols)
        ordered = sorted(named)
        windows = tuple(_window(spec, *named[code]) for code in ordered)
        return cls(spec, windows, np.array(ordered, dtype=np.int64))

    def places(self, numbers: IntArray) -> IntArray:
        """Return the place of the panel that each of some trials belongs to."""
        axes = _axes(self.spec, _PANEL)
        if not axes:
            return np.zeros(len(numbers), dtype=np.int64)
        return np.searchsorted(self.codes, _codes(self.spec, numbers, axes))


def _axes(spec: SweepSpec, names: Sequence[str]) -> list[Axis]:
    return [spec.space.by_name[name] for name in names if name in spec.space.by_name]


def _numbers(count: int) -> list[IntArray]:
    return [
        np.arange(first, min(first + _AT_ONCE, count), dtype=np.int64) for first in range(0, count, _AT_ONCE)
    ]


def _codes(spec: SweepSpec, numbers: IntArray, axes: Sequence[Axis]) -> IntArray:
    """Return the combination of places on some axes of each trial as one number, the last axis fastest."""
    cells = spec.space.cells_of(numbers)
    codes = np.zeros(len(numbers), dtype=np.int64)
    for axis in axes:
        codes = codes * len(axis.values) + spec.space.positions(cells, axis.name)
    return codes


def _values(axes: Sequence[Axis], code: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for axis in reversed(axes):
        code, place = divmod(code, len(axis.values))
        values[axis.name] = axis.values[place]
    return values


def _panel_code(axes: Sequence[Axis], code: int) -> int:
    """Return the code of a panel from one that tells its symbols as well, which are its fastest digit."""
    return code // len(axes[-1].values) if axes[-1].name == _SYMBOLS else code


def _window(spec: SweepSpec, values: dict[str, Any], groups: Sequence[Sequence[str]]) -> PanelWindow:
    fixed = {name: getattr(spec.base_config, name) for name in _PANEL} | values
    return PanelWindow(**fixed, symbols=frozenset(symbol for group in groups for symbol in group))
