"""Recorded fee schedules of an exchange: maker and taker rates by kind of market and tier."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from bot.market.records.dated import DatedRows
from bot.market.records.fields import (
    Values,
    beginning_ms,
    number,
    refuse_unknown_fields,
    required,
)
from bot.market.rules import RowRefusedError
from bot.notation import quoted
from bot.numbers.money import plain

FIELDS = ("from_ms", "market", "tier", "min_volume", "maker", "taker")
MARKETS = ("spot", "linear", "inverse")
AUTO = "auto"
"""Tier that follows from the volume traded."""
_LONGEST_TIER = 64


class FeeRow(NamedTuple):
    """Fee rates of one tier of a kind of market from `from_ms` on, fractions of the notional.

    The tier is for accounts that traded at least `min_volume` in 30 days, quote currency.
    """

    from_ms: int
    market: str
    tier: str
    min_volume: Decimal
    maker: Decimal
    taker: Decimal


class FeeTable:
    """Fee schedules of an exchange; a row is in force until the next of its market and tier.

    Source: docs/domain.md, section 13.
    """

    __slots__ = ("_tiers",)

    def __init__(self, rows: Iterable[FeeRow]) -> None:
        tiers: dict[str, dict[str, list[FeeRow]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            tiers[row.market][row.tier].append(row)
        self._tiers = {
            market: {tier: DatedRows(sorted(own)) for tier, own in found.items()}
            for market, found in tiers.items()
        }

    def of_tier(self, market: str, tier: str, t_ms: int) -> FeeRow | None:
        """Return the row of a tier in force at `t_ms`, None without one."""
        dated = self._tiers.get(market, {}).get(tier)
        return None if dated is None else dated.in_force(t_ms)

    def of_volume(self, market: str, volume: Decimal, t_ms: int) -> FeeRow | None:
        """Return the newest row of the highest tier that `volume` reaches, None without one."""
        newest = [dated.in_force(t_ms) for dated in self._tiers.get(market, {}).values()]
        reached = [row for row in newest if row is not None and row.min_volume <= volume]
        return max(reached, key=lambda row: row.min_volume, default=None)

    def changes(self, market: str) -> list[int]:
        """Return the times at which rows of a kind of market begin, ascending."""
        tiers = self._tiers.get(market, {}).values()
        return sorted({row.from_ms for dated in tiers for row in dated.rows})


def parse_fee_row(values: object) -> FeeRow:
    """Return a row of a file; raises RowRefusedError naming field and value."""
    row = refuse_unknown_fields(values, FIELDS)
    market, tier = required(row, "market"), required(row, "tier")
    if market not in MARKETS:
        raise RowRefusedError(f"market {quoted(market)} is none of {', '.join(MARKETS)}")
    if tier == AUTO or not tier.isprintable() or len(tier) > _LONGEST_TIER:
        raise RowRefusedError(f"tier {quoted(tier)} is no name of a tier")
    least, maker, taker = (number(row, name) for name in ("min_volume", "maker", "taker"))
    if least < 0:
        raise RowRefusedError(f"min_volume {quoted(row['min_volume'])} is negative")
    if not -1 < maker < 1:
        raise RowRefusedError(f"maker {quoted(row['maker'])} is not above -1 and below 1")
    if not 0 <= taker < 1:
        raise RowRefusedError(f"taker {quoted(row['taker'])} is not at least 0 and below 1")
    return FeeRow(beginning_ms(row, "from_ms"), market, tier, least, maker, taker)


def fee_row_document(row: FeeRow) -> Values:
    """Return a row as `parse_fee_row` reads it, one text for each number."""
    return {
        "from_ms": str(row.from_ms),
        "market": row.market,
        "tier": row.tier,
        "min_volume": plain(row.min_volume),
        "maker": plain(row.maker),
        "taker": plain(row.taker),
    }


def fee_part(row: FeeRow) -> str:
    """Return kind of market and tier of a row."""
    return f"{row.market} {row.tier}"
