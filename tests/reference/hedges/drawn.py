"""Hypothesis strategies that draw small markets of hedges, and configurations of every parameter.

`runs()` draws `(files, config)` of any structure, `runs(structure="reverse")` of one. Hand both to
`replay.run(files, config)`, and import the same files for the product: names are `exchange/STEM-kind.csv` or
`.json` and `exchange/fees.json`, values are texts. Everything follows from one drawn seed, `made(seed)`, so a
failure is seen again with `made(seed, structure)`. A configuration has `min_coverage` "0", since gaps are
drawn and coverage is not judged by the reference; every leg has a candle and every perp a settlement in its
window. Parameters have their defaults most of the time, by a chance that a run draws as well.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.reference.hedges.drawn_files import (
    FIRST_MS,
    Epochs,
    FileMaker,
    Frame,
    brackets,
    life,
    text,
    units_at,
    walk,
)
from tests.reference.hedges.files import Files
from tests.reference.hedges.hedge import Leg, hedges_of, multiple_of, stem_of
from tests.reference.hedges.parameters import HOUR_MS, Parameters

STRUCTURES = ("spot_perp", "reverse", "perp_perp", "inverse")
SEEDS = st.sampled_from(range(2**32))
"""Uniform, where integers() prefers small ones."""
Run = tuple[dict[str, str], dict[str, Any]]

CHOICES: dict[str, tuple[Any, ...]] = {
    "strategy_mode": ("composite",),
    "initial_capital": ("1000", "137.5", "250000", "12345.67"),
    "min_funding_rate": ("0.0001", "0.001", "0", "-0.0005"),
    "exit_funding_rate": ("0", "0.0003", "0.001", "-0.001"),
    "min_volume_24h": ("1000000", "300000"),
    "min_holding_periods": (1, 7, 300),
    "entry_threshold": ("0.2", "0.35", "0"),
    "exit_threshold": ("0", "0.2", "0.45"),
    "weight_rate_level": ("1", "0"),
    "weight_trend": ("0.1", "3", "0"),
    "weight_persistence": ("0", "1"),
    "weight_basis": ("0.7", "0.01"),
    "trend_ema_span": (1, 2, 9),
    "trend_stable_threshold": ("0", "0.000001"),
    "persistence_threshold": ("0.0001", "0.001"),
    "persistence_max_periods": (1, 3, 7),
    "rate_cap": ("0.0007", "0.01"),
    "basis_cap": ("0.003", "0.05"),
    "volume_lookback_days": (1, 2),
    "volume_decline_ratio": ("0.95", "1.05"),
    "spot_taker": ("0", "0.0123"),
    "perp_taker": ("0", "0.0031"),
    "slippage_bps": ("0", "2.5", "70"),
    "perp_leverage": ("2", "3", "5", "10", "25", "1.5"),
    "margin_exit_ratio": ("0.6", "0.3", "1"),
    "max_simultaneous_positions": (2, 3),
    "sizing_base": ("equity",),
    "allocation": ("1", "0.333"),
    "dynamic_sizing": (True,),
    "sizing_min_fraction": ("0", "0.75"),
    "sizing_max_fraction": ("0.8",),
    "max_position_size": ("1500", "333.33"),
    "max_portfolio_exposure": ("4000", "777.77"),
    "max_price_age_hours": ("1", "5", "10", "0.5"),
    "borrow_leverage": ("3", "5", "10"),
    "borrow_mmr": ("0.05", "0.02"),
    "margin_model": ("brackets",),
    "liquidation_fee": ("0.005", "0", "0.2"),
    "margin_policy": ("top_up", "rebalance"),
    "margin_trigger": ("0.1", "0.02", "0.25", "0.01"),
    "transfer_fee": ("1", "0.25"),
    "transfer_delay_minutes": (30, 60, 600),
    "wallet_trigger": ("0.05", "0", "0.2"),
    "leg_out_delay_minutes": (1, 60, 150),
    "order_style": ("maker", "maker_entry"),
    "maker_legs": ("long", "short"),
    "spot_maker": ("0", "-0.0002"),
    "perp_maker": ("-0.0001", "0.0011"),
    "long_maker": ("-0.0003", "0.0004"),
    "long_taker": ("0.0006", "0"),
    "short_maker": ("0.00013",),
    "short_taker": ("0.0021", "0"),
    "maker_slippage_bps": ("-1", "-7.5", "3"),
    "fee_model": ("recorded",),
    "fee_tier": ("T1",),
    "fee_base_volume": ("2999.5", "50000"),
    "impact_bps": ("10", "150"),
    "max_participation": ("0.0001", "0.002", "0.5", "2"),
    "fill_lag_candles": (1, 2, 5),
    "min_hold_hours": ("1", "24", "17.5"),
    "cooldown_hours": ("8", "24", "30.25"),
    "exit_confirmations": (2, 3),
    "max_round_trips": (1, 2),
    "exit_loss_horizon_hours": ("8", "100", "0.5", "1000"),
    "basis_exit": ("0", "0.003", "0.02"),
    "exit_liquidation_distance": ("0", "0.05", "0.2", "0.5"),
    "exit_on_announcement": (True,),
    "min_contract_age_days": ("0.5", "2", "1.25"),
    "regime_high": ("0.0001", "0", "-0.0001", "0.001"),
}
"""Values other than the defaults, by parameter."""

SHARES = {
    1: (("1",),),
    2: (("0.5", "0.5"), ("0.3", "0.7"), ("0.123456789", "0.876543211")),
    3: (("0.2", "0.3", "0.5"), ("0.333333", "0.333333", "0.333334")),
}
"""Shares of the capital, by the number of exchanges."""

HOLDING = {"exit_funding_rate": ("-0.1",), "min_funding_rate": ("0",), "min_holding_periods": (1000,)}
SCENES: dict[str, dict[str, tuple[Any, ...]]] = {
    "margins": HOLDING
    | {
        "perp_leverage": ("5", "8", "15"),
        "borrow_leverage": ("2", "3"),
        "margin_policy": ("top_up", "rebalance"),
        "margin_trigger": ("0.06", "0.1", "0.2"),
        "margin_exit_ratio": ("0.8", "1"),
        "allocation": ("0.4", "0.6"),
        "transfer_delay_minutes": (0, 0, 30, 600),
        "transfer_fee": ("0", "1.5"),
    },
    "generous exchanges": HOLDING
    | {
        "perp_leverage": ("5", "10"),
        "borrow_leverage": ("3", "5"),
        "liquidation_fee": ("0.001", "0.005", "0.02"),
        "margin_exit_ratio": ("1",),
    },
    "ends": HOLDING | {"leg_out_delay_minutes": (0, 0, 90), "min_contract_age_days": ("0", "0.25")},
    "wallets": HOLDING
    | {
        "perp_leverage": ("3", "8"),
        "wallet_trigger": ("0.01", "0.05"),
        "transfer_delay_minutes": (0, 60, 900),
        "transfer_fee": ("0", "0.7"),
        "allocation": ("0.5", "0.9"),
    },
    "large orders": HOLDING
    | {
        "initial_capital": ("50000", "250000"),
        "margin_model": ("brackets",),
        "perp_leverage": ("1", "4", "5", "20", "25"),
        "max_participation": (None, "0.01"),
    },
}
"""Settings under which something happens that seldom does by chance."""

THEMES = (
    ("perp_leverage", "margin_exit_ratio", "liquidation_fee", "exit_liquidation_distance", "borrow_leverage"),
    ("perp_leverage", "margin_policy", "margin_trigger", "transfer_fee", "transfer_delay_minutes"),
    ("perp_leverage", "margin_model", "leg_out_delay_minutes", "borrow_mmr", "wallet_trigger", "stress"),
    (
        "order_style",
        "maker_legs",
        "maker_slippage_bps",
        "spot_maker",
        "perp_maker",
        "long_maker",
        "short_maker",
    ),
    ("fee_model", "fee_tier", "fee_base_volume", "impact_bps", "max_participation", "slippage_bps"),
    ("fill_lag_candles", "leg_out_delay_minutes", "max_simultaneous_positions", "max_portfolio_exposure"),
    ("exit_confirmations", "min_hold_hours", "cooldown_hours", "exit_loss_horizon_hours", "basis_exit"),
    ("strategy_mode", "dynamic_sizing", "entry_threshold", "exit_threshold", "trend_ema_span", "sizing_base"),
    ("min_contract_age_days", "exit_on_announcement", "max_round_trips", "fill_lag_candles"),
)
"""Parameters that mean something together: a run often has some of a theme."""


@st.composite
def runs(draw: Callable[[st.SearchStrategy[Any]], Any], structure: str | None = None) -> Run:
    """Draw files of a market and a configuration for them."""
    return made(draw(SEEDS), structure or draw(st.sampled_from(STRUCTURES)))


def made(seed: int, structure: str) -> Run:
    """Return the files and the configuration that a seed stands for."""
    random = Random(seed)
    while True:
        files, config = _Maker(random, structure).run()
        if _serves(files, config):
            return files, config


def _serves(files: Mapping[str, str], config: Mapping[str, Any]) -> bool:
    """Tell whether each leg has a candle of a contract in the window, and each perp a settlement."""
    parameters = Parameters(config)
    start, end = parameters.start, parameters.end

    def is_served(leg: Leg) -> bool:
        series = [contract.trades for contract in leg.contracts]
        settled = [t for contract in leg.contracts for t in contract.settlement_times]
        has_candle = any(start + HOUR_MS <= t <= end for each in series for t in each.closed_at)
        return has_candle and (not leg.is_perp or any(start <= t <= end for t in settled))

    return all(is_served(leg) for hedge in hedges_of(parameters, Files(files)) for leg in hedge.legs)


class _Maker:
    def __init__(self, random: Random, structure: str) -> None:
        self.random, self.structure = random, structure
        self.change = random.choice((0.02, 0.05, 0.15, 0.4))
        self.themes = {name for theme in random.sample(THEMES, random.randint(0, 2)) for name in theme}
        self.config: dict[str, Any] = {
            name: random.choice(values) for name, values in CHOICES.items() if self._changes(name)
        }
        self.scene = random.choice(("", "", *SCENES))
        self.config |= {name: random.choice(values) for name, values in SCENES.get(self.scene, {}).items()}
        if self.scene == "margins" and structure == "reverse":
            self.config["margin_trigger"] = random.choice(("0.35", "0.45"))
        self.interval = random.choice((1, 4, 8))
        settlements = random.randint(12, {1: 60, 4: 40, 8: 25}[self.interval])
        if random.random() < 0.04:  # longer than the volume of a fee tier counts
            self.interval, settlements = 8, 105
        first = random.choice((1, 2, 8, 24, 30))
        last = first + (settlements - 1) * self.interval
        self.frame = Frame(last + random.choice((0, 2)), first, last)
        self.maker = FileMaker(random, self.frame)
        self.exchanges = ["alpha", "beta"] if random.random() < 0.6 else ["alpha", "alpha"]
        if structure == "inverse":
            self.exchanges = ["alpha", "alpha"]
        self.has_third = structure == "perp_perp" and random.random() < 0.15
        self.added: dict[tuple[str, str, str], None] = {}
        self.prices: list[float] = []
        self.shared_end: int | None = None
        if random.random() < (0.5 if self.scene == "ends" else 0.2):
            self.shared_end = random.randint(first + 1, last - 1)

    def _changes(self, name: str) -> bool:
        """Tell whether a parameter is to have another value than its default."""
        return self.random.random() < (0.65 if name in self.themes else self.change)

    def run(self) -> Run:
        random = self.random
        coins = ("AAA", "BBB", "CCC")[: random.choice((1, 1, 2, 3))]
        symbols = [symbol for coin in coins for symbol in self._coin(coin)]
        random.shuffle(symbols)
        self._account(symbols)
        window = {
            "start": FIRST_MS + (self.frame.first - random.choice((0, 1))) * HOUR_MS,
            "end": FIRST_MS + (self.frame.last + random.choice((0, 1))) * HOUR_MS,
        }
        if random.random() < 0.3:
            window["start"] += random.randint(0, (self.frame.last - self.frame.first) // 3) * HOUR_MS
        named = {"exchange": "alpha", "symbols": symbols, "structure": self.structure, "min_coverage": "0"}
        for side, exchange in zip(("long", "short"), self.exchanges, strict=True):
            if exchange != "alpha":
                named[f"{side}_exchange"] = exchange
        defaults = {"min_volume_24h": "0"}
        return self.maker.finish(), {**defaults, **self.config, **named, **window}

    # Markets

    def _coin(self, coin: str) -> list[str]:
        """Add the markets of a coin, and return the symbols that name its hedges."""
        random = self.random
        path = walk(random, self.frame.hours, random.choice((100.0, 0.25, 20000.0, 3.7)))
        many = f"1000{coin}" if random.random() < 0.12 else coin
        quote = random.choice(("USDT", "USDT", "USDC"))
        linear = f"{many}/{quote}:{quote}"
        lives = random.random() < (0.9 if self.scene == "ends" else 0.3)
        if self.structure == "perp_perp":
            return self._perp_pairs(coin, linear, path, lives=lives)
        perp = f"{coin}/USD:{coin}" if self.structure == "inverse" else linear
        spot = f"{coin}/{quote if self.structure != 'inverse' else 'USDT'}"
        long, short = self.exchanges
        places = {"reverse": (short, long)}.get(self.structure, (long, short))
        self._market(places[0], spot, "spot", path, lives=lives and random.random() < 0.5)
        self._market(places[1], perp, "perp", path, lives=lives)
        if self.structure == "reverse":
            if "borrow_rate_hourly" not in self.config and random.random() < 0.4:
                self.config["borrow_rate_hourly"] = random.choice(("0.000001", "0", "0.00002"))
            self.maker.add_borrow(places[0], spot, path[0])
        if random.random() < 0.6:
            return [perp]
        legs = (perp, spot) if self.structure == "reverse" else (spot, perp)
        full = random.random() < 0.5
        return [
            ">".join(
                f"{leg}@{place}" if full else leg for leg, place in zip(legs, self.exchanges, strict=True)
            )
        ]

    def _perp_pairs(self, coin: str, linear: str, path: list[float], *, lives: bool) -> list[str]:
        random, (long, short) = self.random, self.exchanges
        other = linear if random.random() < 0.7 else f"{coin}/USDT:USDT"
        if long == short and other == linear:
            other = f"{coin}/FDUSD:FDUSD"
        self._market(long, linear, "perp", path, lives=lives and random.random() < 0.5)
        self._market(short, other, "perp", path, lives=lives, lean=random.choice((1, 1, 1, -1)))
        if other == linear and long != short and random.random() < 0.3:
            return [linear]
        full = [f"{linear}@{long}", f"{other}@{short}"]
        random.shuffle(full)
        found = [random.choice((">", ">", "<>")).join(full)]
        if self.has_third:
            self._market("gamma", linear, "perp", path, lives=False, lean=random.choice((1, -1)))
            found.append(random.choice((">", "<>")).join((full[0], f"{linear}@gamma")))
        return found

    def _market(
        self,
        exchange: str,
        symbol: str,
        kind: str,
        path: list[float],
        *,
        lives: bool,
        lean: int | None = None,
    ) -> None:
        if (exchange, symbol, kind) in self.added:
            return
        self.added[exchange, symbol, kind] = None
        random = self.random
        plain = not symbol.startswith("1000")
        epochs: Epochs = life(random, self.frame, stem_of(symbol), self.shared_end) if lives and plain else []
        for epoch in epochs:
            if "to_ms" in epoch and kind == "perp" and random.random() < 0.5:
                hour = (epoch["to_ms"] - FIRST_MS) // HOUR_MS
                units = Decimal(epoch.get("units") or 1)
                epoch["settle_price"] = text(path[hour - 1] * float(units) * random.choice((0.95, 1.0, 1.1)))
        units = units_at(
            epochs, FIRST_MS + self.frame.hours * HOUR_MS, multiple_of(symbol.partition("/")[0])[0]
        )
        self.prices.append(path[0] * float(units))
        self.maker.add_market(exchange, symbol, kind, path, epochs)
        if kind != "perp":
            return
        sign = lean if lean is not None else -1 if self.structure in ("reverse", "perp_perp") else 1
        interval = self.interval if random.random() < 0.7 or self.interval == 1 else 4
        self.maker.add_funding(exchange, symbol, path, epochs, interval, sign)
        if self.config.get("margin_model") == "brackets":
            unit = random.choice((500.0, 5000.0))
            self.maker.add_brackets(exchange, symbol, unit / path[0] if "inverse" in self.structure else unit)

    # The account

    def _account(self, symbols: list[str]) -> None:
        random, config = self.random, self.config
        wallets = list(dict.fromkeys(exchange for exchange, _, _ in self.added))
        for wallet in wallets:
            if config.get("fee_model") == "recorded":
                self.maker.add_fees(wallet)
        if self._changes("capital_shares"):
            config["capital_shares"] = dict(zip(wallets, random.choice(SHARES[len(wallets)]), strict=True))
        if self._changes("stress"):
            config["stress"] = [self._stress(symbols) for _ in range(random.randint(1, 2))]
        # A trigger has to be below the exit that it keeps a leg from.
        if config.get("margin_policy") and "margin_trigger" not in config:
            config["margin_trigger"] = random.choice(("0.01", "0.03", "0.1"))
        self._instrument()

    def _stress(self, symbols: list[str]) -> dict[str, Any]:
        random, frame = self.random, self.frame
        half_hours = random.randint(2 * frame.first, 2 * frame.last)
        entry: dict[str, Any] = {"at": FIRST_MS + half_hours * HOUR_MS // 2}
        optional = {
            "leg": ("long", "short"),
            "symbol": tuple(symbol for symbol in symbols if "<>" not in symbol) or (None,),
            "delay_minutes": (0, 30, 90),
            "adverse_bps": ("100", "12.5"),
        }
        for name, values in optional.items():
            value = random.choice(values)
            if random.random() < 0.5 and value is not None:
                entry[name] = value
        return entry

    def _instrument(self) -> None:
        random = self.random
        capital = float(self.config.get("initial_capital", "10000"))
        step = 10.0 ** round(-2 + _exponent(capital / max(self.prices)))
        instrument: dict[str, Any] = {}
        if random.random() < 0.7:
            instrument["qty_step"] = text(step)
            instrument["min_qty"] = text(step * random.choice((1, 1, 10)))
        if self._changes("min_notional"):
            instrument["min_notional"] = random.choice(("0", "100", "500"))
        if self._changes("mmr"):
            instrument["mmr"] = random.choice(("0.05", "0.01", "0.2"))
        if self.scene == "generous exchanges":
            instrument["mmr"] = "0.05"
        if self.structure == "inverse" and random.random() < 0.7:
            instrument["contract_size"] = random.choice(("10", "100", "0.5"))
        if self.config.get("margin_model") == "brackets" and random.random() < 0.3:
            unit = random.choice((500.0, 5000.0))
            instrument["brackets"] = brackets(random, unit if self.structure != "inverse" else unit / 100)
        if instrument:
            self.config["instrument"] = instrument


def _exponent(value: float) -> int:
    """Return the exponent of ten of a positive number."""
    return Decimal(f"{value:.6g}").adjusted()
