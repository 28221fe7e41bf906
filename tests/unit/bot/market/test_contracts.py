"""Names of markets: linear perpetuals get their symbol, all other contracts a refusal by name."""

import pytest

from bot.errors import DataImportError, UndecidedContractError, UnmodelledContractError
from bot.market.contracts import ContractKind, Venue, contract_of
from bot.notation import quoted

LINEAR = {
    "BTCUSDT": "BTC/USDT:USDT",
    "btc-usdt-swap": "BTC/USDT:USDT",
    "BTC_USDT": "BTC/USDT:USDT",
    "BTC/USDT": "BTC/USDT:USDT",
    "BTC/USDT:USDT": "BTC/USDT:USDT",
    "BTC/USD:USD": "BTC/USD:USD",
    "BTC/USD:USDC": "BTC/USD:USD",
    "BTCUSDT_PERP": "BTC/USDT:USDT",
    "BTCUSDT-PERP": "BTC/USDT:USDT",
    "BTCUSDT.P": "BTC/USDT:USDT",
    "BTC-USDT-PERP": "BTC/USDT:USDT",
    "BTC_USDC-PERPETUAL": "BTC/USDC:USDC",
    "BTC-PERP-INTX": "BTC/USDC:USDC",
    "BTC-USD_UM-SWAP": "BTC/USD:USD",
    "BTCUSDT_UMCBL": "BTC/USDT:USDT",
    "BTCPERP_CMCBL": "BTC/USDC:USDC",
    "PF_XBTUSD": "BTC/USD:USD",
    "XBTUSDTM": "BTC/USDT:USDT",
    "ETHBTC": "ETH/BTC:BTC",
    "1000PEPEUSDT": "1000PEPE/USDT:USDT",
    "SHIB1000USDT": "SHIB1000/USDT:USDT",
    "kPEPEUSDC": "kPEPE/USDC:USDC",
    "kPEPE/USDC:USDC": "kPEPE/USDC:USDC",
    "PERPUSDT": "PERP/USDT:USDT",
    "PERP-USDT-SWAP": "PERP/USDT:USDT",
    "SWAP-USDT-SWAP": "SWAP/USDT:USDT",
    "BTCTUSD": "BTC/TUSD:TUSD",
}
INVERSE = (
    *("BTCUSD_PERP", "BTC/USD:BTC", "BTC-USD-SWAP", "BTC_USD_BTC", "PI_XBTUSD"),
    *("BTC-PERPETUAL", "ETH-PERPETUAL", "BTCUSD_DMCBL", "XBTUSDM", "BTC/USDT:BTC"),
)
DATED = (
    *("BTC-USDT-240927", "BTCUSDT_240329", "BTCUSD_240329", "BTC/USDT:USDT-240927", "BTCUSDT-26SEP25"),
    *("BTC-26SEP25", "BTC-27SEP24", "BTC_USDC-27SEP24", "BTCUSDH25", "XBTH24", "BTC240927", "BTC-0327"),
    *("FI_XBTUSD_240927", "FF_XBTUSD_240927", "BTC_USDT_20240927", "BTC_CQ", "BTC-USDT-CW"),
    *("BTC-USDT-FUTURES", "BTCUSD_CURRENT_QUARTER"),
)
OPTIONS = (
    *("BTC-27SEP24-60000-C", "BTC-240927-60000-P", "BTC-26SEP25-60000-C-USDT", "BTC-USD-240927-60000-C"),
    *("BTC/USD:BTC-240927-60000-C", "XRP_USDC-27SEP24-0d5-C"),
)


@pytest.mark.parametrize(("name", "symbol"), LINEAR.items())
def test_linear_perpetual_gets_its_symbol(name: str, symbol: str) -> None:
    assert contract_of(name).symbol() == symbol


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (INVERSE, "coin-margined contracts are read from canonical files only"),
        (DATED, "dated futures are not modelled"),
        (OPTIONS, "options are not modelled"),
        (("ETH/USD:BTC",), "contracts settled in a third currency are not modelled"),
    ],
)
@pytest.mark.parametrize("venue", Venue)
def test_other_contract_is_refused_by_name_wherever_it_comes_from(
    names: tuple[str, ...], sentence: str, venue: Venue
) -> None:
    for name in names:
        with pytest.raises(UnmodelledContractError) as refusal:
            contract_of(name, venue).symbol()
        assert refusal.value.message == f"{sentence}: {quoted(name)}"


@pytest.mark.parametrize("name", ["BTCUSD", "BTC-USD", "BTC_USD", "XBTUSD", "DOTUSD", "BTC-USD-PERP"])
def test_contract_quoted_in_dollars_depends_on_its_venue(name: str) -> None:
    kinds = {venue: contract_of(name, venue).kind for venue in Venue}
    assert kinds[Venue.BINANCE] is kinds[Venue.BYBIT] is ContractKind.INVERSE
    assert kinds[Venue.DYDX] is kinds[Venue.DECLARED] is ContractKind.LINEAR
    assert kinds[Venue.UNKNOWN] is kinds[Venue.OKX] is ContractKind.UNDECIDED


def test_undecided_name_asks_for_the_symbol_that_it_may_be() -> None:
    with pytest.raises(UndecidedContractError) as refusal:
        contract_of("BTC-USD").symbol()
    assert refusal.value.message == (
        '"BTC-USD" does not say whether it is coin-margined; if it is linear, say --symbol BTC/USD:USD'
    )
    with pytest.raises(UndecidedContractError) as refusal:
        contract_of("BTCPERP").symbol()
    assert refusal.value.message == (
        '"BTCPERP" does not say what it is quoted in; say it with --symbol BTC/USDC:USDC'
    )
    assert contract_of("BTCPERP", Venue.BYBIT).symbol() == "BTC/USDC:USDC"


@pytest.mark.parametrize("name", ["", "USDT", "BTCXYZ", "BTC\nUSDT", "BTCUSD_FOO", "=cmd()", "@107"])
def test_what_is_no_market_name_is_refused(name: str) -> None:
    with pytest.raises(DataImportError, match="is no market name such as BTCUSDT"):
        contract_of(name).symbol()
