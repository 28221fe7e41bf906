import pytest

from bot.errors import DataImportError, InvalidInputError
from bot.market.symbols import exchange_name, market_symbol, perp_symbol, spot_symbol


@pytest.mark.parametrize(
    ("market", "symbol"),
    [
        ("BTCUSDT", "BTC/USDT:USDT"),
        ("BTCUSDC", "BTC/USDC:USDC"),
        ("1000PEPEUSDT", "1000PEPE/USDT:USDT"),
        ("BTCFDUSD", "BTC/FDUSD:FDUSD"),
        ("BTCUSD", "BTC/USD:USD"),
        ("USDCUSDT", "USDC/USDT:USDT"),
        ("ETHBTC", "ETH/BTC:BTC"),
    ],
)
def test_market_name_gives_the_unified_symbol(market: str, symbol: str) -> None:
    assert perp_symbol(market) == symbol


@pytest.mark.parametrize("market", ["USDT", "BTCXYZ", "", "btcusdt", "BTC/USDT", "BTC\nUSDT"])
def test_name_without_base_or_known_quote_is_refused(market: str) -> None:
    with pytest.raises(DataImportError, match="is no market name"):
        perp_symbol(market)


def test_spot_symbol_is_the_pair_without_settlement_currency() -> None:
    assert spot_symbol("BTC/USDT:USDT") == "BTC/USDT"


@pytest.mark.parametrize(
    "name", ["", "Binance", "../x", "a b", "x" * 65, "synthetic", "synthetic-2", "binance\n"]
)
def test_name_that_cannot_be_a_data_set_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^exchange: "):
        exchange_name(name)


@pytest.mark.parametrize("base", ["BTC", "BNB", "ARB", "SHIB"])
def test_the_stem_of_an_inverse_market_is_not_read_as_one_quoted_in_another_coin(base: str) -> None:
    assert market_symbol(f"{base}USD_PERP") == f"{base}/USD:{base}"
