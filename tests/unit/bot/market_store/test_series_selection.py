"""Series that a run reads: the timeframe by the window, and a multiplier contract's spot by its coin."""

from decimal import Decimal

import pytest
from builders import run_config
from hypothesis import given
from hypothesis import strategies as st

from bot.backtest import run_backtest
from bot.market.rows import Rows, SeriesKey, SeriesKind, funding_values
from bot.market.series import MarketData
from bot.market.symbols import market_symbol, multiplied
from bot.market_store.store import HistoricalDataStore
from bot.models import HOUR_MS, Instrument
from bot.numbers.columns import DecimalColumn
from bot.timestamps import parse_time_ms

DAY = 24 * HOUR_MS
START = parse_time_ms("2024-01-01")
BTC = "BTC/USDT:USDT"


def put(
    store: HistoricalDataStore,
    kind: SeriesKind,
    first: int,
    last: int,
    hours: int = 1,
    symbol: str = BTC,
    scale: int = 0,
) -> None:
    """Store candles of days [first, last), prices times and volumes through ten to the `scale`."""
    opens = range(START + first * DAY, START + last * DAY, hours * HOUR_MS)
    prices = [Decimal(100 + n % 11).scaleb(scale) for n in range(len(opens))]
    rows = [(p, p, p, p, Decimal(7 + n).scaleb(-scale)) for n, p in enumerate(prices)]
    key = SeriesKey("test", symbol, kind, hours * HOUR_MS)
    store.merge(key, Rows.of(list(opens), rows, kind))


def put_funding(store: HistoricalDataStore, symbol: str, days: int) -> None:
    times = [START + n * 8 * HOUR_MS for n in range(days * 3)]
    values = [funding_values(Decimal(n % 5 - 1) / 1000, 8, None) for n in range(len(times))]
    store.merge(SeriesKey("test", symbol, SeriesKind.FUNDING, 0), Rows.of(times, values, SeriesKind.FUNDING))


def hours_taken(store: HistoricalDataStore, first: int, last: int) -> tuple[int, int]:
    data = store.load("test", [BTC], START + last * DAY, START + first * DAY).symbols[0]
    return data.spot.timeframe_ms // HOUR_MS, data.perp.timeframe_ms // HOUR_MS


def test_timeframe_is_chosen_by_the_window_and_for_each_leg_by_itself(store: HistoricalDataStore) -> None:
    put(store, SeriesKind.PERP, 0, 100, hours=8)
    put(store, SeriesKind.PERP, 60, 200)
    put(store, SeriesKind.SPOT, 0, 200)
    put(store, SeriesKind.SPOT, 0, 200, hours=4)
    assert hours_taken(store, 10, 50) == (1, 8)
    assert hours_taken(store, 70, 90) == (1, 1)
    assert hours_taken(store, 0, 100) == (1, 8)
    assert hours_taken(store, 57, 100) == (1, 1)
    assert hours_taken(store, 90, 190) == (1, 1)


def test_without_a_window_the_hourly_series_is_taken_and_fingerprints_tell_them_apart(
    store: HistoricalDataStore,
) -> None:
    put(store, SeriesKind.PERP, 0, 100, hours=8)
    put(store, SeriesKind.PERP, 60, 200)
    end = START + 90 * DAY
    hourly, wide = store.load("test", [BTC], end), store.load("test", [BTC], end, START)
    assert (hourly.symbols[0].perp.timeframe_ms, wide.symbols[0].perp.timeframe_ms) == (HOUR_MS, 8 * HOUR_MS)
    assert hourly.fingerprint != wide.fingerprint


@pytest.mark.parametrize(
    ("perp", "coin"),
    [
        ("1000PEPE/USDT:USDT", (3, "PEPE/USDT:USDT")),
        ("10000LADYS/USDT:USDT", (4, "LADYS/USDT:USDT")),
        ("1000000MOG/USDT:USDT", (6, "MOG/USDT:USDT")),
        ("1MBABYDOGE/USDT:USDT", (6, "BABYDOGE/USDT:USDT")),
        ("SHIB1000/USDT:USDT", (3, "SHIB/USDT:USDT")),
        ("kPEPE/USDC:USDC", (3, "PEPE/USDC:USDC")),
        ("KPEPE/USDC:USDC", (3, "PEPE/USDC:USDC")),
        ("KAVA/USDT:USDT", None),
        ("1INCH/USDT:USDT", None),
        ("BTC/USDT:USDT", None),
        ("A100/USDT:USDT", None),
    ],
)
def test_multiplier_contracts_are_told_by_their_names(perp: str, coin: tuple[int, str] | None) -> None:
    assert multiplied(perp) == coin


@pytest.mark.parametrize(
    "name", ["BTCUSDT", "btcusdt", "BTC-USDT", "BTC-USDT-SWAP", "BTC/USDT:USDT", "BTC_USDT"]
)
def test_market_is_one_however_it_is_written(name: str) -> None:
    assert market_symbol(name) == BTC


def pepe_store(store: HistoricalDataStore) -> MarketData:
    put_funding(store, "1000PEPE/USDT:USDT", 20)
    put(store, SeriesKind.PERP, 0, 20, symbol="1000PEPE/USDT:USDT")
    put(store, SeriesKind.SPOT, 0, 20, symbol="PEPE/USDT:USDT", scale=-3)
    return store.load("test", ["1000PEPE/USDT:USDT"], START + 19 * DAY, START)


def test_spot_of_the_coin_reads_in_units_of_the_contract(store: HistoricalDataStore) -> None:
    data = pepe_store(store).symbols[0]
    assert data.spot_units == 1000
    for leg in ("open", "high", "low", "close", "volume"):
        assert getattr(data.spot, leg).decimals() == getattr(data.perp, leg).decimals()


def test_contract_with_a_spot_market_of_its_own_is_hedged_by_that(store: HistoricalDataStore) -> None:
    put(store, SeriesKind.SPOT, 0, 20, symbol="1000PEPE/USDT:USDT")
    assert pepe_store(store).symbols[0].spot_units == 1


def account(data: MarketData, symbol: str) -> list[object]:
    config = run_config(
        symbols=[symbol],
        start="2024-01-02",
        end="2024-01-19",
        min_volume_24h=0,
        min_funding_rate="0.001",
        exit_funding_rate="0",
        min_holding_periods=1000,
    )
    result = run_backtest(config, data)
    assert result.trades
    return [
        result.metrics,
        [(trade.net_pnl, trade.fees, trade.funding) for trade in result.trades],
        result.equity,
    ]


@pytest.mark.parametrize("power", [3, 6])
def test_units_times_a_power_and_prices_through_it_give_the_same_account(
    store: HistoricalDataStore, power: int
) -> None:
    for symbol, scale in ((BTC, 0), ("PEPE/USDT:USDT", -power)):
        put_funding(store, symbol, 20)
        put(store, SeriesKind.PERP, 0, 20, symbol=symbol, scale=scale)
        put(store, SeriesKind.SPOT, 0, 20, symbol=symbol, scale=scale)
        step = Decimal("0.001").scaleb(-scale)
        store.put_instrument("test", symbol, Instrument(qty_step=step, min_qty=step))
    end = START + 19 * DAY
    accounts = [account(store.load("test", [name], end, START), name) for name in (BTC, "PEPE/USDT:USDT")]
    assert accounts[0] == accounts[1]


@given(
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=0, max_value=10**12),
        max_size=8,
    ),
    st.integers(-6, 6),
)
def test_column_times_a_power_of_ten_is_exact_and_canonical(values: list[Decimal], power: int) -> None:
    column = DecimalColumn.from_decimals(values).scaled(power)
    expected = [value.scaleb(power) for value in values]
    assert column.decimals() == expected
    assert column.exponent == DecimalColumn.from_decimals(expected).exponent
