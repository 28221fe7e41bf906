"""First parameters for a window: what its own recorded rates and volumes suggest to each strategy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from bot.config.parameters import AccountParameters
from bot.config.strategy_declaration import Figure
from bot.config.strategy_registry import strategy_plugin, usable_strategies
from bot.errors import FieldError, InsufficientDataError, InvalidInputError, UnknownSymbolError
from bot.market.coverage import check_decided
from bot.market.rows import SeriesKind
from bot.market.series import CandleSeries
from bot.market_store.held_history import HeldHistory
from bot.market_store.pair_figures.basis import basis_at
from bot.market_store.pair_figures.funding import rates_8h
from bot.models import HOUR_MS
from bot.numbers.arrays import FloatArray
from bot.strategies.suggestion import Suggestion, WindowFigures, daily_volumes, price_age
from bot.timestamps import iso, parse_time_ms

MOST_PAIRS = 20
"""Most pairs that are read; of more the first ones stand for all."""

_LATEST_MS = 2**53
_SHARES = (0.5, 0.8, 0.9, 0.95)
_NEARLY_ALL = (0.005, 0.995)
_BINS = 48
_MAX_AGE_MS = int(AccountParameters.model_fields["max_price_age_hours"].default * HOUR_MS)


def window_figures(
    connection: sa.Connection, exchange: str | None, symbols: Sequence[str], start_ms: int, end_ms: int
) -> WindowFigures:
    """Return the figures of pairs at their settlements from `start_ms` to `end_ms`, ms UTC, inclusive.

    Raises: UnknownExchangeError, UnknownSymbolError, SealedError; InsufficientDataError without settlement.
    """
    if not symbols:
        raise InvalidInputError.of("symbols", "none is named")
    some = tuple(dict.fromkeys(symbols))[:MOST_PAIRS]
    held = HeldHistory(connection, exchange, some)
    if held.unknown:
        raise UnknownSymbolError([FieldError("symbols", words) for words in held.unknown.values()])
    if end_ms != _LATEST_MS:  # one that was left out is that of what may be read
        held.refuse_sealed((start_ms, end_ms), "end")
    parts = [part for symbol in some if (part := _of_pair(held, symbol, (start_ms, end_ms))) is not None]
    if not parts:
        raise InsufficientDataError.of(
            "start", f"no settlement is held from {iso(start_ms)} to {iso(end_ms)}"
        )
    return WindowFigures(
        rates_8h=np.concatenate([part.rates_8h for part in parts]),
        volumes=np.concatenate([part.volumes for part in parts]),
        basis=np.concatenate([part.basis for part in parts]),
        ages_hours=np.concatenate([part.ages_hours for part in parts]),
        interval_hours=min(part.interval_hours for part in parts),
    )


def _of_pair(held: HeldHistory, symbol: str, window: tuple[int, int]) -> WindowFigures | None:
    settled = held.funding(symbol)
    settled = settled[slice(*np.searchsorted(settled.t_ms, [window[0], window[1] + 1]).tolist())]
    if not len(settled):
        return None
    check_decided("symbols", symbol, settled)
    perp = held.candles(symbol, SeriesKind.PERP, window)
    spot = held.candles(symbol, SeriesKind.SPOT, window)
    nothing = np.full(len(settled), np.nan)
    return WindowFigures(
        rates_8h(settled),
        nothing if perp is None else daily_volumes(settled.t_ms, perp),
        nothing if perp is None or spot is None else basis_at(settled.t_ms, spot, perp, _MAX_AGE_MS),
        nothing
        if perp is None or spot is None
        else np.maximum(_age_hours(settled.t_ms, spot), _age_hours(settled.t_ms, perp)),
        int(settled.interval_hours.min()),
    )


def _age_hours(times_ms: npt.NDArray[np.int64], candles: CandleSeries) -> npt.NDArray[np.float64]:
    """Return the age of the newest closed candle at each time, NaN before the first."""
    closes = candles.open_ms + candles.timeframe_ms
    newest = np.searchsorted(closes, times_ms, side="right") - 1
    ages = (times_ms - closes[np.maximum(newest, 0)]) / HOUR_MS if len(closes) else np.zeros(len(times_ms))
    return np.asarray(np.where(newest >= 0, ages, np.nan), dtype=np.float64)


def suggestions(figures: WindowFigures, strategies: Sequence[str]) -> dict[str, Suggestion]:
    """Return the suggestions of a window for each strategy that makes any."""
    shared = price_age(figures, AccountParameters.model_fields["max_price_age_hours"].default)
    known = ((name, strategy_plugin(name).suggest) for name in strategies)
    return {name: suggest(figures) | shared for name, suggest in known if suggest is not None}


def suggestion_document(figures: WindowFigures, strategies: Sequence[str]) -> dict[str, Any]:
    """Return the suggestions beside the figures they come from, as JSON values."""
    return {
        "settlements": len(figures.rates_8h),
        "quantiles_8h": {f"{share:g}": figures.rate(share) for share in _SHARES},
        "rates_8h": _rates_document(figures.rates_8h, strategies),
        "strategies": {name: one.document() for name, one in suggestions(figures, strategies).items()},
    }


def _rates_document(rates: FloatArray, strategies: Sequence[str]) -> dict[str, Any]:
    """Return the rates per 8 h of a window in equal bins, the outermost holding all beyond.

    `gates` are the parameters that strategies compare with them, to `enter` or to `leave`.
    """
    low, high = np.quantile(rates, _NEARLY_ALL, method="inverted_cdf").tolist()
    high = high if high > low else low + 1 / 10_000
    counts, _ = np.histogram(np.clip(rates, low, high), _BINS, (low, high))
    compared = [strategy_plugin(name).figures.get("rate_8h", Figure()) for name in strategies]
    return {
        "highest": float(rates.max()),
        "start": low,
        "width": (high - low) / _BINS,
        "counts": counts.tolist(),
        "gates": {
            **{figure.leave: "leave" for figure in compared if figure.leave},
            **{figure.enter: "enter" for figure in compared if figure.enter},
        },
    }


@dataclass(frozen=True, slots=True)
class SuggestionRequest:
    """Pairs and a window as a user writes them; ends that are left out are those of what is held."""

    exchange: str | None
    symbols: tuple[str, ...]
    start: str | None = None
    end: str | None = None

    def document(self, connection: sa.Connection) -> dict[str, Any]:
        """Return the window and what it suggests to every usable strategy.

        Raises: InvalidInputError naming the field; UnknownExchangeError, UnknownSymbolError.
        """
        start_ms = _moment("start", self.start, 0)
        end_ms = _moment("end", self.end, _LATEST_MS)
        figures = window_figures(connection, self.exchange, self.symbols, start_ms, end_ms)
        usable, _ = usable_strategies()
        asked = {
            "exchange": self.exchange,
            "symbols": list(self.symbols),
            "start": self.start,
            "end": self.end,
        }
        return asked | suggestion_document(figures, [plugin.name for plugin in usable])


def _moment(name: str, text: str | None, default: int) -> int:
    try:
        return default if text is None else parse_time_ms(text)
    except ValueError as error:
        raise InvalidInputError.of(name, str(error)) from None
