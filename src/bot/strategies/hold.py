"""Hold baseline of every strategy: be in the market whenever it is possible, and stay."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.config.parameters import Parameters
from bot.config.strategy_declaration import StrategyPlugin
from bot.models import SettlementView
from bot.strategies.decision_columns import ColumnDecisions, DecisionColumns
from bot.strategies.strategy import Entry, Strategy

if TYPE_CHECKING:
    from bot.config.run_config import RunConfig


class HoldParameters(Parameters):
    """Holding has nothing to set."""


class HoldStrategy(Strategy):
    """Enters at the first settlement with prices and never exits by choice.

    What the margin takes is entered again. Where slots are scarce the highest rate per hour goes first.
    """

    def entries(self, views: Sequence[SettlementView]) -> Sequence[Entry]:
        """Return every pair, the highest rate per 8 hours first, then by symbol."""
        return [Entry(view) for view in sorted(views, key=_order)]

    def wants_exit(self, view: SettlementView) -> bool:  # noqa: ARG002
        """Return False: holding has no exit signal."""
        return False


def _order(view: SettlementView) -> tuple[Decimal, str]:
    return -view.funding.rate_8h, view.funding.symbol


def _build(_config: "RunConfig") -> HoldStrategy:
    return HoldStrategy()


def hold_over(columns: DecisionColumns) -> ColumnDecisions:
    """Return the decisions of holding at all settlements."""
    return ColumnDecisions(order=lambda: columns.rates_8h)


PLUGIN = StrategyPlugin(
    "hold",
    "1.0",
    "Hold from start to end",
    HoldParameters,
    _build,
    decide_columns=lambda _config, columns: hold_over(columns),
    decided_by=(),
)
