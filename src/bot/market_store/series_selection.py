"""Select the stored series a run reads: one timeframe a leg, and the spot market that hedges the perp."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.market.rows import SeriesKind
from bot.market.series import CandleSeries
from bot.market.symbols import multiplied
from bot.market_store.sql import HeldSeries
from bot.models import HOUR_MS

Extents = Mapping[int, tuple[int, int]]
"""The first and last time of each series, by its id."""

Window = tuple[int, int]
_TENTHS_ENOUGH = 9


def chosen_series(
    held: Iterable[HeldSeries], extents: Extents, symbol: str, window: Window | None
) -> list[HeldSeries]:
    """Return one series of each kind for a perp symbol; empty if nothing is held of it.

    Of several timeframes the hourly one, else the finest, that covers at least nine tenths of what the best
    one covers of the window; without a window the hourly one, else the finest. A multiplier contract
    without a spot market of its own is hedged by the coin's.
    """
    held = list(held)
    kinds = _by_kind(held, symbol)
    if kinds and SeriesKind.SPOT not in kinds:
        kinds.update(_spot_of_coin(held, symbol))
    return [_suited(candidates, extents, window) for candidates in kinds.values()]


def own_series(
    held: Iterable[HeldSeries], extents: Extents, symbol: str, window: Window | None
) -> list[HeldSeries]:
    """Return one series of each kind stored under a symbol, in the timeframes that `chosen_series` takes."""
    kinds = _by_kind(held, symbol)
    return [_suited(candidates, extents, window) for candidates in kinds.values()]


def spot_units(symbol: str, chosen: Iterable[HeldSeries]) -> int:
    """Return the number of spot coins in one unit of the perp: 1 but for multiplier contracts."""
    contract = multiplied(symbol)
    foreign = any(one.key.kind is SeriesKind.SPOT and one.key.symbol != symbol for one in chosen)
    return 10 ** contract[0] if contract and foreign else 1


def in_units(candles: CandleSeries, units: int) -> CandleSeries:
    """Return candles of a coin as candles of `units` coins (a power of ten): dearer, and fewer traded."""
    if units == 1:
        return candles
    power = len(str(units)) - 1
    prices = {name: getattr(candles, name).scaled(power) for name in ("open", "high", "low", "close")}
    return replace(candles, **prices, volume=candles.volume.scaled(-power))


def _by_kind(held: Iterable[HeldSeries], symbol: str) -> dict[SeriesKind, list[HeldSeries]]:
    kinds: dict[SeriesKind, list[HeldSeries]] = {}
    for one in held:
        if one.key.symbol == symbol:
            kinds.setdefault(one.key.kind, []).append(one)
    return kinds


def _spot_of_coin(held: Iterable[HeldSeries], symbol: str) -> dict[SeriesKind, list[HeldSeries]]:
    contract = multiplied(symbol)
    spot = _by_kind(held, contract[1]).get(SeriesKind.SPOT) if contract else None
    return {SeriesKind.SPOT: spot} if spot else {}


def _suited(candidates: list[HeldSeries], extents: Extents, window: Window | None) -> HeldSeries:
    ordered = sorted(candidates, key=lambda one: (one.key.timeframe_ms != HOUR_MS, one.key.timeframe_ms))
    covered = [_covered_ms(one, extents, window) for one in ordered]
    enough = max(covered) * _TENTHS_ENOUGH
    return next(one for one, ms in zip(ordered, covered, strict=True) if ms * 10 >= enough)


def _covered_ms(series: HeldSeries, extents: Extents, window: Window | None) -> int:
    if window is None or series.id not in extents:
        return 0
    first_ms, last_ms = extents[series.id]
    start_ms, end_ms = window
    return max(0, min(last_ms + series.key.timeframe_ms, end_ms) - max(first_ms, start_ms))
