"""Sweeps whose trials ask for history that the store does not hold: refused with the windows that it does."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from bot.config.run_config import RunConfig
from bot.errors import FieldError, InsufficientDataError, UnknownExchangeError, UnknownSymbolError
from bot.market.coverage import held_text, refusal
from bot.market.quality import undecided
from bot.market.rows import SeriesKind
from bot.market.series import HeldRange
from bot.market_names import Market
from bot.market_store.held_history import HeldHistory
from bot.models import DAY_MS
from bot.plurals import counted
from bot.timestamps import iso
from sweeps.lifecycle.held_hedges import (
    ASKING,
    asks_for_hedge_data,
    refuse_missing_hedges,
    refuse_missing_hedges_of,
)
from sweeps.spec.spec import SweepSpec

_ASKED = ("exchange", "symbols", "start", "end", "min_coverage")
_MOST_CHECKED = 4_000
"""Most windows of pairs that are checked, so that the answer comes while somebody types."""
_MOST_NAMED = 3

Window = tuple[int, int]
Paths = Mapping[str, Mapping[str, Any]]
"""The values of each parameter by their path in what was submitted."""


class RequestedWindow(NamedTuple):
    """A window that trials replay: the pairs they trade together, from when to when (ms UTC, inclusive)."""

    exchange: str | None
    symbols: tuple[str, ...]
    start: int
    end: int
    min_coverage: Decimal

    @property
    def window(self) -> Window:
        """Return start and end."""
        return self.start, self.end


Held = Mapping[str | None, HeldHistory]


@dataclass(frozen=True, slots=True)
class _Shortfall:
    asked: RequestedWindow
    symbol: str
    words: str


def refuse_missing_run(connection: sa.Connection, config: RunConfig) -> None:
    """Raise InsufficientDataError if the store lacks what a run reads; as of a sweep of this one trial."""
    if not asks_for_hedge_data(config):
        values = {name: getattr(config, name) for name in _ASKED}
        written = {name: {name: value} for name, value in values.items()}
        _refuse(connection, [RequestedWindow(**values)], written)
    refuse_missing_hedges_of(connection, config)


def refuse_missing_windows(connection: sa.Connection, spec: SweepSpec, *, first: int = 0) -> None:
    """Raise InsufficientDataError if the store lacks a window that trials from number `first` on replay.

    It names the fields at fault and tells the window that all pairs share, where there is one.
    Raises UnknownExchangeError, UnknownSymbolError and SealedError as well.
    """
    written = {name: spec.written_values(name) for name in _ASKED}
    try:
        _refuse(connection, list(_windows(spec, first)), written)
    except UnknownSymbolError as error:
        raise error.renamed(lambda item: _with_hint(item, spec, written["symbols"])) from None
    refuse_missing_hedges(connection, spec, first=first)


def _with_hint(item: FieldError, spec: SweepSpec, written: Mapping[str, Any]) -> FieldError:
    """Return the refusal of a symbol, of an inverse one crossed with structures with the way out."""
    crossed = {"symbols", "structure"} <= spec.space.by_name.keys()
    inverse = any(Market("", symbol).kind == "inverse" for symbol in written.get(item.field, ()))
    if not (crossed and inverse):
        return item
    hint = 'values of the two axes go together under "linked": [["symbols", "structure"]]'
    return FieldError(item.field, f"{item.message}; {hint}")


def _windows(spec: SweepSpec, first: int) -> Iterator[RequestedWindow]:
    """Yield the windows of the trials from number `first` on, each once; none that ends before it starts.

    Those of other hedges than spot against a perp are left out.
    """
    known: set[RequestedWindow] = set()
    for values in spec.space.combinations((*_ASKED, *ASKING), first).values():
        config = spec.base_config.model_copy(update=values)
        asked = RequestedWindow(*(getattr(config, name) for name in _ASKED))
        if asked.end >= asked.start and not asks_for_hedge_data(config) and asked not in known:
            known.add(asked)
            yield asked


def _refuse(connection: sa.Connection, asked: Sequence[RequestedWindow], paths: Paths) -> None:
    held = _histories(connection, asked, paths)
    for one in asked:
        held[one.exchange].refuse_sealed(one.window, next(iter(_paths(paths["end"], one.end)), "end"))
    lacks = list(_lacks(asked, held))
    if not lacks:
        return
    common = _common_window(asked, held)
    errors = list(_errors(lacks, asked, paths, held))
    if common:
        offer = f"; all that is asked for is held from {common[0]} to {common[1]}"
        errors[0] = FieldError(errors[0].field, errors[0].message + offer)
    raise InsufficientDataError(errors, common_window=common)


def _histories(connection: sa.Connection, asked: Sequence[RequestedWindow], paths: Paths) -> Held:
    """Return the history of each data set, read once for all windows."""
    found: dict[str | None, HeldHistory] = {}
    unknown: list[FieldError] = []
    for exchange in dict.fromkeys(one.exchange for one in asked):
        symbols = dict.fromkeys(symbol for one in asked if one.exchange == exchange for symbol in one.symbols)
        try:
            found[exchange] = HeldHistory(connection, exchange, symbols)
        except UnknownExchangeError as error:
            named = [path for path, value in paths["exchange"].items() if value == exchange]
            raise UnknownExchangeError(
                [FieldError(path, item.message) for path in named for item in error.errors]
            ) from None
        for symbol, words in found[exchange].unknown.items():
            unknown += [FieldError(path, words) for path in _symbol_paths(paths["symbols"], symbol)]
    if unknown:
        raise UnknownSymbolError(unknown)
    return found


def _lacks(asked: Sequence[RequestedWindow], held: Held) -> Iterator[_Shortfall]:
    checked = 0
    for one in asked:
        history = held[one.exchange]
        missing = [
            _Shortfall(one, symbol, words)
            for symbol in one.symbols
            if (words := history.lacking(symbol, one.window, one.min_coverage)) is not None
        ]
        if not missing and not any(history.settles(symbol, one.window) for symbol in one.symbols):
            missing = [_Shortfall(one, symbol, "no settlement is recorded") for symbol in one.symbols]
        yield from missing
        checked += len(one.symbols)
        if checked >= _MOST_CHECKED:
            return


def _errors(
    lacks: Sequence[_Shortfall], asked: Sequence[RequestedWindow], paths: Paths, held: Held
) -> Iterator[FieldError]:
    """Yield one error a field: the ends of a window that reaches beyond every pair, else the pairs."""
    found: dict[str, str] = {}
    by_window: dict[Window, list[_Shortfall]] = {}
    for lack in lacks:
        by_window.setdefault(lack.asked.window, []).append(lack)
    for window, mine in by_window.items():
        pairs = {(one.exchange, symbol) for one in asked if one.window == window for symbol in one.symbols}
        missing = {(lack.asked.exchange, lack.symbol): lack for lack in mine}
        by_ends = missing.keys() == pairs and not any(_undecided(lack, held) for lack in mine)
        ends = _beyond_all(window, mine, held) if by_ends else {}
        for name, moment in ends.items():
            outside = f"{iso(moment)} is outside all that is held"
            words = outside if found else f"{outside}; {_of_all(list(missing.values()), held)}"
            found |= {path: words for path in _paths(paths[name], moment) if path not in found}
        for lack in () if ends else missing.values():
            words = refusal(lack.symbol, lack.words, *window, _ranges(lack, held))
            found |= {
                path: words for path in _symbol_paths(paths["symbols"], lack.symbol) if path not in found
            }
    yield from (FieldError(path, message) for path, message in found.items())


def _beyond_all(window: Window, lacks: Sequence[_Shortfall], held: Held) -> dict[str, int]:
    """Return the ends of a window that lie where no settlement of any of these pairs is held."""
    ranges = [one for lack in lacks for one in _ranges(lack, held) if one.kind == SeriesKind.FUNDING]
    if not ranges:
        return {}
    first_ms, last_ms = min(one.first_ms for one in ranges), max(one.last_ms for one in ranges)
    ends = zip(("start", "end"), window, strict=True)
    return {name: moment for name, moment in ends if not first_ms - DAY_MS <= moment <= last_ms + DAY_MS}


def _undecided(lack: _Shortfall, held: Held) -> bool:
    return undecided(held[lack.asked.exchange].funding(lack.symbol)) is not None


def _ranges(lack: _Shortfall, held: Held) -> tuple[HeldRange, ...]:
    return held[lack.asked.exchange].held(lack.symbol, lack.asked.window)


def _of_all(lacks: Sequence[_Shortfall], held: Held) -> str:
    """Return the shortfalls of all pairs of a window: the first in full, for others the held range."""
    first = lacks[0]
    words = refusal(first.symbol, first.words, *first.asked.window, _ranges(first, held))
    others = [f"{lack.symbol}: held: {held_text(_ranges(lack, held))}" for lack in lacks[1:_MOST_NAMED]]
    more = [counted(len(lacks) - _MOST_NAMED, "more symbol")] if len(lacks) > _MOST_NAMED else []
    return "; ".join([words, *others, *more])


def _paths(written: Mapping[str, Any], value: Any) -> list[str]:
    return [path for path, held in written.items() if held == value]


def _symbol_paths(written: Mapping[str, Any], symbol: str) -> Iterator[str]:
    """Yield the paths at which a symbol is written: on its own as the value, among others with its place."""
    for path, symbols in written.items():
        if symbol in symbols:
            alone = len(symbols) == 1 and path.endswith("]")
            yield path if alone else f"{path}[{symbols.index(symbol)}]"


def _common_window(asked: Sequence[RequestedWindow], held: Held) -> tuple[str, str] | None:
    """Return start and end, as a user writes them, of a window that every pair asked for can be run on."""
    least = min(one.min_coverage for one in asked)
    pairs = dict.fromkeys((one.exchange, symbol) for one in asked for symbol in one.symbols)
    windows = []
    for exchange, history in held.items():
        mine = [symbol for name, symbol in pairs if name == exchange]
        windows.append(history.common(mine, max((one.window for one in asked), key=_length)))
    if None in windows:
        return None
    start_ms = max(window[0] for window in windows if window)
    end_ms = min(window[1] for window in windows if window)
    day_start, day_end = -(-start_ms // DAY_MS) * DAY_MS, end_ms // DAY_MS * DAY_MS
    if day_start < day_end:
        start_ms, end_ms = day_start, day_end
    if start_ms >= end_ms:
        return None
    if any(held[exchange].lacking(symbol, (start_ms, end_ms), least) for exchange, symbol in pairs):
        return None
    return _written(start_ms), _written(end_ms)


def _length(window: Window) -> int:
    return window[1] - window[0]


def _written(moment_ms: int) -> str:
    return iso(moment_ms)[:10] if moment_ms % DAY_MS == 0 else iso(moment_ms)
