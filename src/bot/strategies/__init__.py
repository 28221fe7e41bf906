"""Strategies: the interface of plug-ins, and the three built-in ones.

A plug-in imports from this package alone; CONTRIBUTING.md says how to write one. Stability, by our version:

- The names in `__all__`, their signatures and the fields of `Entry`, `FundingRate`, `SettlementView`,
  `ColumnDecisions`, `DecisionColumns`, `PairSettlements` and `Threshold` stay until the next major version;
  before 1.0, until the next minor one. CHANGELOG.md announces what goes.
- A minor version may add methods with a default to `Strategy`, fields with a default to `StrategyPlugin`,
  `Figure`, `GateAdvice` and `ColumnDecisions`, and fields to views and columns. A plug-in reads those and
  makes none, so it goes on working.
- Modules inside the package, and everything else under `bot`, may change with any version.

A plug-in's decisions belong to its own version, which the run key holds; `ENGINE_VERSION` is the account's.
"""

from bot.config.fields import Count, Number
from bot.config.parameters import Parameters
from bot.config.strategy_declaration import Figure, GateAdvice, StrategyPlugin
from bot.models import FundingRate, SettlementView
from bot.numbers.thresholds import Condition, ThresholdColumn
from bot.strategies.decision_columns import (
    ColumnDecisions,
    DecisionColumns,
    PairSettlements,
    Threshold,
)
from bot.strategies.gates import Gate
from bot.strategies.strategy import Entry, Strategy

__all__ = [
    "ColumnDecisions",
    "Condition",
    "Count",
    "DecisionColumns",
    "Entry",
    "Figure",
    "FundingRate",
    "Gate",
    "GateAdvice",
    "Number",
    "PairSettlements",
    "Parameters",
    "SettlementView",
    "Strategy",
    "StrategyPlugin",
    "Threshold",
    "ThresholdColumn",
]
