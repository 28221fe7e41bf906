"""Parameters of a run with their defaults, as exact values."""

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

NUMBERS: dict[str, str | None] = {
    "initial_capital": "10000",
    "min_funding_rate": "0.0003",
    "exit_funding_rate": "0.0001",
    "min_volume_24h": "1000000",
    "min_holding_periods": "30",
    "entry_threshold": "0.5",
    "exit_threshold": "0.3",
    "weight_rate_level": "0.35",
    "weight_trend": "0.25",
    "weight_persistence": "0.25",
    "weight_basis": "0.15",
    "trend_ema_span": "6",
    "trend_stable_threshold": "0.00005",
    "persistence_threshold": "0.0003",
    "persistence_max_periods": "30",
    "rate_cap": "0.003",
    "basis_cap": "0.01",
    "volume_lookback_days": "7",
    "volume_decline_ratio": "0.7",
    "spot_taker": "0.001",
    "perp_taker": "0.00055",
    "slippage_bps": "5",
    "perp_leverage": "1",
    "margin_exit_ratio": "0.8",
    "max_simultaneous_positions": "1",
    "allocation": "0.9",
    "min_coverage": "0.9",
    "sizing_min_fraction": "0.3",
    "sizing_max_fraction": "1",
    "max_position_size": None,
    "max_portfolio_exposure": None,
    "max_price_age_hours": "2",
    "borrow_rate_hourly": None,
    "borrow_leverage": "1",
    "borrow_mmr": "0.1",
    "liquidation_fee": None,
    "margin_trigger": "0.5",
    "transfer_fee": "0",
    "transfer_delay_minutes": "0",
    "wallet_trigger": None,
    "leg_out_delay_minutes": "0",
    "spot_maker": "0.001",
    "perp_maker": "0.0002",
    "long_maker": None,
    "long_taker": None,
    "short_maker": None,
    "short_taker": None,
    "maker_slippage_bps": "0",
    "fee_base_volume": "0",
    "impact_bps": "0",
    "max_participation": None,
    "fill_lag_candles": "0",
    "min_hold_hours": "0",
    "cooldown_hours": "0",
    "exit_confirmations": "1",
    "max_round_trips": None,
    "exit_loss_horizon_hours": None,
    "basis_exit": None,
    "exit_liquidation_distance": None,
    "min_contract_age_days": "0",
    "regime_high": "0.0003",
}
"""Numbers, None where nothing is set; counts are numbers as well."""

OTHERS: dict[str, Any] = {
    "strategy_mode": "simple",
    "structure": "spot_perp",
    "sizing_base": "initial",
    "dynamic_sizing": False,
    "margin_model": "flat",
    "margin_policy": "none",
    "order_style": "taker",
    "maker_legs": "both",
    "fee_model": "flat",
    "fee_tier": "auto",
    "exit_on_announcement": False,
}

INSTRUMENT = {
    "qty_step": "0.00001",
    "min_qty": "0.00001",
    "min_notional": "5",
    "mmr": "0.005",
    "contract_size": "1",
}


class Parameters:
    """Parameters of one run, read by name: numbers are fractions, words and switches as they are written."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._values: dict[str, Any] = {
            **{name: exact(config.get(name, default)) for name, default in NUMBERS.items()},
            **{name: config.get(name, default) for name, default in OTHERS.items()},
        }
        exchange = config["exchange"]
        self.symbols: list[str] = list(config["symbols"])
        self.exchanges = {
            "long": config.get("long_exchange") or exchange,
            "short": config.get("short_exchange") or exchange,
        }
        self.start, self.end = moment(config["start"]), moment(config["end"])
        shares = config.get("capital_shares")
        self.capital_shares = (
            None if shares is None else {name: Fraction(str(value)) for name, value in shares.items()}
        )
        instrument = config.get("instrument") or {}
        self.instrument = {
            name: Fraction(str(instrument.get(name, default))) for name, default in INSTRUMENT.items()
        }
        self.brackets: list[Mapping[str, Any]] | None = instrument.get("brackets")
        self.stress = [Stress(entry, self["leg_out_delay_minutes"]) for entry in config.get("stress") or []]

    def __getitem__(self, name: str) -> Any:
        """Return the value of the parameter `name`."""
        return self._values[name]


class Stress:
    """One closing by the exchange that the run is to suffer."""

    def __init__(self, entry: Mapping[str, Any], delay: Fraction) -> None:
        self.at = moment(entry["at"])
        self.side: str = entry.get("leg", "short")
        self.symbol: str | None = entry.get("symbol")
        self.delay_minutes = Fraction(str(entry.get("delay_minutes", delay)))
        self.adverse = Fraction(str(entry.get("adverse_bps", 0))) / 10000


def exact(value: Any) -> Fraction | None:
    """Return a number as it is written, None where there is none."""
    return None if value is None else Fraction(str(value))


def moment(value: int | str) -> int:
    """Return a time in ms; a bare date is its midnight, a time without a zone is UTC."""
    if isinstance(value, int) or value.isdigit():
        return int(value)
    told = datetime.fromisoformat(value)
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return round(told.timestamp() * 1000)
