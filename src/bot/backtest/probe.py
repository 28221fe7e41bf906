"""Look-ahead probe: data after a moment must not change anything up to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

from bot.backtest.engine import replay
from bot.backtest.result import RunResult
from bot.config.run_config import RunConfig
from bot.market.series import CandleSeries, FundingSeries, MarketData, SymbolData
from bot.market.window import ReplayWindow
from bot.models import ContractEnd, FundingPayment, Trade
from bot.numbers.columns import DecimalColumn
from bot.timestamps import iso

BuildWindow = Callable[[RunConfig, MarketData], ReplayWindow]


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
    moments = [event.t_ms for event in window.events[:-1]]
    chosen = tuple(sorted(random.sample(moments, min(cuts, len(moments)))))
    leaks = []
    for cut_ms in chosen:
        forged_window = build(config, _corrupted(data, cut_ms, random))
        forged = replay(config, replace(forged_window, contract_ends=_known_ends(window, cut_ms)))
        leak = next(_differences(honest, forged, cut_ms), None)
        if leak is not None:
            leaks.append(leak)
    met = {symbol: end.at_ms for symbol, end in window.ends_for(config).items() if not end.recorded}
    return ProbeReport(chosen, tuple(leaks), met)


def _known_ends(window: ReplayWindow, cut_ms: int) -> dict[str, ContractEnd]:
    """Return the ends that stand whatever follows the cut: those up to it, and recorded ones."""
    ends = window.contract_ends.items()
    return {symbol: end for symbol, end in ends if end.recorded or end.at_ms <= cut_ms}


def _differences(honest: RunResult, forged: RunResult, cut_ms: int) -> Iterator[Leak]:
    for name, read in (
        ("equity", _equity),
        ("trades", _trades),
        ("funding", _payments),
        ("entries", _entries),
    ):
        ours, theirs = read(honest, cut_ms), read(forged, cut_ms)
        if ours != theirs:
            at = next(i for i in range(len(ours) + 1) if ours[i : i + 1] != theirs[i : i + 1])
            shown = [
                " ".join(map(str, found[at])) if at < len(found) else "nothing" for found in (ours, theirs)
            ]
            at_ms = (ours[at : at + 1] or theirs[at : at + 1])[0][0]
            yield Leak(cut_ms, name, at_ms, *shown)


def _equity(result: RunResult, cut_ms: int) -> Sequence[tuple[Any, ...]]:
    return [point for point in result.equity if point[0] <= cut_ms]


def _trades(result: RunResult, cut_ms: int) -> Sequence[tuple[Any, ...]]:
    return [_closing(trade) for trade in result.trades if trade.closed_at_ms <= cut_ms]


def _closing(trade: Trade) -> tuple[Any, ...]:
    return trade.closed_at_ms, trade.symbol, trade.reason, trade.quantity, trade.funding, trade.net_pnl


def _payments(result: RunResult, cut_ms: int) -> Sequence[FundingPayment]:
    return [payment for payment in result.payments if payment.t_ms <= cut_ms]


def _entries(result: RunResult, cut_ms: int) -> Sequence[tuple[Any, ...]]:
    opened = [
        (trade.opened_at_ms, trade.symbol, trade.quantity, trade.spot_entry, trade.perp_entry)
        for trade in result.trades
        if trade.opened_at_ms <= cut_ms
    ]
    return sorted(opened)


def _corrupted(data: MarketData, cut_ms: int, random: Random) -> MarketData:
    symbols = tuple(_corrupted_symbol(item, cut_ms, random) for item in data.symbols)
    return replace(data, symbols=symbols, fingerprint=f"corrupted after {iso(cut_ms)}")


def _corrupted_symbol(item: SymbolData, cut_ms: int, random: Random) -> SymbolData:
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
