"""Port of live markets: closed candles and settled funding, as they become known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.errors import BotError
from bot.market.rows import Rows, SeriesKind
from bot.models import Instrument


class FeedError(BotError):
    """A feed that cannot go on."""

    code = "feed_failed"


class FeedEndedError(FeedError):
    """A recorded feed that has nothing left to tell."""

    code = "feed_ended"


@dataclass(frozen=True, slots=True)
class Listing:
    """Listing of a pair on an exchange: trading rules, and the candle interval of each leg it has.

    `settles` is False where only the spot market is of interest.
    """

    instrument: Instrument
    timeframes_ms: Mapping[SeriesKind, int]
    settles: bool = True


@dataclass(frozen=True, slots=True)
class FeedRows:
    """Rows of one series of a pair, ascending; candles by open time, all of them closed."""

    symbol: str
    kind: SeriesKind
    rows: Rows


@dataclass(frozen=True, slots=True)
class FeedBatch:
    """Rows that have become known, and the moment (ms UTC) up to which nothing more is to be waited for."""

    complete_until_ms: int
    rows: tuple[FeedRows, ...]


class MarketFeed(Protocol):
    """Markets of a fixed set of pairs. A cancelled wait loses nothing: the next one tells it again."""

    async def listings(self) -> Mapping[str, Listing]:
        """Return the listings by symbol, in the order asked for.

        Raises: InvalidInputError for a pair that cannot be traded there.
        """

    async def history(self, funding_from_ms: int, candles_before_ms: int, candles: int) -> FeedBatch:
        """Return all that is known: funding since a moment, and candles.

        Of each leg those since `candles_before_ms`, and as many as `candles` before it.
        """

    async def next_batch(self) -> FeedBatch:
        """Wait for what comes next; raises FeedEndedError if nothing can."""

    async def newest(self) -> FeedBatch:
        """Return new rows without waiting for anything to be complete."""

    async def aclose(self) -> None:
        """Let go of all connections."""
