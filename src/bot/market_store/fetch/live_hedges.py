"""Live markets of hedges on one exchange: the spot markets and perpetuals that legs name, each on its own."""

from collections.abc import Sequence
from decimal import Decimal

from bot.clock import Clock
from bot.errors import InvalidInputError, UnknownSymbolError
from bot.market.hedge_names import Hedge, Market, spot_alternative
from bot.market.rows import Rows, SeriesKind
from bot.market_store.fetch.exchange_markets import Market as Listed
from bot.market_store.fetch.exchange_markets import Pair, instrument_of
from bot.market_store.fetch.live_borrowing import LiveBorrowing
from bot.market_store.fetch.live_exchange import LiveExchange
from bot.models import HOUR_MS
from bot.notation import quoted
from bot.paper.feed import Listing


class LiveHedgeExchange(LiveExchange):
    """Hourly candles and settlements of the markets of `hedges` on one exchange, as it counts them.

    Rows are told under the symbol of a pair, as they are stored: of spot that of the linear perpetual.
    `borrowing` keeps the rates of borrowed coins current.
    """

    def __init__(
        self,
        name: str,
        hedges: Sequence[Hedge],
        wall: Clock,
        api_url: str | None = None,
        borrowing: LiveBorrowing | None = None,
    ) -> None:
        perps = [leg for hedge in hedges for leg in hedge.perps]
        super().__init__(name, wall, api_url, inverse=any(leg.kind == "inverse" for leg in perps))
        self._name = name
        self._hedges = hedges
        self._borrowing = borrowing

    @property
    def symbols(self) -> list[str]:
        """Symbols of the pairs that its legs may belong to."""
        markets = [
            leg
            for hedge in self._hedges
            for leg in (*hedge.legs, spot_alternative(hedge))
            if leg is not None and leg.exchange == self._name
        ]
        return [*dict.fromkeys(market.pair for market in markets)]

    async def listings(self, symbols: Sequence[str]) -> dict[str, Listing]:  # noqa: ARG002
        """Return rules and series of the markets that legs name, by the symbol of their pair.

        Raises: UnknownSymbolError naming a market that is not traded there.
        """
        await self._call("load_markets")
        spots: dict[str, Listed] = {}
        perps: dict[str, Listed] = {}
        for hedge in self._hedges:
            for leg in hedge.legs:
                if leg.exchange == self._name and leg.kind == "spot":
                    market, found = self._spot(hedge, leg)
                    spots[market.pair] = found
                elif leg.exchange == self._name:
                    perps[leg.pair] = self._perp(leg)
        return {
            symbol: await self._listed(symbol, perps.get(symbol), spots.get(symbol))
            for symbol in dict.fromkeys((*spots, *perps))
        }

    async def candles(self, symbol: str, kind: SeriesKind, from_ms: int, now_ms: int) -> Rows:
        """Return the candles that opened since `from_ms` and have closed by `now_ms`.

        With the spot candles of a coin that is borrowed its rates are taken in, so that they are known first.
        """
        if kind is SeriesKind.SPOT and self._borrowing is not None:
            await self._borrowing.take(self._call, symbol, now_ms)
        return await super().candles(symbol, kind, from_ms, now_ms)

    def _spot(self, hedge: Hedge, named: Market) -> tuple[Market, Listed]:
        other = spot_alternative(hedge)
        for market in (named, *([] if other is None else [other])):
            found = self._client.markets.get(market.symbol)
            if found is not None and found.get("spot"):
                return market, found
        raise self._unknown(named, "spot market")

    def _perp(self, leg: Market) -> Listed:
        found: Listed | None = self._client.markets.get(leg.symbol)
        if found is None or not found.get("swap") or not found.get(leg.kind):
            raise self._unknown(leg, f"{leg.kind} perpetual")
        return found

    def _unknown(self, market: Market, what: str) -> InvalidInputError:
        return UnknownSymbolError.of("symbols", f"{quoted(market.symbol)} is no {what} of {self._name}")

    async def _listed(self, symbol: str, perp: Listed | None, spot: Listed | None) -> Listing:
        pair = self._pairs[symbol] = Pair(symbol, perp or {}, spot, symbol, 1)
        kinds = [] if spot is None else [SeriesKind.SPOT]
        rate: Decimal | None = None
        if perp is not None:
            kinds.append(SeriesKind.PERP)
            if self._client.has.get("fetchMarkOHLCV"):
                kinds.append(SeriesKind.MARK)
            rate = await self._maintenance_rate(pair)
        return Listing(instrument_of(pair, rate), dict.fromkeys(kinds, HOUR_MS), settles=perp is not None)
