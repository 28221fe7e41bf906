"""Strategy v1.0: thresholds on the funding rate per 8 hours."""

from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bot.accounting.trading_costs import TradingCosts
from bot.config.parameters import FEES, AccountParameters, SimpleParameters
from bot.config.strategy_declaration import Figure, GateAdvice, StrategyPlugin
from bot.models import SettlementView
from bot.numbers.thresholds import ThresholdColumn
from bot.strategies.decision_columns import ColumnDecisions, DecisionColumns, Threshold
from bot.strategies.gates import LOWER_THRESHOLD, Gate
from bot.strategies.opportunity_ranker import OpportunityRanker
from bot.strategies.patient import PATIENT
from bot.strategies.strategy import Entry, Strategy
from bot.strategies.structures import PERP_PERP, REVERSE, SYNTHETIC_DOLLAR
from bot.strategies.suggestion import (
    NOTHING_PAID,
    Suggestion,
    WindowFigures,
    in_bps,
    rounded,
    volume_floor,
)

if TYPE_CHECKING:
    from bot.config.run_config import RunConfig


_FIELDS, _ACCOUNT = SimpleParameters.model_fields, AccountParameters.model_fields
_SHARES = (0.5, 0.7, 0.8, 0.9, 0.95)
_ENTRY_SHARE = 0.8
_LEAST_ENTRIES = 3
_EXIT_SHARES = (0.25, 0.5)
_MOST_HOLDING = 1_000_000


class SimpleStrategy(Strategy):
    """Enters what the ranker passes, exits when the rate falls below a threshold."""

    def __init__(self, ranker: OpportunityRanker, exit_funding_rate: Decimal) -> None:
        self._ranker = ranker
        self._exit_funding_rate = exit_funding_rate

    @cached_property  # not `property`: a subclass may set its own on an instance
    def entry_floor(self) -> Decimal:  # type: ignore[override]
        """The least rate that the ranker passes."""
        return self._ranker.min_funding_rate

    def at_costs(self, costs: TradingCosts) -> None:
        """Rank at the fees of an account."""
        self._ranker.use(costs.fees, costs.style)

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
        return {"net_yield": self._ranker.net_yield(view)}

    @property
    def exit_floor(self) -> Decimal:
        """The exit threshold."""
        return self._exit_funding_rate

    def wants_exit(self, view: SettlementView) -> bool:
        """Return whether the rate per 8 hours has fallen below the exit threshold."""
        return view.funding.rate_8h < self._exit_funding_rate


def _build(config: "RunConfig") -> SimpleStrategy:
    return SimpleStrategy(_ranker(config), config.exit_funding_rate)


def _ranker(config: "RunConfig") -> OpportunityRanker:
    return OpportunityRanker(
        config.min_funding_rate, config.min_volume_24h, config.min_holding_periods, config.fees, config.style
    )


def _decide(config: "RunConfig", columns: DecisionColumns) -> ColumnDecisions:
    ranker = _ranker(config)
    key = "simple", config.min_holding_periods, ranker.flat_trip
    enter = (
        Threshold(columns.rates_8h, "min_funding_rate"),
        Threshold(columns.volumes_24h, "min_volume_24h"),
        ranker.earning(_traded_rates(columns)),
    )
    stay = (Threshold(columns.rates_8h, "exit_funding_rate"),)
    return ColumnDecisions(enter, stay, lambda: _yields(key, ranker, columns))


def _traded_rates(columns: DecisionColumns) -> ThresholdColumn:
    found: ThresholdColumn = columns.derive("traded rates", lambda: columns.rates.where(columns.spot_active))
    return found


def _yields(key: Hashable, ranker: OpportunityRanker, columns: DecisionColumns) -> ThresholdColumn:
    rates = columns.rates.values
    found: ThresholdColumn = columns.derive(
        key, lambda: ThresholdColumn(ranker.yields_per_hour(rates, columns.interval_hours))
    )
    return found


def _suggest(figures: WindowFigures) -> Suggestion:
    """Return thresholds at quantiles of a window's rates, and the holding time that makes such rates pay."""
    shares = [share for share in _SHARES if figures.rate(share) > 0]
    if not shares:
        return Suggestion(notes=NOTHING_PAID)
    entries = list(dict.fromkeys(rounded(figures.rate(share)) for share in shares))
    # Venues that cap their rates give few quantiles: a grid of one entry would compare nothing.
    while len(entries) < _LEAST_ENTRIES:
        entries.insert(0, rounded(float(entries[0]) / 2))
    share = next((one for one in shares if one >= _ENTRY_SHARE), shares[-1])
    entry = rounded(figures.rate(share))
    leave, *others = (rounded(max(figures.rate(one), 0.0)) for one in _EXIT_SHARES)
    exits = list(dict.fromkeys(("0", leave, *others)))
    holding = [_holding(one, figures.interval_hours) for one in (entries[0], entry)]
    parameters: dict[str, Any] = {
        "min_funding_rate": entry,
        "exit_funding_rate": leave,
        "min_holding_periods": holding[1],
    }
    notes = [
        f"{share:.0%} of this window's settlements are below {in_bps(entry)} bp per 8 h: enter from there on",
        "leave below 0"
        if leave == "0"
        else f"{_EXIT_SHARES[0]:.0%} are below {in_bps(leave)} bp: leave there",
        f"{holding[1]} settlements of holding are counted on to repay the fees of a round trip",
    ]
    volume = volume_floor(figures, _FIELDS["min_volume_24h"].default)
    if volume is not None:
        parameters["min_volume_24h"] = volume
        notes.append(f"nine of ten settlements see a 24 h volume of {volume} or more")
    below = [one for one in exits if Decimal(one) <= Decimal(entries[0])]
    grid = {
        "min_funding_rate": entries,
        "exit_funding_rate": below,
        "min_holding_periods": sorted({*holding, holding[1] * 2}),
    }
    return Suggestion(parameters, grid, notes)


def _holding(rate_8h: str, interval_hours: int) -> int:
    """Return the number of settlements at a rate that repay a trade's default fees, at least the default."""
    fees = 2 * (_ACCOUNT["spot_taker"].default + _ACCOUNT["perp_taker"].default)
    needed = int(fees / (Decimal(rate_8h) * interval_hours / 8)) + 1
    least = int(_FIELDS["min_holding_periods"].default)
    return min(max(least, -(-needed // 10) * 10), _MOST_HOLDING)


PLUGIN = StrategyPlugin(
    "simple",
    "1.0",
    "Thresholds on the funding rate",
    SimpleParameters,
    _build,
    decide_columns=_decide,
    decided_by=("min_holding_periods", *FEES),
    figures={
        "rate_8h": Figure(enter="min_funding_rate", leave="exit_funding_rate"),
        "volume_24h": Figure(enter="min_volume_24h"),
        "net_yield": Figure("Net yield per interval", share=True, note="above 0 to enter"),
    },
    gates={
        "min_funding_rate": GateAdvice(LOWER_THRESHOLD),
        "min_volume_24h": GateAdvice(LOWER_THRESHOLD, reads_volume=True),
        "spot_active": GateAdvice(
            "The spot market is stored as closed: import its current rules, or leave the symbol out."
        ),
        "min_holding_periods": GateAdvice(
            "Over min_holding_periods settlements the nearest rate earns {nearest} of the notional, the fees "
            "of a round trip take {needed}: hold longer (a larger min_holding_periods), or trade cheaper."
        ),
    },
    compare_place=1,
    default_grid={
        "min_funding_rate": {"start": "0.0001", "stop": "0.001", "step": "0.0001"},
        "exit_funding_rate": ["0", "0.00005", "0.0001", "0.0002"],
        "min_holding_periods": [15, 30, 60],
    },
    suggest=_suggest,
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
        "patient": {
            "min_funding_rate": "0.0003",
            "exit_funding_rate": "0",
            "min_volume_24h": "1000000",
            "min_holding_periods": 30,
            "end_dead_markets": True,
            **PATIENT,
        },
        "reverse": {
            "min_funding_rate": "0.0003",
            "exit_funding_rate": "0",
            "min_volume_24h": "1000000",
            "min_holding_periods": 30,
            **REVERSE,
        },
        "perp_perp": {
            "min_funding_rate": "0.0002",
            "exit_funding_rate": "0",
            "min_volume_24h": "1000000",
            "min_holding_periods": 30,
            **PERP_PERP,
        },
        "synthetic_dollar": {
            "min_funding_rate": "0.0001",
            "exit_funding_rate": "0",
            "min_volume_24h": "1000000",
            "min_holding_periods": 90,
            **SYNTHETIC_DOLLAR,
        },
    },
)
