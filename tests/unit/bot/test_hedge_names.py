import pytest

from bot.errors import InvalidInputError
from bot.hedge_names import Hedge, HedgeStructure, hedges_of, spot_alternative
from bot.market_names import Market

SPOT, LINEAR, INVERSE = "BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"


def _on(exchange: str, symbol: str) -> Market:
    return Market(exchange, symbol)


@pytest.mark.parametrize(
    ("structure", "name", "long", "short"),
    [
        ("spot_perp", LINEAR, _on("one", SPOT), _on("two", LINEAR)),
        ("reverse", LINEAR, _on("one", LINEAR), _on("two", SPOT)),
        ("perp_perp", LINEAR, _on("one", LINEAR), _on("two", LINEAR)),
        ("inverse", INVERSE, _on("one", SPOT), _on("two", INVERSE)),
        ("inverse", "XBT/EUR:XBT", _on("one", "XBT/EUR"), _on("two", "XBT/EUR:XBT")),
    ],
)
def test_short_name_stands_for_the_legs_of_its_structure(
    structure: HedgeStructure, name: str, long: Market, short: Market
) -> None:
    hedges = hedges_of([name], structure, "main", "one", "two")
    assert hedges == (Hedge(name, long, short, is_short_name=True),)


def test_legs_without_exchange_are_on_that_of_the_run() -> None:
    hedges = hedges_of([LINEAR, "ETH/USDT>ETH/USDC:USDC@bybit"], "spot_perp", "binance")
    assert hedges == (
        Hedge(LINEAR, _on("binance", SPOT), _on("binance", LINEAR), is_short_name=True),
        Hedge("ETH/USDT>ETH/USDC:USDC@bybit", _on("binance", "ETH/USDT"), _on("bybit", "ETH/USDC:USDC")),
    )


def test_full_name_has_each_leg_on_the_exchange_after_at_else_on_that_of_its_side() -> None:
    hedges = hedges_of([f"{SPOT}@okx>{LINEAR}"], "spot_perp", "main", "one", "two")
    assert hedges == (Hedge(f"{SPOT}@okx>{LINEAR}", _on("okx", SPOT), _on("two", LINEAR)),)


def test_both_directions_are_two_hedges_called_by_their_direction() -> None:
    hedges = hedges_of([f"{LINEAR}@binance<>{LINEAR}@bybit"], "perp_perp", "binance")
    assert hedges == (
        Hedge(f"{LINEAR}@binance>{LINEAR}@bybit", _on("binance", LINEAR), _on("bybit", LINEAR)),
        Hedge(f"{LINEAR}@bybit>{LINEAR}@binance", _on("bybit", LINEAR), _on("binance", LINEAR)),
    )


def test_two_quotes_of_one_exchange_make_a_hedge_of_perpetuals() -> None:
    (hedge,) = hedges_of(["BTC/USDC:USDC>BTC/USDT:USDT"], "perp_perp", "binance")
    assert hedge.perps == (_on("binance", "BTC/USDC:USDC"), _on("binance", LINEAR))
    assert hedge.spot is None


def test_units_follow_names_only_where_legs_name_their_coin_differently() -> None:
    both, spot, exchanges = hedges_of(
        [
            "1000PEPE/USDT>1000PEPE/USDT:USDT",
            "SHIB/USDT>1000SHIB/USDT:USDT",
            "BONK/USDC>kBONK/USDC:USDC@hyperliquid",
        ],
        "spot_perp",
        "binance",
    )
    assert [hedge.named_units for hedge in (both, spot, exchanges)] == [(1, 1), (1, 1000), (1, 1000)]


@pytest.mark.parametrize(
    ("structure", "spot", "long", "short"),
    [
        ("spot_perp", "PEPE/USDT", "PEPE/USDT", "1000PEPE/USDT:USDT"),
        ("reverse", "PEPE/USDT", "1000PEPE/USDT:USDT", "PEPE/USDT"),
    ],
)
def test_short_name_of_a_multiplier_has_the_coin_as_alternative_spot_market(
    structure: HedgeStructure, spot: str, long: str, short: str
) -> None:
    (hedge,) = hedges_of(["1000PEPE/USDT:USDT"], structure, "binance")
    other = spot_alternative(hedge)
    assert other == _on("binance", spot)
    assert other is not None
    changed = hedge.with_spot(other)
    assert changed.legs == (_on("binance", long), _on("binance", short))
    assert changed.name == "1000PEPE/USDT:USDT"


@pytest.mark.parametrize(
    ("structure", "name"),
    [
        ("spot_perp", LINEAR),
        ("spot_perp", "1000PEPE/USDT>1000PEPE/USDT:USDT"),
        ("perp_perp", "1000PEPE/USDT:USDT"),
        ("inverse", INVERSE),
    ],
)
def test_other_names_have_no_alternative_spot_market(structure: HedgeStructure, name: str) -> None:
    (hedge,) = hedges_of([name], structure, "binance", short_exchange="bybit")
    assert spot_alternative(hedge) is None


@pytest.mark.parametrize(
    ("structure", "names", "message"),
    [
        (
            "spot_perp",
            [INVERSE],
            '"BTC/USD:BTC": an inverse perpetual, but a short name under spot_perp is a linear perpetual',
        ),
        (
            "reverse",
            [SPOT],
            '"BTC/USDT": a spot market, but a short name under reverse is a linear perpetual',
        ),
        (
            "inverse",
            [LINEAR],
            '"BTC/USDT:USDT": a linear perpetual, but a short name under inverse is an inverse perpetual',
        ),
        (
            "perp_perp",
            [LINEAR],
            (
                '"BTC/USDT:USDT": one market on one exchange: '
                "name long_exchange and short_exchange, or both legs"
            ),
        ),
        (
            "spot_perp",
            [f"{LINEAR}>{SPOT}"],
            (
                '"BTC/USDT:USDT>BTC/USDT": BTC/USDT:USDT is a linear perpetual, '
                "but the long leg under spot_perp is a spot market"
            ),
        ),
        (
            "inverse",
            [f"{SPOT}>{LINEAR}"],
            (
                '"BTC/USDT>BTC/USDT:USDT": BTC/USDT:USDT is a linear perpetual, '
                "but the short leg under inverse is an inverse perpetual"
            ),
        ),
        (
            "reverse",
            [f"{LINEAR}<>{SPOT}"],
            (
                '"BTC/USDT:USDT<>BTC/USDT": BTC/USDT is a spot market, '
                "but the long leg under reverse is a linear perpetual"
            ),
        ),
        ("perp_perp", [f"{LINEAR}>{LINEAR}"], '"BTC/USDT:USDT>BTC/USDT:USDT": one market as both legs'),
        (
            "spot_perp",
            ["BTC/USDT>ETH/USDT:USDT"],
            '"BTC/USDT>ETH/USDT:USDT": its legs are of two coins, BTC and ETH',
        ),
        (
            "spot_perp",
            ["ETH/BTC>ETH/USDT:USDT"],
            '"ETH/BTC>ETH/USDT:USDT": its legs are quoted in BTC and USDT',
        ),
        (
            "spot_perp",
            [LINEAR, f"{SPOT}>{LINEAR}"],
            '"BTC/USDT>BTC/USDT:USDT": the hedge "BTC/USDT:USDT" is named twice',
        ),
        (
            "perp_perp",
            [f"{LINEAR}@a<>{LINEAR}@b", f"{LINEAR}@b>{LINEAR}@a"],
            '"BTC/USDT:USDT@b>BTC/USDT:USDT@a": the hedge "BTC/USDT:USDT@b>BTC/USDT:USDT@a" is named twice',
        ),
        (
            "spot_perp",
            [f"{LINEAR}@bybit"],
            '"BTC/USDT:USDT@bybit": a short name has no exchange, write LONG@exchange>SHORT@exchange',
        ),
        (
            "spot_perp",
            [f"{SPOT}@>{LINEAR}"],
            '"BTC/USDT@>BTC/USDT:USDT": "" after @ is no name of an exchange such as binance',
        ),
        (
            "spot_perp",
            [f"{SPOT}>{LINEAR}>{LINEAR}"],
            (
                '"BTC/USDT>BTC/USDT:USDT>BTC/USDT:USDT": "BTC/USDT:USDT>BTC/USDT:USDT" '
                "is no market such as BTC/USDT, BTC/USDT:USDT or BTC/USD:BTC"
            ),
        ),
        (
            "spot_perp",
            ["BTCUSDT"],
            '"BTCUSDT" is no market such as BTC/USDT, BTC/USDT:USDT or BTC/USD:BTC',
        ),
    ],
)
def test_names_that_make_no_hedge_are_refused_by_value(
    structure: HedgeStructure, names: list[str], message: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        hedges_of(names, structure, "binance")
    assert refused.value.message == f"symbols: {message}"


@pytest.mark.parametrize("exchange", ["a@b", "b>c", "Bybit", " bybit"])
def test_exchange_of_a_leg_that_can_name_none_is_refused(exchange: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^symbols: "):
        hedges_of([f"{SPOT}>{LINEAR}@{exchange}"], "spot_perp", "binance")
