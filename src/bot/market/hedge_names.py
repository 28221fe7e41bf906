"""Names of hedges for what loads and trades them; parameters are checked by the same code, a layer below."""

from bot.hedge_names import (
    STRUCTURES,
    Hedge,
    HedgeStructure,
    hedges_of,
    is_full_name,
    spot_alternative,
)
from bot.market_names import DOLLARS, Market, MarketKind, market_of

__all__ = [
    "DOLLARS",
    "STRUCTURES",
    "Hedge",
    "HedgeStructure",
    "Market",
    "MarketKind",
    "hedges_of",
    "is_full_name",
    "market_of",
    "spot_alternative",
]
