"""Import options: facts about files that the files do not state themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from bot.errors import DataImportError, InvalidInputError
from bot.market.rows import SeriesKind
from bot.market.rules import TIMEFRAMES_MS
from bot.market.symbols import market_symbol
from bot.market_store.importers.mapping import Mapping
from bot.market_store.importers.zones import parse_zone
from bot.notation import quoted

OPTIONS_EXAMPLE = "--kind spot|perp|mark --symbol BTCUSDT --timeframe 1h"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The answers given with an import; each is used where a file leaves the question open.

    `keep_readable` asks for the readable lines of a damaged file, which is refused whole otherwise. `alone`
    says that the folders around a file were not chosen by its owner, and tell nothing about it. `selecting`
    says that `symbols` choose among many files, and do not correct the name of one. `replace` lets rows take
    the place of stored ones that they contradict.
    """

    kind: SeriesKind | None = None
    symbols: tuple[str, ...] = ()
    timeframe_ms: int | None = None
    zone: tzinfo | None = None
    mappings: tuple[Mapping, ...] = ()
    keep_readable: bool = False
    alone: bool = False
    selecting: bool = False
    replace: bool = False

    @property
    def symbol(self) -> str | None:
        """Return the symbol if there is one answer only."""
        return self.symbols[0] if len(self.symbols) == 1 else None

    @classmethod
    def parse(
        cls,
        *,
        kind: str | None = None,
        symbol: str | Sequence[str] | None = None,
        timeframe: str | None = None,
        time_zone: str | None = None,
        mapping: str | None = None,
        keep_readable: bool = False,
        alone: bool = False,
        replace: bool = False,
    ) -> "ImportOptions":
        """Return the answers given as text, `mapping` being the text of a mapping file.

        Several symbols come with commas, or as a list.
        Raises: InvalidInputError naming the answer.
        """
        return cls(
            kind=None if kind is None else _kind(kind),
            symbols=() if symbol is None else _symbols([symbol] if isinstance(symbol, str) else symbol),
            timeframe_ms=None if timeframe is None else _timeframe_ms(timeframe),
            zone=None if time_zone is None else parse_zone(time_zone),
            mappings=() if mapping is None else Mapping.parse_all(mapping),
            keep_readable=keep_readable,
            alone=alone,
            replace=replace,
        )


def _kind(text: str) -> SeriesKind:
    candles = (SeriesKind.SPOT, SeriesKind.PERP, SeriesKind.MARK)
    if text not in candles:
        raise InvalidInputError.of("kind", f"{quoted(text)} is none of {', '.join(candles)}")
    return SeriesKind(text)


def _symbols(texts: Iterable[str]) -> tuple[str, ...]:
    names = [name.strip() for text in texts for name in text.split(",")]
    return tuple(dict.fromkeys(map(_symbol, names)))


def _symbol(text: str) -> str:
    try:
        return market_symbol(text)
    except DataImportError as error:
        raise InvalidInputError.of("symbol", error.message) from None


def _timeframe_ms(text: str) -> int:
    if text not in TIMEFRAMES_MS:
        raise InvalidInputError.of("timeframe", f"{quoted(text)} is none of {', '.join(TIMEFRAMES_MS)}")
    return TIMEFRAMES_MS[text]
