"""Request to download from an exchange, checked once for the shell and the service."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from bot.errors import InvalidInputError
from bot.market.rules import TIMEFRAMES_MS
from bot.market_store.fetch.exchange_markets import download_refusal, is_inverse
from bot.market_store.fetch.exchanges import EXCHANGES
from bot.notation import quoted
from bot.timestamps import iso, parse_time_ms
from bot.validation import refuse_unknown

MOST_SYMBOLS = 100
DEFAULT_TIMEFRAME = "1h"
_FIELDS = ("exchange", "symbols", "since", "until", "timeframe")


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Rows in [since, until) of pairs of one exchange; until None is now."""

    exchange: str
    symbols: tuple[str, ...]
    since_ms: int
    until_ms: int | None
    timeframe: str

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> Self:
        """Return the request that `values` describe: symbols as a list, or as text with commas.

        Raises: InvalidInputError naming field and value.
        """
        refuse_unknown(values, _FIELDS)
        exchange, timeframe = values.get("exchange"), _given(values, "timeframe", DEFAULT_TIMEFRAME)
        if exchange not in EXCHANGES:
            raise InvalidInputError.of("exchange", f"{quoted(exchange)} is none of {', '.join(EXCHANGES)}")
        if not isinstance(timeframe, str) or timeframe not in TIMEFRAMES_MS:
            raise InvalidInputError.of(
                "timeframe", f"{quoted(timeframe)} is none of {', '.join(TIMEFRAMES_MS)}"
            )
        since_ms = _time_ms("since", values.get("since"))
        until = _given(values, "until", None)
        until_ms = None if until is None else _time_ms("until", until)
        if until_ms is not None and until_ms <= since_ms:
            raise InvalidInputError.of("until", f"{until} is not after since {values['since']}")
        symbols = _symbols(values.get("symbols"))
        return cls(str(exchange), symbols, since_ms, until_ms, timeframe)

    @property
    def has_inverse(self) -> bool:
        """Return whether any of the perps settles in coins."""
        return any(is_inverse(symbol) for symbol in self.symbols)

    def document(self) -> dict[str, Any]:
        """Return the request as JSON values, times as ISO text."""
        return {
            "exchange": self.exchange,
            "symbols": list(self.symbols),
            "since": iso(self.since_ms),
            "until": None if self.until_ms is None else iso(self.until_ms),
            "timeframe": self.timeframe,
        }


def _given(values: Mapping[str, object], name: str, default: object) -> object:
    """Return the value of a field, the default if it is left out or, as in a form, empty."""
    value = values.get(name)
    return default if value is None or value == "" else value


def _time_ms(field: str, value: object) -> int:
    try:
        return parse_time_ms(value)
    except ValueError as error:
        raise InvalidInputError.of(field, str(error)) from None


def _symbols(value: object) -> tuple[str, ...]:
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise InvalidInputError.of("symbols", f"{quoted(value)} is no list of perps such as BTC/USDT:USDT")
    names = _names(cast("Iterable[str]", parts))
    if not 0 < len(names) <= MOST_SYMBOLS:
        raise InvalidInputError.of("symbols", f"names {len(names)} perps; 1 to {MOST_SYMBOLS} are possible")
    for name in names:
        if not name.isprintable() or len(name) > 64:
            raise InvalidInputError.of("symbols", f"{quoted(name[:64])} is no perp such as BTC/USDT:USDT")
        if refusal := download_refusal(name):
            raise InvalidInputError.of("symbols", refusal)
    return names


def _names(parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for part in parts for name in part.split(",") if name.strip()))
