"""Recorded history of the markets that the hedges of a run are made of, of one exchange or of several."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.market.hedge_names import Hedge, spot_alternative
from bot.market.records.contract_life import Epoch
from bot.market.records.recorded import RecordedRows
from bot.market.series import SymbolData
from bot.market.symbols import market_symbol

PairKey = tuple[str, str]
"""Exchange and perp symbol of a pair: (`binance`, `BTC/USDT:USDT`), (`binance`, `BTC/USD:BTC`)."""


def wanted_pairs(hedges: Iterable[Hedge]) -> set[PairKey]:
    """Return the pairs of the legs of hedges, and of spot markets that may stand in for a leg."""
    markets = [leg for hedge in hedges for leg in (*hedge.legs, spot_alternative(hedge)) if leg is not None]
    return {(market.exchange, market.pair) for market in markets}


def named_pairs(epochs: Iterable[Epoch]) -> set[str]:
    """Return the perp symbols of the pairs whose rows epochs name by `stem`."""
    return {market_symbol(epoch.stem) for epoch in epochs if epoch.stem is not None}


@dataclass(frozen=True, slots=True, eq=False)
class HedgeData:
    """The pairs held of those that a run's hedges name, up to `end_ms` and nothing later.

    A pair is the markets that share a file stem: a perp with its marks and settlements, and the spot market
    of the same coin and quote; series that are not held are empty, and a pair of which nothing is held is
    absent. Prices and volumes are as recorded, `spot_units` 1: hedges count in units of their own. The pairs
    that recorded lives name by `stem` are among them. `exchanges` has the fee schedules of each exchange
    whose schedules are held. `exchange` is the run's own. `fingerprint` is a hex SHA-256 over everything
    here.
    """

    exchange: str
    end_ms: int
    pairs: Mapping[PairKey, SymbolData]
    exchanges: Mapping[str, RecordedRows] = field(default_factory=dict)
    fingerprint: str = ""
