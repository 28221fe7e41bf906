"""Decisions of trials over the only pair of a window, as event masks that equal decisions share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.config.run_config import RunConfig
from bot.config.strategy_declaration import StrategyPlugin
from bot.memo import Memo
from bot.numbers.arrays import BoolArray
from bot.numbers.thresholds import Condition, EventMask
from bot.strategies.decision_columns import ColumnDecisions, DecisionColumns
from bot.strategies.hold import hold_over

_MAX_MASKS = 2_000


@dataclass(frozen=True, slots=True)
class Decisions:
    """Event masks of a strategy: entries of a flat account, and exits of a held pair by signal.

    Trials that decide alike have the same masks, so that what follows from one is worked out once.
    """

    entries: EventMask
    exits: EventMask


class PairDecisions:
    """Decisions over the columns of one pair."""

    def __init__(self, columns: DecisionColumns) -> None:
        self._columns = columns
        self._known = Memo(_MAX_MASKS).get

    def of(self, strategy: StrategyPlugin, config: RunConfig) -> Decisions | None:
        """Return the decisions of a run under `strategy`, inside `exact()`.

        None where it decides event by event alone, or sizes its entries.
        """
        if strategy.decide_columns is None:
            return None
        decided: ColumnDecisions = strategy.decide_columns(config, self._columns)
        return self._masks(decided) if decided.fractions is None else None

    def holding(self) -> Decisions:
        """Return the decisions of the hold baseline, the same under any parameters."""
        return self._masks(hold_over(self._columns))

    def _masks(self, decided: ColumnDecisions) -> Decisions:
        enter, stay, fresh = decided.enter, decided.stay, self._columns.fresh
        return Decisions(
            self._known(("enter", enter), lambda: EventMask.of(fresh & self._all(enter))),
            self._known(("stay", stay), lambda: EventMask.of(fresh & ~self._all(stay))),
        )

    def _all(self, conditions: Sequence[Condition]) -> BoolArray:
        """Return the mask of events at which all conditions hold; without any, that is everywhere."""
        held = np.ones(len(self._columns.fresh), dtype=np.bool_)
        for condition in conditions:
            held &= self._known(condition, condition.holds)
        return held
