import pytest

from bot.errors import InvalidInputError
from bot.market_names import Market, market_of, market_order, quote_of
from bot.notation import quoted


@pytest.mark.parametrize(
    ("symbol", "kind", "pair"),
    [
        ("BTC/USDT", "spot", "BTC/USDT:USDT"),
        ("BTC/USDT:USDT", "linear", "BTC/USDT:USDT"),
        ("BTC/USD:USDC", "linear", "BTC/USD:USDC"),
        ("BTC/USD:BTC", "inverse", "BTC/USD:BTC"),
        ("ETH/BTC:BTC", "linear", "ETH/BTC:BTC"),
        ("1000PEPE/USDT", "spot", "1000PEPE/USDT:USDT"),
    ],
)
def test_market_has_the_kind_that_its_settlement_says_and_the_pair_of_its_rows(
    symbol: str, kind: str, pair: str
) -> None:
    market = market_of("binance", symbol)
    assert (market.kind, market.pair, market.exchange) == (kind, pair, "binance")


@pytest.mark.parametrize(
    ("symbol", "base", "quote", "coin", "units"),
    [
        ("BTC/USDT", "BTC", "USDT", "BTC", 1),
        ("BTC/USD:BTC", "BTC", "USD", "BTC", 1),
        ("1000PEPE/USDT:USDT", "1000PEPE", "USDT", "PEPE", 1000),
        ("SHIB1000/USDT:USDT", "SHIB1000", "USDT", "SHIB", 1000),
        ("1MBABYDOGE/USDT:USDT", "1MBABYDOGE", "USDT", "BABYDOGE", 1_000_000),
        ("kPEPE/USDC:USDC", "kPEPE", "USDC", "PEPE", 1000),
        ("1INCH/USDT:USDT", "1INCH", "USDT", "1INCH", 1),
    ],
)
def test_market_names_coin_quote_and_units(symbol: str, base: str, quote: str, coin: str, units: int) -> None:
    market = Market("binance", symbol)
    assert (market.base, market.quote, market.coin, market.named_units) == (base, quote, coin, units)


@pytest.mark.parametrize(
    "symbol", ["BTCUSDT", "", "BTC/", "/USDT", "BTC/USDT:", "BTC/USDT:USDT:USDT", "BTC/USDT@bybit", "A>B"]
)
def test_text_that_is_no_unified_symbol_is_refused_by_value(symbol: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        market_of("binance", symbol)
    assert refused.value.message == (
        f"symbols: {quoted(symbol)} is no market such as BTC/USDT, BTC/USDT:USDT or BTC/USD:BTC"
    )


@pytest.mark.parametrize("symbol", ["BTC/USD:ETH", "BTC/USDT:USDT-261225"])
def test_quanto_and_dated_contracts_are_refused_by_value(symbol: str) -> None:
    with pytest.raises(
        InvalidInputError, match=f'^symbols: "{symbol}" is no perpetual: it is settled neither in'
    ):
        market_of("binance", symbol)


def test_lists_begin_with_the_usual_linear_pairs_and_end_with_inverse_ones() -> None:
    listed = ["BTC/USD:BTC", "ETH/USDC:USDC", "ETH/USDT:USDT", "BTC/USDT:USDT", "ADA/USD:ADA"]
    usual = ["BTC/USDT:USDT", "ETH/USDT:USDT", "ETH/USDC:USDC"]
    assert sorted(listed, key=market_order) == [*usual, "ADA/USD:ADA", "BTC/USD:BTC"]


@pytest.mark.parametrize(
    ("symbols", "unit"),
    [
        (["BTC/USDT:USDT", "ETH/USDT:USDT"], "USDT"),
        (["binance@BTC/USDT:USDT<>bybit@BTC/USDC:USDC"], "USD"),
        (["BTC/USDT:USDT", "ETH/EUR:EUR"], "quote"),
    ],
)
def test_amounts_are_in_the_quote_that_all_symbols_share(symbols: list[str], unit: str) -> None:
    assert quote_of(symbols) == unit
