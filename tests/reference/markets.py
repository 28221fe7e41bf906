"""Hypothesis strategies for small, nasty markets and for run parameters that fit them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.reference.market_walks import HOUR_MS, Knobs, settlements, symbol_data

NAMES = ("AAA/USDT:USDT", "BBB/USDT:USDT", "CCC/USDT:USDT")
SEEDS = st.sampled_from(range(2**32))  # uniform, where integers() prefers small ones
LENGTHS = st.sampled_from((1, 2, 3, 8, 20, 40, 60))
MARK_SERIES = ("absent", "full", "late")

CHOICES: dict[str, tuple[Any, ...]] = {
    "initial_capital": ("10000", "10000", "137.5", "250000", "12345.67"),
    "min_holding_periods": (1, 7, 30, 30, 300),
    "entry_threshold": ("0.2", "0.35", "0.5", "0.5"),
    "exit_threshold": ("0", "0.2", "0.3", "0.45"),
    "weight_rate_level": ("0.35", "1", "0", "0"),
    "weight_trend": ("0.25", "0.1", "3"),
    "weight_persistence": ("0.25", "0", "0"),
    "weight_basis": ("0.15", "0.7", "0", "0"),
    "trend_ema_span": (1, 2, 6, 9),
    "trend_stable_threshold": ("0.00005", "0", "0.000001"),
    "persistence_max_periods": (1, 3, 7, 30),
    "rate_cap": ("0.003", "0.0007"),
    "basis_cap": ("0.01", "0.003"),
    "volume_lookback_days": (1, 2, 7),
    "volume_decline_ratio": ("0.7", "0.95", "1.05"),
    "spot_taker": ("0.001", "0.001", "0", "0.0123"),
    "perp_taker": ("0.00055", "0.00055", "0", "0.0031"),
    "slippage_bps": ("5", "0", "2.5", "70"),
    "perp_leverage": ("1", "2", "3", "7", "10", "25", "50", "1.5"),
    "margin_exit_ratio": ("0.8", "0.8", "0.3", "0.05", "1"),
    "max_simultaneous_positions": (1, 2, 3),
    "sizing_base": ("initial", "equity"),
    "allocation": ("0.9", "1", "1", "0.333"),
    "dynamic_sizing": (False, True),
    "sizing_min_fraction": ("0.3", "0", "0.75"),
    "sizing_max_fraction": ("1", "0.8"),
    "max_position_size": (None, None, None, None, "1500", "333.33"),
    "max_portfolio_exposure": (None, None, None, None, "4000", "777.77"),
    "max_price_age_hours": ("1", "2", "2", "5", "10"),
    "end_dead_markets": (False, True),
}


PATIENCE: dict[str, tuple[Any, ...]] = {
    "min_hold_hours": ("0", "0", "1", "24", "17.5", "200"),
    "exit_confirmations": (1, 1, 2, 3, 7),
    "exit_loss_horizon_hours": (None, None, "8", "100", "0.5", "1000"),
    "cooldown_hours": ("0", "0", "8", "24", "30.25"),
    "max_round_trips": (None, None, 1, 2, 5),
    "basis_exit": (None, None, "0", "0.0005", "0.003", "0.02"),
    "exit_liquidation_distance": (None, None, "0", "0.05", "0.2", "0.9"),
}
ORDERS: dict[str, tuple[Any, ...]] = {
    "regime_high": ("0.0003", "0.0001", "0", "-0.0001"),
    "order_style": ("taker", "maker", "maker", "maker_entry"),
    "maker_legs": ("both", "long", "short"),
    "spot_maker": ("0.001", "0", "-0.0002"),
    "perp_maker": ("0.0002", "-0.0001", "0.0011"),
    "maker_slippage_bps": ("-1", "-7.5", "3"),  # two equal tiny losses would leave no digits to a deviation
    "long_maker": (None, None, "-0.0003", "0.0004"),
    "long_taker": (None, None, "0.0006"),
    "short_maker": (None, None, "0.00013"),
    "short_taker": (None, None, "0.0021", "0"),
}


@st.composite
def markets(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, dict[str, Any]]:
    """Draw a market of 1 to 3 symbols with up to 60 settlements each.

    Every symbol keeps one spot and one perp candle that closes at its last settlement.
    """
    random = Random(draw(SEEDS))
    count, length, ties = draw(st.integers(1, 3)), draw(LENGTHS), draw(st.booleans())
    volatility, jump_chance = random.choice(((0.001, 0.0), (0.01, 0.01), (0.05, 0.03)))

    def knobs() -> Knobs:
        mark, own_mark_chance = random.choice(MARK_SERIES), random.choice((0.0, 0.5, 1.0))
        dead = random.choice(("never", "never", "flat", "stops"))
        return Knobs(length, volatility, jump_chance, mark, own_mark_chance, random.randint(0, 4), ties, dead)

    shared = settlements(random, knobs())

    def schedule() -> list[tuple[int, str, int]]:
        return shared if ties and random.random() < 0.7 else settlements(random, knobs())

    return {name: symbol_data(random, knobs(), schedule()) for name in NAMES[:count]}


@st.composite
def configs(draw: Callable[[st.SearchStrategy[Any]], Any], market: Mapping[str, Any]) -> dict[str, Any]:
    """Draw parameters for `market`: a window that holds settlements and candles, thresholds near its rates.

    Numbers are decimal texts, counts are int; `min_coverage` is "0", so that no gap refuses the run.
    """
    random = Random(draw(SEEDS))
    names = list(market)
    symbols = random.sample(names, random.choice((len(names), random.randint(1, len(names)))))
    start, end = _window(random, [market[name] for name in symbols])
    rates, turnovers = _eight_hour_rates(market[symbols[0]]), _turnovers(market[symbols[0]])
    config = {name: random.choice(values) for name, values in CHOICES.items()}
    mode = draw(st.sampled_from(("simple", "composite")))
    thresholds = {
        "min_funding_rate": random.choice((*sorted(rates)[: 1 + len(rates) // 2], "0.0003", "0")),
        "min_volume_24h": random.choice(("0", "0", "0", "300000", *turnovers)),
        "exit_funding_rate": random.choice((*rates, "0.0001", "-0.001")),
        "persistence_threshold": random.choice((*rates, "0.0003")),
    }
    window = {"symbols": symbols, "start": start, "end": end, "min_coverage": "0"}
    return {**config, **thresholds, **window, "strategy_mode": mode}


@st.composite
def runs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a market and parameters for it."""
    market = draw(markets())
    return market, draw(configs(market))


@st.composite
def patient_runs(
    draw: Callable[[st.SearchStrategy[Any]], Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a market and parameters for it, with rules of patience and styles of orders."""
    market, config = draw(runs())
    random = Random(draw(SEEDS))
    rules = {**PATIENCE, **ORDERS}
    return market, {**config, **{name: random.choice(values) for name, values in rules.items()}}


@st.composite
def charged_runs(
    draw: Callable[[st.SearchStrategy[Any]], Any],
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, str]]]:
    """Draw a market, parameters for it under recorded fees, and schedules that its account climbs."""
    market, config = draw(patient_runs())
    random = Random(draw(SEEDS))
    times = sorted({record[0] for data in market.values() for record in data["funding"]})
    rows = [
        {"from_ms": str(from_ms), "market": kind, "tier": tier, "min_volume": least}
        | {"maker": random.choice(("-0.0001", "0.0002", "0")), "taker": random.choice(("0.0004", "0.0011"))}
        for from_ms in (0, *sorted(random.sample(times, min(2, len(times)))))
        for kind in ("spot", "linear")
        for tier, least in (("T0", "0"), ("T1", random.choice(("3000", "9000"))), ("T2", "20000"))
    ]
    asked = {
        "fee_model": "recorded",
        "fee_tier": random.choice(("auto", "auto", "T1")),
        "fee_base_volume": random.choice(("0", "0", "2999.5", "50000")),
    }
    return market, {**config, **asked}, rows


@st.composite
def stitched_runs(
    draw: Callable[[st.SearchStrategy[Any]], Any], *, patient: bool = False
) -> tuple[dict[str, Any], int, list[tuple[int, dict[str, Any]]]]:
    """Draw a market, a start, and up to four parameter sets with the moments from which they are in force."""
    market = draw(markets())
    random = Random(draw(SEEDS))
    times = sorted({record[0] for data in market.values() for record in data["funding"]})
    start, end = times[0] - 6 * HOUR_MS, times[-1] + HOUR_MS
    moments = sorted(random.choice((time, time - 60_000)) for time in random.choices(times, k=4))
    if random.random() < 0.8:
        moments[0] = start
    moments = list(dict.fromkeys(moments))[: draw(st.integers(1, 4))]
    rules = {**PATIENCE, **ORDERS} if patient else {}

    def drawn() -> dict[str, Any]:
        own = {name: random.choice(values) for name, values in rules.items()}
        return {**draw(configs(market)), **own, "start": start, "end": end}

    seams = [(moment, drawn()) for moment in moments]
    return market, start, seams


def _eight_hour_rates(data: Mapping[str, Any]) -> list[str]:
    records = data["funding"][:: max(1, len(data["funding"]) // 4)]
    return [f"{int(float(rate) * 1e8 * 8 / hours) / 1e8:.8f}" for _, rate, hours, _ in records]


def _turnovers(data: Mapping[str, Any]) -> list[str]:
    """Return the exact turnover of 24 neighbouring perp candles that are legal parameters."""
    products = [Decimal(row[4]) * Decimal(row[5]) for row in data["perp"]]
    ends = {len(products) // 2, len(products) // 3}
    turnovers = [sum(products[max(0, end - 24) : end], Decimal(0)) for end in sorted(ends)]
    return [f"{turnover:f}" for turnover in turnovers if len(turnover.normalize().as_tuple().digits) <= 15]


def _window(random: Random, symbols: list[Mapping[str, Any]]) -> tuple[int, int]:
    """Return a window somewhere inside the history if it serves every symbol, else one around all of it."""
    times = sorted({record[0] for data in symbols for record in data["funding"]})
    for _ in range(random.choice((0, 2))):
        first, last = sorted((random.choice(times), random.choice(times)))
        start = first - random.choice((0, 1, 30, 90)) * 60_000
        end = last + random.choice((0, 1, 60)) * 60_000
        if all(_serves(data, start, end) for data in symbols):
            return start, end
    return times[0] - 6 * HOUR_MS, times[-1] + HOUR_MS


def _serves(data: Mapping[str, Any], start: int, end: int) -> bool:
    settles = any(start <= record[0] <= end for record in data["funding"])
    return settles and all(
        any(start <= row[0] and row[0] + HOUR_MS <= end for row in data[leg]) for leg in ("spot", "perp")
    )
