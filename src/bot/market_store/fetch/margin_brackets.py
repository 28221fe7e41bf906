"""Margin brackets as exchanges publish them, with caps in the currency of a perp's notionals."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cached_property
from typing import Any

from bot.accounting.brackets import Bracket, Brackets, bracket_fault
from bot.errors import FetchError
from bot.market.rules import RowRefusedError, market_number
from bot.market_store.fetch.exchange_calls import ExchangeCalls
from bot.numbers.money import ONE, ZERO, book, exact

Tier = Mapping[str, Any]
"""Leverage tier as ccxt has it: `maxNotional`, `maintenanceMarginRate`, `maxLeverage`, numbers as text."""

WITHOUT_AMOUNTS = ("okx",)
"""Exchanges whose rate holds for the whole position, not for what lies above the cap before.

Source: OKX's position tiers, which have no amounts.
"""
_RATE_STEP = Decimal("1e-18")
_PRICE_DIGITS = Context(prec=2, rounding=ROUND_HALF_EVEN)
"""Digits of the price that turns contracts into notionals: more would add brackets at every move of it."""


def tiers_mode(exchange: str) -> dict[str, str]:
    """Return the parameters of ccxt's question for isolated margin's tiers."""
    return {"marginMode": "isolated"} if exchange == "okx" else {}


class PublishedTiers:
    """Leverage tiers of one exchange's perps, none where it needs an account's keys."""

    def __init__(self, calls: ExchangeCalls, exchange: str) -> None:
        self._calls = calls
        self._exchange = exchange

    def of(self, perp: Mapping[str, Any]) -> Sequence[Tier]:
        """Return the tiers of a perp in ccxt's market list, caps in quote, of an inverse one in coins."""
        try:
            if self._exchange == "hyperliquid":
                return self._of_table(perp)
            if self._calls.client.has.get("fetchMarketLeverageTiers") is not True:
                return []
            symbol = str(perp["symbol"])
            tiers = list(self._calls("fetch_market_leverage_tiers", symbol, tiers_mode(self._exchange)) or ())
            return self._in_notionals(perp, tiers) if self._exchange == "okx" else tiers
        except (FetchError, RowRefusedError, KeyError):
            return []

    def _of_table(self, perp: Mapping[str, Any]) -> list[Tier]:
        """Return the tiers of Hyperliquid's margin table: maintenance is half the initial margin.

        Source: Hyperliquid's margin tiers; tables that it does not list have one tier.
        """
        info = perp["info"]
        table = self._margin_tables.get(str(info.get("marginTableId")))
        steps = table or [{"lowerBound": "0", "maxLeverage": info["maxLeverage"]}]
        tiers: list[Tier] = []
        for step, above in zip(steps, [*steps[1:], {}], strict=True):
            leverage = market_number(str(step["maxLeverage"]), "maxLeverage")
            with exact():
                rate = (ONE / (2 * leverage)).quantize(_RATE_STEP)
            tiers.append(
                {
                    "maxNotional": above.get("lowerBound"),
                    "maintenanceMarginRate": rate,
                    "maxLeverage": leverage,
                }
            )
        return tiers

    @cached_property
    def _margin_tables(self) -> dict[str, Sequence[Mapping[str, Any]]]:
        meta = self._calls("public_post_info", {"type": "meta"})
        return {str(number): table["marginTiers"] for number, table in meta.get("marginTables", ())}

    def _in_notionals(self, perp: Mapping[str, Any], tiers: Iterable[Tier]) -> list[Tier]:
        """Return tiers whose caps count contracts with caps in notionals, at today's mark price."""
        told = self._calls("fetch_mark_price", perp["symbol"])["markPrice"]
        price = _PRICE_DIGITS.plus(market_number(str(told), "mark_price"))
        size = market_number(str(perp["contractSize"]), "contractSize")
        found: list[Tier] = []
        for tier in tiers:
            contracts = market_number(str(tier["maxNotional"]), "maxSz")
            with exact():
                cap = contracts * size / price if perp.get("inverse") else contracts * size * price
            found.append({**tier, "maxNotional": book(cap)})
        return found


def brackets_of(tiers: Iterable[Tier], *, continuous: bool) -> Brackets | None:
    """Return the brackets of leverage tiers, None where they are not such.

    `continuous`: the amount of each makes maintenance continuous at the cap below it, else there are none.
    Source: Bybit's margin parameters (deduction), Hyperliquid's margin tiers (maintenance deduction).
    """
    brackets: list[Bracket] = []
    try:
        for tier in tiers:
            mmr = market_number(str(tier["maintenanceMarginRate"]), "mmr")
            amount = _amount(brackets[-1], mmr) if brackets and continuous else ZERO
            brackets.append(Bracket(_number(tier, "maxNotional"), mmr, amount, _number(tier, "maxLeverage")))
    except (RowRefusedError, KeyError):
        return None
    return None if bracket_fault(brackets) else Brackets(brackets)


def _amount(below: Bracket, mmr: Decimal) -> Decimal:
    with exact():
        return below.amount + (below.cap or ZERO) * (mmr - below.mmr)


def _number(tier: Tier, name: str) -> Decimal | None:
    value = tier.get(name)
    return None if value is None else market_number(str(value), name)
