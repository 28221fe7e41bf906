"""Advice on a condition that kept a run out comes from the strategy that named it."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from example_plugin import installed_example

from api.dashboard.trial import entry_blockers
from api.dashboard.trial.entry_blockers import blocked_rows
from bot.config.strategy_declaration import GateAdvice
from bot.config.strategy_registry import strategy_plugin
from bot.strategies.gates import Gate, GateReport

STALE = (
    "The nearest prices were 0.0002 h old, 0.0003 h are allowed: import the missing candles, or raise "
    "max_price_age_hours."
)


def advice(gate: str, strategy: str) -> str:
    nearest = Gate(gate, Decimal("0.0003"), Decimal("0.0002"), Decimal("0.0001"))
    [row] = blocked_rows([GateReport(gate, 5, nearest, "X", 0).document()], strategy)
    return row.advice


@pytest.mark.parametrize(
    ("gate", "strategy", "said"),
    [
        (
            "min_funding_rate",
            "simple",
            "With min_funding_rate at 0.0002 or below, the nearest one would have been let in.",
        ),
        (
            "volume_decline_ratio",
            "composite",
            "Volume was falling: a smaller volume_decline_ratio lets in, 0 ignores volume.",
        ),
        (
            "fresh_prices",
            "hold",
            STALE,
        ),
        (
            "volume_decline_ratio",
            "simple",
            "This condition belongs to the strategy; its description says which parameter sets it.",
        ),
    ],
)
def test_each_strategy_advises_on_its_own_conditions(gate: str, strategy: str, said: str) -> None:
    assert advice(gate, strategy) == said


def test_plug_in_advises_on_its_own_conditions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with installed_example(tmp_path, monkeypatch):
        gates = {"dull": GateAdvice("Saw {nearest}, asked {needed}.")}
        plugin = replace(strategy_plugin("smoothed-rate"), gates=gates)
        monkeypatch.setattr(entry_blockers, "strategy_plugin", lambda _name: plugin)
        assert advice("dull", "smoothed-rate") == "Saw 0.0002, asked 0.0003."
