"""The parameters of a run: the table of defaults, and one run's values with them filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

DEFAULTS: dict[str, Any] = {
    "strategy_mode": "simple",
    "initial_capital": "10000",
    "min_funding_rate": "0.0003",
    "exit_funding_rate": "0.0001",
    "min_volume_24h": "1000000",
    "min_holding_periods": 30,
    "entry_threshold": "0.5",
    "exit_threshold": "0.3",
    "weight_rate_level": "0.35",
    "weight_trend": "0.25",
    "weight_persistence": "0.25",
    "weight_basis": "0.15",
    "trend_ema_span": 6,
    "trend_stable_threshold": "0.00005",
    "persistence_threshold": "0.0003",
    "persistence_max_periods": 30,
    "rate_cap": "0.003",
    "basis_cap": "0.01",
    "volume_lookback_days": 7,
    "volume_decline_ratio": "0.7",
    "spot_taker": "0.001",
    "perp_taker": "0.00055",
    "slippage_bps": "5",
    "perp_leverage": "1",
    "margin_exit_ratio": "0.8",
    "max_simultaneous_positions": 1,
    "sizing_base": "initial",
    "allocation": "0.9",
    "dynamic_sizing": False,
    "min_coverage": "0.9",
    "sizing_min_fraction": "0.3",
    "sizing_max_fraction": "1",
    "max_position_size": None,
    "max_portfolio_exposure": None,
    "max_price_age_hours": "2",
    "end_dead_markets": False,
    "min_hold_hours": "0",
    "exit_confirmations": 1,
    "exit_loss_horizon_hours": None,
    "cooldown_hours": "0",
    "max_round_trips": None,
    "basis_exit": None,
    "exit_liquidation_distance": None,
    "regime_high": "0.0003",
    "fee_model": "flat",
    "fee_tier": "auto",
    "fee_base_volume": "0",
    "order_style": "taker",
    "maker_legs": "both",
    "spot_maker": "0.001",
    "perp_maker": "0.0002",
    "maker_slippage_bps": "0",
    "long_maker": None,
    "long_taker": None,
    "short_maker": None,
    "short_taker": None,
}

WORDS = (
    "strategy_mode",
    "sizing_base",
    "dynamic_sizing",
    "max_position_size",
    "max_portfolio_exposure",
    "end_dead_markets",
    "exit_loss_horizon_hours",
    "max_round_trips",
    "basis_exit",
    "exit_liquidation_distance",
    "fee_model",
    "fee_tier",
    "order_style",
    "maker_legs",
    "long_maker",
    "long_taker",
    "short_maker",
    "short_taker",
)


def _limit(value: Any) -> Fraction | None:
    return None if value is None else Fraction(value)


@dataclass(frozen=True)
class Parameters:
    """Hold one run's parameters; the plain numbers are read by name, `parameters["rate_cap"]`."""

    symbols: tuple[str, ...]
    start: int
    end: int
    strategy_mode: str
    sizing_base: str
    dynamic_sizing: bool
    max_position_size: Fraction | None
    max_portfolio_exposure: Fraction | None
    end_dead_markets: bool
    exit_loss_horizon_hours: Fraction | None
    max_round_trips: Fraction | None
    basis_exit: Fraction | None
    exit_liquidation_distance: Fraction | None
    fee_model: str
    fee_tier: str
    order_style: str
    maker_legs: str
    long_maker: Fraction | None
    long_taker: Fraction | None
    short_maker: Fraction | None
    short_taker: Fraction | None
    numbers: Mapping[str, Fraction]

    def __getitem__(self, name: str) -> Fraction:
        """Return the number called `name`."""
        return self.numbers[name]

    def count(self, name: str) -> int:
        """Return the integer called `name`."""
        return int(self.numbers[name])

    def is_made(self, leg: str, reason: str | None) -> bool:
        """Tell whether a maker opens a leg, long (spot) or short (perp), or closes it for `reason`."""
        if self.maker_legs not in ("both", leg) or self.order_style == "taker":
            return False
        if reason is None:
            return True
        return self.order_style == "maker" and reason in ("signal", "basis", "seam", "end")

    def slippage(self, leg: str, reason: str | None) -> Fraction:
        """Return how far a fill is worse than the last price, as a fraction of it."""
        return self["maker_slippage_bps" if self.is_made(leg, reason) else "slippage_bps"] / 10000

    def fee_rate(self, leg: str, reason: str | None) -> Fraction:
        """Return the fee rate of a fill."""
        kind = "maker" if self.is_made(leg, reason) else "taker"
        own: Fraction | None = getattr(self, f"{leg}_{kind}")
        market = {"long": "spot", "short": "perp"}[leg]
        return self[f"{market}_{kind}"] if own is None else own

    @property
    def max_price_age_ms(self) -> Fraction:
        """Return the age from which on a price is stale."""
        return self["max_price_age_hours"] * 3_600_000


def fill_in(config: Mapping[str, Any]) -> Parameters:
    """Return the parameters of `config`, defaults filled in."""
    full = {**DEFAULTS, **config}
    return Parameters(
        symbols=tuple(full["symbols"]),
        start=int(full["start"]),
        end=int(full["end"]),
        strategy_mode=full["strategy_mode"],
        sizing_base=full["sizing_base"],
        dynamic_sizing=full["dynamic_sizing"],
        max_position_size=_limit(full["max_position_size"]),
        max_portfolio_exposure=_limit(full["max_portfolio_exposure"]),
        end_dead_markets=full["end_dead_markets"],
        exit_loss_horizon_hours=_limit(full["exit_loss_horizon_hours"]),
        max_round_trips=_limit(full["max_round_trips"]),
        basis_exit=_limit(full["basis_exit"]),
        exit_liquidation_distance=_limit(full["exit_liquidation_distance"]),
        fee_model=full["fee_model"],
        fee_tier=full["fee_tier"],
        order_style=full["order_style"],
        maker_legs=full["maker_legs"],
        long_maker=_limit(full["long_maker"]),
        long_taker=_limit(full["long_taker"]),
        short_maker=_limit(full["short_maker"]),
        short_taker=_limit(full["short_taker"]),
        numbers={name: Fraction(full[name]) for name in DEFAULTS if name not in WORDS},
    )
