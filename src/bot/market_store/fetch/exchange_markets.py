"""Pair in an exchange's market list: its two legs, trading rules and fees."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.errors import UnknownSymbolError
from bot.market.contracts import ContractKind, contract_of
from bot.market.symbols import inverse_symbol, multiplied, spot_symbol
from bot.market_store.sql import PublishedFees
from bot.models import Instrument
from bot.notation import quoted
from bot.numbers.money import dec

Market = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """A perp and the spot market that hedges it; `units` is how many spot coins one perp unit is.

    `spot_series` is the perp symbol under which the spot candles belong: the coin's own where that differs,
    of an inverse perp that of the linear one in USDT.
    """

    symbol: str
    perp: Market
    spot: Market | None
    spot_series: str
    units: int


def is_inverse(symbol: str) -> bool:
    """Return whether a perp symbol such as `BTC/USD:BTC` settles in coins."""
    return inverse_symbol(symbol) == symbol


def download_refusal(symbol: str) -> str | None:
    """Return the reason to refuse a name whatever the exchange lists, None if there is none."""
    if is_inverse(symbol):
        return None
    contract = contract_of(symbol)
    if contract.kind is ContractKind.INVERSE:
        return f"{quoted(symbol)} is named {contract.base}/USD:{contract.base} in downloads"
    return contract.refusal


def find_pair(markets: Mapping[str, Market], symbol: str) -> Pair:
    """Return the pair of a perp symbol; raises UnknownSymbolError if it is no such perpetual there."""
    if refusal := download_refusal(symbol):
        raise UnknownSymbolError.of("symbols", refusal)
    perp, kind = markets.get(symbol), "inverse" if is_inverse(symbol) else "linear"
    if perp is None or not perp.get("swap") or not perp.get(kind):
        near = sorted(name for name, one in markets.items() if one.get("swap") and _same_base(name, symbol))
        hint = f"; there are {', '.join(near[:5])}" if near else ""
        raise UnknownSymbolError.of("symbols", f"{quoted(symbol)} is no {kind} perpetual there{hint}")
    if kind == "inverse":
        coin = symbol.partition("/")[0]
        hedged_by = f"{coin}/USDT:USDT"
        return Pair(symbol, perp, _spot(markets, hedged_by), hedged_by, 1)
    spot = _spot(markets, symbol)
    contract = multiplied(symbol)
    if spot is None and contract is not None:
        power, coin = contract
        return Pair(symbol, perp, _spot(markets, coin), coin, 10**power)
    return Pair(symbol, perp, spot, symbol, 1)


def instrument_of(pair: Pair, maintenance_rate: Decimal | None) -> Instrument:
    """Return the trading rules in units of the perp: of each step and minimum the coarser leg's.

    Where the exchange names none, and for an unknown maintenance rate, the defaults stay. An inverse perp is
    ordered in contracts, not in coins.
    """
    usual = Instrument()
    mmr = usual.mmr if maintenance_rate is None else maintenance_rate
    if pair.perp.get("inverse"):
        worth = dec(str(pair.perp.get("contractSize") or usual.contract_size))
        return Instrument(contract_size=worth, mmr=mmr)
    size, units = dec(str(pair.perp.get("contractSize") or 1)), Decimal(pair.units)
    spot = pair.spot or {}
    return Instrument(
        qty_step=_coarser(usual.qty_step, (_step(spot), 1 / units), (_step(pair.perp), size)),
        min_qty=_coarser(
            usual.min_qty, (_least(spot, "amount"), 1 / units), (_least(pair.perp, "amount"), size)
        ),
        min_notional=_coarser(
            usual.min_notional, (_least(spot, "cost"), Decimal(1)), (_least(pair.perp, "cost"), Decimal(1))
        ),
        mmr=mmr,
        spot_active=spot.get("active") is not False,
    )


def fees_of(pair: Pair) -> PublishedFees:
    """Return the taker fees of the lowest tier."""
    return PublishedFees(_number((pair.spot or {}).get("taker")), _number(pair.perp.get("taker")))


def maintenance_rate(tiers: Any) -> Decimal | None:
    """Return the maintenance margin rate of the smallest positions, None where no tiers are published."""
    for tier in tiers or ():
        rate = _number(tier.get("maintenanceMarginRate"))
        if rate is not None and 0 < rate < 1:
            return rate
    return None


def hyperliquid_maintenance_rate(perp: Market) -> Decimal | None:
    """Return half the initial margin rate at the highest leverage, which is Hyperliquid's rule."""
    highest = _number(((perp.get("limits") or {}).get("leverage") or {}).get("max"))
    highest = highest or _number((perp.get("info") or {}).get("maxLeverage"))
    return None if not highest else 1 / (2 * highest)


def _spot(markets: Mapping[str, Market], perp: str) -> Market | None:
    found = markets.get(spot_symbol(perp))
    return found if found is not None and found.get("spot") else None


def _same_base(name: str, symbol: str) -> bool:
    return name.partition("/")[0] == symbol.partition("/")[0]


def _step(market: Market) -> Decimal | None:
    return _number((market.get("precision") or {}).get("amount"))


def _least(market: Market, what: str) -> Decimal | None:
    return _number(((market.get("limits") or {}).get(what) or {}).get("min"))


def _number(value: Any) -> Decimal | None:
    return None if value is None else dec(str(value))


def _coarser(usual: Decimal, *legs: tuple[Decimal | None, Decimal]) -> Decimal:
    known = [value * unit for value, unit in legs if value]
    return max(known, default=usual)
