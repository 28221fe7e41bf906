"""Judgement of the later days of a run: are they consistent with the earlier ones."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from bot.config.hedge_checks import needs_hedge_engine
from bot.config.run_config import RunConfig
from bot.hedges.runs import AnyRun
from bot.hedges.window import covered_hedges
from bot.market.hedge_data import wanted_pairs
from bot.market.series import SymbolData
from bot.market_store.held_history import HeldHistory
from bot.market_store.loading import load_hedges
from bot.market_store.sql import seal_times
from bot.models import DAY_MS
from bot.numbers.money import plain
from bot.selection.evidence.bands import consistency
from bot.statistics.metrics import daily_returns, from_units, money_units
from bot.timestamps import iso
from sweeps.spec.read_pairs import exchanges_read


def held_until(connection: sa.Connection, config: RunConfig, *, beyond_seals: bool = False) -> int | None:
    """Return the last moment (ms UTC) at which all data of a run are held, None if never.

    Its exchange is named. The moment lies before the seal of each exchange, unless it is for the look at a
    holdout (`beyond_seals`).
    Raises: InvalidInputError where the data were deleted.
    """
    if not needs_hedge_engine(config):
        history = HeldHistory(connection, config.exchange, config.symbols, beyond_seals=beyond_seals)
        common = history.common(config.symbols, (config.start, config.end))
        return None if common is None else common[1]
    wanted = wanted_pairs(config.hedges)
    data = load_hedges(
        connection, str(config.exchange), wanted, config.end, config.start, beyond_seals=beyond_seals
    )
    ends: list[int] = []
    for hedge in covered_hedges(config, data)[0]:
        for leg in hedge.legs:
            ends += _ends(data.pairs[leg.exchange, leg.pair], is_perp=leg.kind != "spot")
    if not beyond_seals:
        seals = seal_times(connection)
        ends += [seals[str(one)] - 1 for one in exchanges_read(config) if one in seals]
    return min(ends)


def _ends(held: SymbolData, *, is_perp: bool) -> Iterator[int]:
    """Yield the last moments at which the rows of a leg are held."""
    candles = {"perp": held.perp, "funding": None} if is_perp else {"spot": held.spot}
    for one in held.held:
        if one.kind in candles:
            series = candles[one.kind]
            yield one.last_ms + (0 if series is None else series.timeframe_ms)


def judged_from(run: AnyRun, from_ms: int, run_key: str) -> dict[str, Any]:
    """Return P&L of a run from a midnight (ms UTC) on, and whether it is consistent, as JSON values.

    `run_key` seeds the draws; `consistent` and `p` are None where there are more later than earlier days.
    """
    initial = money_units(run.config.initial_capital)
    returns = daily_returns(run.curve.units[None, :], initial, run.calendar)[0]
    split = from_ms // DAY_MS - int(run.calendar.times_ms[0]) // DAY_MS
    earlier, later = returns[:split], returns[split:]
    before = int(run.calendar.times_ms.searchsorted(from_ms)) - 1
    base = initial if before < 0 else int(run.curve.units[before])
    net = int(run.curve.units[-1]) - base
    found = consistency(run_key, earlier, later)
    return {
        "from": iso(from_ms)[:10],
        "until": iso(run.config.end),
        "days": {"earlier": len(earlier), "later": len(later)},
        "net_pnl": plain(from_units(net)),
        "in_profit": net > 0,
        "consistent": None if found is None else found.consistent,
        "p": None if found is None else found.p,
    }
