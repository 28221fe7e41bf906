"""Answers about the thresholds that a window suggests."""

from typing import Any

from pydantic import BaseModel


class StrategySuggestion(BaseModel):
    """Parameters of a run and axes of a sweep that fit a window, as they are written, and why."""

    parameters: dict[str, Any]
    grid: dict[str, Any]
    notes: list[str]


class WindowRates(BaseModel):
    """Rates per 8 h of a window: the highest, and counts in equal bins from `start` on.

    The outermost bins hold all beyond. `gates` are the parameters that are compared with them, by what they
    decide: `enter` or `leave`.
    """

    highest: float
    start: float
    width: float
    counts: list[int]
    gates: dict[str, str]


class WindowSuggestion(BaseModel):
    """Parameters suggested by a window; `quantiles_8h` are rates per 8 h by share of the settlements."""

    exchange: str | None
    symbols: list[str]
    start: str | None
    end: str | None
    settlements: int
    quantiles_8h: dict[str, float]
    rates_8h: WindowRates
    strategies: dict[str, StrategySuggestion]
