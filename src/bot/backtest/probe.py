"""Look-ahead probe: data after a moment must not change anything up to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from operator import attrgetter
from random import Random
from typing import Any, Protocol

import numpy as np

from bot.backtest.engine import replay
from bot.config.run_config import RunConfig
from bot.market.series import CandleSeries, FundingSeries, MarketData, SymbolData
from bot.market.window import ReplayWindow
from bot.models import BookedTrade, ContractEnd, FundingPayment
from bot.numbers.columns import DecimalColumn
from bot.timestamps import iso

BuildWindow = Callable[[RunConfig, MarketData], ReplayWindow]


Facts = tuple[Any, ...]
"""Facts of something that a run did, its time in ms UTC first."""


class ProbedRun(Protocol):
    """A run of either engine, as far as it is compared."""

    @property
    def equity(self) -> Sequence[tuple[int, Decimal]]: ...
    @property
    def trades(self) -> Sequence[BookedTrade]: ...
    @property
    def payments(self) -> Sequence[FundingPayment]: ...


@dataclass(frozen=True, slots=True)
class Leak:
    """A difference up to `cut_ms` that only later data can explain: the first place it shows."""

    cut_ms: int
    seen_in: str
    at_ms: int
    honest: str
    corrupted: str

    def document(self) -> dict[str, Any]:
        """Return the leak as JSON values."""
        return {
            "cut_ms": self.cut_ms,
            "seen_in": self.seen_in,
            "at_ms": self.at_ms,
            "honest": self.honest,
            "corrupted": self.corrupted,
        }


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """The cuts tried, ms UTC, and the leaks found.

    `given_ends` are the ends of contracts, ms UTC by pair, that the run met and that are derived from data
    after them: hindsight by design, so that no cut at or after an end puts it in doubt.
    """

    cuts_ms: tuple[int, ...]
    leaks: tuple[Leak, ...]
    given_ends: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        leaks = [leak.document() for leak in self.leaks]
        ends = dict(self.given_ends)
        return {"passed": not leaks, "cuts_ms": list(self.cuts_ms), "leaks": leaks, "given_ends": ends}


def probe(
    config: RunConfig,
    data: MarketData,
    *,
    cuts: int = 8,
    seed: int = 0,
    build: BuildWindow = ReplayWindow.build,
) -> ProbeReport:
    """Return whether the run of `config` reads ahead.

    `cuts` moments are drawn; after each, every series of `data` is corrupted, and all that the run did and
    showed as equity up to it is compared bit for bit. `build` is the reader of history under test.

    That a contract ended is derived from the data after its end. An end up to a cut is therefore kept when
    what follows is corrupted; one after the cut is not, so that nothing may foresee it.
    """
    window = build(config, data)
    honest = replay(config, window)
    random = Random(seed)  # noqa: S311 - reproducible cuts, not secrets
    chosen = drawn_cuts([event.t_ms for event in window.events], cuts, random)
    leaks = []
    for cut_ms in chosen:
        forged_window = build(config, _corrupted(data, cut_ms, random))
        forged = replay(config, replace(forged_window, contract_ends=_known_ends(window, cut_ms)))
        leak = first_leak(honest, forged, cut_ms, _OPENING)
        if leak is not None:
            leaks.append(leak)
    met = {symbol: end.at_ms for symbol, end in window.ends_for(config).items() if not end.recorded}
    return ProbeReport(chosen, tuple(leaks), met)


def _known_ends(window: ReplayWindow, cut_ms: int) -> dict[str, ContractEnd]:
    """Return the ends that stand whatever follows the cut: those up to it, and recorded ones."""
    ends = window.contract_ends.items()
    return {symbol: end for symbol, end in ends if end.recorded or end.at_ms <= cut_ms}


def drawn_cuts(events: Sequence[int], cuts: int, random: Random) -> tuple[int, ...]:
    """Return so many of the events but the last, at most all of these, ascending."""
    moments = events[:-1]
    return tuple(sorted(random.sample(moments, min(cuts, len(moments)))))


def first_leak(
    honest: ProbedRun, forged: ProbedRun, cut_ms: int, opening: Callable[[Any], Facts]
) -> Leak | None:
    """Return the first difference of two runs up to a cut, None if there is none.

    `opening` gives the facts of a trade's opening, the time first.
    """
    ours, theirs = (_done_by(run, cut_ms, opening) for run in (honest, forged))
    for name in ours:
        if ours[name] != theirs[name]:
            return _difference(name, cut_ms, ours[name], theirs[name])
    return None


def _done_by(run: ProbedRun, cut_ms: int, opening: Callable[[Any], Facts]) -> dict[str, list[Facts]]:
    """Return what a run did and showed up to a cut, each with its time first."""
    return {
        "equity": [point for point in run.equity if point[0] <= cut_ms],
        "trades": [_closing(trade) for trade in run.trades if trade.closed_at_ms <= cut_ms],
        "funding": [payment for payment in run.payments if payment.t_ms <= cut_ms],
        "entries": sorted(opening(trade) for trade in run.trades if trade.opened_at_ms <= cut_ms),
    }


def _difference(name: str, cut_ms: int, ours: Sequence[Facts], theirs: Sequence[Facts]) -> Leak:
    at = next(i for i in range(len(ours) + 1) if ours[i : i + 1] != theirs[i : i + 1])
    shown = [" ".join(map(str, found[at])) if at < len(found) else "nothing" for found in (ours, theirs)]
    at_ms = (ours[at : at + 1] or theirs[at : at + 1])[0][0]
    return Leak(cut_ms, name, at_ms, *shown)


_OPENING = attrgetter("opened_at_ms", "symbol", "quantity", "spot_entry", "perp_entry")
_closing = attrgetter("closed_at_ms", "symbol", "reason", "quantity", "funding", "net_pnl")


def _corrupted(data: MarketData, cut_ms: int, random: Random) -> MarketData:
    symbols = tuple(corrupted_pair(item, cut_ms, random) for item in data.symbols)
    return replace(data, symbols=symbols, fingerprint=f"corrupted after {iso(cut_ms)}")


def corrupted_pair(item: SymbolData, cut_ms: int, random: Random) -> SymbolData:
    """Return a pair whose candles and settlements after a cut have wild values."""
    return replace(
        item,
        funding=_corrupted_funding(item.funding, cut_ms, random),
        spot=_corrupted_candles(item.spot, cut_ms, random),
        perp=_corrupted_candles(item.perp, cut_ms, random),
        mark=None if item.mark is None else _corrupted_candles(item.mark, cut_ms, random),
    )


def _corrupted_funding(series: FundingSeries, cut_ms: int, random: Random) -> FundingSeries:
    known = int(np.searchsorted(series.t_ms, cut_ms, side="right"))
    return replace(
        series,
        rates=_forged(series.rates, known, random, signed=True),
        marks=_forged(series.marks, known, random),
    )


def _corrupted_candles(series: CandleSeries, cut_ms: int, random: Random) -> CandleSeries:
    known = int(np.searchsorted(series.open_ms + series.timeframe_ms, cut_ms, side="right"))
    return replace(
        series,
        open=_forged(series.open, known, random),
        high=_forged(series.high, known, random),
        low=_forged(series.low, known, random),
        close=_forged(series.close, known, random),
        volume=_forged(series.volume, known, random),
    )


def _forged(column: DecimalColumn, known: int, random: Random, *, signed: bool = False) -> DecimalColumn:
    kept = column.mantissas[:known].tolist()
    wild = [
        (abs(whole) + 1) * random.randint(2, 50) * (random.choice((1, -1)) if signed else 1)
        for whole in column.mantissas[known:].tolist()
    ]
    return DecimalColumn.from_whole([*kept, *wild], column.exponent)
