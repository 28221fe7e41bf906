"""Downloads of inverse perps: what their contract is worth, and volumes in coins."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from exchange_server import DIALECTS, HOUR_MS, ExchangeServer, ServedPair, serving
from fetching import (
    HOURS,
    NOW,
    RULES,
    candles,
    fetched,
    served_pair,
    settlements,
)

from bot.errors import UnknownSymbolError
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market_store.store import HistoricalDataStore


@pytest.fixture
def binance() -> Iterator[ExchangeServer]:
    with serving(DIALECTS["binance"](served_pair("binance"), NOW)) as server:
        yield server


INVERSE = "BTC/USD:BTC"
CONTRACTS = {"binance": "100", "bybit": "1", "okx": "100"}
SPOT_STEPS = {"binance": "0.00001", "bybit": "0.000001", "okx": "0.00001"}
INVERSE_BRACKETS = {
    "bybit": (("2000000", "0.01", "0", "50"), ("3000000", "0.015", "10000", "33.3")),
    # 1000 contracts of 100 dollars, at a mark price of 104.7 that is rounded to 100.
    "okx": (("1000", "0.004", "0", "100"), ("5000", "0.01", "0", "50")),
}
"""Caps in coins."""


def served_inverse(exchange: str) -> ServedPair:
    pair = served_pair(exchange)
    pair.inverse = True
    return pair


@pytest.mark.parametrize("exchange", CONTRACTS)
def test_an_inverse_perp_arrives_with_its_contracts_and_volumes_in_coins_and_the_coin_as_spot(
    store: HistoricalDataStore, exchange: str
) -> None:
    with serving(DIALECTS[exchange](served_inverse(exchange), NOW)) as server:
        report = fetched(server, store, since=NOW - 72 * HOUR_MS, symbol=INVERSE)
    assert not any(one.refused for one in report.series)
    spot, perp = (exchange, "BTC/USDT:USDT"), (exchange, INVERSE)
    data = store.load_hedges(exchange, [spot, perp], NOW)
    rows, coin = data.pairs[perp], data.pairs[spot]
    assert rows.perp.close.decimal(-1) == Decimal(candles(101, HOURS)[-1][4])
    assert rows.perp.volume.decimal(-1) == Decimal(candles(101, HOURS)[-1][5])
    assert rows.mark is not None
    assert rows.funding.rates.decimal(-1) == Decimal(settlements()[-1][1])
    assert coin.spot.close.decimal(-1) == Decimal(candles(100, HOURS)[-1][4])
    assert rows.instrument.contract_size == Decimal(CONTRACTS[exchange])
    assert coin.instrument.qty_step == Decimal(SPOT_STEPS[exchange])
    assert f"{RULES[exchange][3]}" == str(rows.instrument.mmr)
    held = store.records(RecordKey(exchange, INVERSE, RecordKind.BRACKETS))
    assert [
        tuple(None if value is None else str(value) for value in one) for row in held for one in row.brackets
    ] == list(INVERSE_BRACKETS.get(exchange, ()))
    fees = store.records(RecordKey(exchange, "", RecordKind.FEES))
    assert {row.market for row in fees} == {"spot", "inverse"}


def test_an_inverse_perp_written_another_way_is_named_in_the_refusal(
    binance: ExchangeServer, store: HistoricalDataStore
) -> None:
    with pytest.raises(UnknownSymbolError) as refused:
        fetched(binance, store, symbol="BTCUSD_PERP")
    assert refused.value.errors[0].message == '"BTCUSD_PERP" is named BTC/USD:BTC in downloads'
