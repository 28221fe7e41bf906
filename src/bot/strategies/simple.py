"""Strategy v1.0: thresholds on the funding rate per 8 hours."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.market_data.opportunity_ranker import OpportunityRanker
from bot.models import SettlementView
from bot.parameters import SimpleParameters
from bot.strategies.gates import Gate
from bot.strategies.registry import StrategyPlugin
from bot.strategies.strategy import Entry, Strategy

if TYPE_CHECKING:
    from bot.config import RunConfig


class SimpleStrategy(Strategy):
    """Enters what the ranker passes, exits when the rate falls below a threshold."""

    def __init__(self, ranker: OpportunityRanker, exit_funding_rate: Decimal) -> None:
        self.entry_floor = ranker.min_funding_rate
        self.exit_ceiling: Decimal = exit_funding_rate
        self._ranker = ranker

    def entries(self, views: Sequence[SettlementView]) -> Sequence[Entry]:
        """Return the passing pairs by annualized net yield."""
        ranked = self._ranker.rank(views)
        return [Entry(view) for view in ranked] if ranked else ()

    def may_enter(self, view: SettlementView) -> bool:
        """Return whether the pair passes the ranker."""
        return self._ranker.passes(view)

    def blocking_gate(self, view: SettlementView) -> Gate | None:
        """Return the first condition of the ranker that the pair fails."""
        return self._ranker.blocking_gate(view)

    def figures(self, view: SettlementView) -> Mapping[str, Decimal | bool]:
        """Return the yield per interval that is left once the fees of a round trip are spread."""
        return {"net_yield": self._ranker.net_yield(view.funding.rate)}

    def wants_exit(self, view: SettlementView) -> bool:
        """Return whether the rate per 8 hours has fallen below the exit threshold."""
        return view.funding.rate_8h < self.exit_ceiling


def _build(config: "RunConfig") -> SimpleStrategy:
    ranker = OpportunityRanker(
        config.min_funding_rate, config.min_volume_24h, config.min_holding_periods, config.fees
    )
    return SimpleStrategy(ranker, config.exit_funding_rate)


PLUGIN = StrategyPlugin(
    "simple",
    "1.0",
    "Thresholds on the funding rate",
    SimpleParameters,
    _build,
    default_grid={
        "min_funding_rate": {"start": "0.0001", "stop": "0.001", "step": "0.0001"},
        "exit_funding_rate": ["0", "0.00005", "0.0001", "0.0002"],
        "min_holding_periods": [15, 30, 60],
    },
    presets={
        "conservative": {
            "min_funding_rate": "0.0005",
            "exit_funding_rate": "0.0002",
            "min_volume_24h": "5000000",
            "min_holding_periods": 20,
            "end_dead_markets": True,
        },
        "balanced": {
            "min_funding_rate": "0.0003",
            "exit_funding_rate": "0.0001",
            "min_volume_24h": "1000000",
            "min_holding_periods": 30,
            "end_dead_markets": True,
        },
        "aggressive": {
            "min_funding_rate": "0.0001",
            "exit_funding_rate": "0",
            "min_volume_24h": "250000",
            "min_holding_periods": 90,
            "end_dead_markets": True,
        },
    },
)
