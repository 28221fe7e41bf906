"""Generated markets to measure on, and the sweeps that are run over them."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import loops
from benchmarks.unpinned import unpinned
from bot.backtest import ReplayWindow
from bot.config.run_config import RunConfig
from bot.market.rows import SeriesKey, SeriesKind
from bot.market.symbols import SYNTHETIC_EXCHANGE
from bot.market_store.database import open_engine
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import DEFAULT_SEED, PROFILES, GeneratedPair, generate_pair
from bot.models import DAY_MS, HOUR_MS
from bot.timestamps import parse_time_ms
from sweeps.migrations import migrate
from sweeps.spec.spec import SweepSpec

INTERVAL_MS = 8 * HOUR_MS
FIRST_MS = parse_time_ms("2020-01-01")
START_MS = FIRST_MS + 30 * DAY_MS
"""Windows start here: signals have a month to warm up on."""
YEARS = 6
LAST_MS = START_MS + (YEARS * 365 + 2) * DAY_MS
BTC = PROFILES[0].symbol
DATABASE = "carrygrid.db"
_GOLDEN = (5**0.5 - 1) / 2


def generated(profiles: int = 1, *, end_ms: int = LAST_MS) -> list[GeneratedPair]:
    """Return the first `profiles` generated pairs from FIRST_MS on, their rates unpinned."""
    pairs = [generate_pair(profile, DEFAULT_SEED, FIRST_MS, end_ms) for profile in PROFILES[:profiles]]
    return [unpinned(pair, seed) for seed, pair in enumerate(pairs, 1)]


def filled_store(folder: Path, pairs: Sequence[GeneratedPair], symbols: int = 1) -> HistoricalDataStore:
    """Return a new store in `folder` of the pairs; beyond their number they repeat under other names."""
    engine = open_engine(f"sqlite:///{folder / DATABASE}")
    migrate(engine)
    store = HistoricalDataStore(engine)
    for number in range(symbols):
        put(store, named(number), pairs[number % len(pairs)])
    return store


def named(number: int) -> str:
    """Return the symbol of the pair at `number`; those after the generated profiles are made up."""
    return PROFILES[number].symbol if number < len(PROFILES) else f"C{number:03}/USDT:USDT"


def put(store: HistoricalDataStore, symbol: str, pair: GeneratedPair) -> None:
    """Store the four series of a pair under `symbol`."""
    store.put_instrument(SYNTHETIC_EXCHANGE, symbol, pair.instrument)
    for kind, rows in pair.rows.items():
        timeframe_ms = 0 if kind is SeriesKind.FUNDING else HOUR_MS
        store.merge(SeriesKey(SYNTHETIC_EXCHANGE, symbol, kind, timeframe_ms), rows, synthetic=True)


def base(settlements: int, symbols: Sequence[str] = (BTC,)) -> dict[str, Any]:
    """Return the parameters that trials share: those under which the loops decide and pay as the engine does.

    No price is too old, no volume too small, and no yield that passes the threshold too small.
    """
    return {
        "exchange": SYNTHETIC_EXCHANGE,
        "symbols": list(symbols),
        "start": START_MS,
        "end": START_MS + (settlements - 1) * INTERVAL_MS,
        "initial_capital": loops.CAPITAL,
        "allocation": Decimal(loops.BUDGET) / loops.CAPITAL,
        "slippage_bps": loops.SLIPPAGE_BPS,
        "spot_taker": Decimal(loops.SPOT_TAKER) / loops.FEE_UNITS,
        "perp_taker": Decimal(loops.PERP_TAKER) / loops.FEE_UNITS,
        "min_volume_24h": 0,
        "min_holding_periods": 1_000,
        "max_price_age_hours": 24,
    }


def simple_sweep(settlements: int, entries: int = 40, exits: int = 25, **changes: Any) -> SweepSpec:
    """Return a sweep over entry and exit thresholds of one pair."""
    return SweepSpec.parse(simple_body(settlements, entries, exits) | changes)


def simple_body(settlements: int, entries: int = 40, exits: int = 25) -> dict[str, Any]:
    """Return that sweep as it is submitted; the usual 40 x 25 lie one basis point's tenth apart."""
    return {
        "name": f"{entries} x {exits} over {settlements}",
        "base": {name: _json(value) for name, value in base(settlements).items()},
        "grid": {
            "min_funding_rate": {"start": "0.0001", "stop": "0.00049", "num": entries},
            "exit_funding_rate": {"start": "-0.00015", "stop": "0.00009", "num": exits},
        },
        "objective": {"metric": "sharpe", "direction": "maximize"},
        "curves": {"top": 50},
        "reuse": False,
    }


def composite_sweep(settlements: int) -> SweepSpec:
    """Return a sweep of 1,000 trials over the thresholds of the score and one of its weights."""
    return SweepSpec.parse(composite_body(settlements))


def composite_body(settlements: int) -> dict[str, Any]:
    """Return that sweep as it is submitted."""
    body = simple_body(settlements)
    return body | {
        "base": {
            **body["base"],
            "strategy_mode": "composite",
            "rate_cap": "0.0006",
            "basis_cap": "0.003",
            "persistence_threshold": "0.0001",
        },
        "grid": {
            "weight_trend": ["0.1", "0.2", "0.3", "0.4", "0.5"],
            "entry_threshold": {"start": "0.2", "stop": "0.58", "num": 20},
            "exit_threshold": {"start": "0.05", "stop": "0.14", "num": 10},
        },
    }


def configs(spec: SweepSpec) -> list[RunConfig]:
    """Return the parameters of every trial."""
    return [spec.config(number) for number in range(spec.trial_count)]


def window_of(store: HistoricalDataStore, config: RunConfig) -> ReplayWindow:
    """Return the window that `config` asks for."""
    return ReplayWindow.build(config, store.load(config.exchange, config.symbols, config.end, config.start))


def series_of(window: ReplayWindow) -> loops.Series:
    """Return what the loops read of a window of one pair."""
    views = [view for event in window.events for view in event.settlements]
    tickers = [view.ticker for view in views]
    return loops.Series(
        _whole([view.funding.rate for view in views], loops.RATE_PLACES),
        _whole([ticker.spot for ticker in tickers], loops.PRICE_PLACES),
        _whole([ticker.perp for ticker in tickers], loops.PRICE_PLACES),
        _whole([view.funding.mark_price for view in views], loops.PRICE_PLACES),
    )


def trials_of(runs: Sequence[RunConfig]) -> list[loops.Trial]:
    """Return the thresholds of the runs as the loops take them."""
    entries = _whole([run.min_funding_rate for run in runs], loops.RATE_PLACES)
    exits = _whole([run.exit_funding_rate for run in runs], loops.RATE_PLACES)
    return list(zip(entries, exits, strict=True))


def spread(count: int, wanted: int) -> list[int]:
    """Return `wanted` numbers spread evenly over range(count), out of step with the rows of any grid."""
    if wanted >= count:
        return list(range(count))
    places = np.arange(wanted) * _GOLDEN % 1
    return np.unique((places * count).astype(int)).tolist()


def _whole(values: Sequence[Decimal | None], places: int) -> list[int]:
    scaled = [(value if value is not None else Decimal("NaN")).scaleb(places) for value in values]
    if any(value != int(value) for value in scaled):
        raise ValueError(f"a value has more than {places} places")
    return [int(value) for value in scaled]


def _json(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
