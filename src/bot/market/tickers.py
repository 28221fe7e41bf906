"""The newest known prices of every pair."""

from collections.abc import Mapping

from bot.errors import ExecutionError
from bot.models import Ticker


class TickerService:
    """Holds one ticker a pair; feeds push new ones."""

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        self._latest: Mapping[str, Ticker] = {}

    def show(self, tickers: Mapping[str, Ticker]) -> None:
        """Know these tickers, by symbol, and no others; they are read, never changed."""
        self._latest = tickers

    def update(self, tickers: Mapping[str, Ticker]) -> None:
        """Replace the tickers of the pairs given, by symbol."""
        self._latest = {**self._latest, **tickers}

    def latest(self, symbol: str) -> Ticker:
        """Return the newest ticker of `symbol`; raises ExecutionError if there is none yet."""
        ticker = self._latest.get(symbol)
        if ticker is None:
            raise ExecutionError(f"{symbol} has no ticker yet")
        return ticker
