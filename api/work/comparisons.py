"""Strategies side by side on request: bounded work, one comparison at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from api.admission import admit_run
from api.errors.http_errors import BusyError
from bot.backtest.comparison import Comparison
from bot.config.run_config import RunConfig
from bot.errors import InvalidInputError
from bot.hedges.evidence.engine_choice import compare_run
from bot.hedges.runs import AnyWindow, load_window, names_of
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.plurals import counted
from sweeps.lifecycle.run_looks import note_comparison

MOST_SYMBOLS = 20
MOST_PRICES = 60_000
_PATIENCE_S = 20


class Comparisons:
    """Replays of the strategies that are compared over one window, for callers in worker threads."""

    def __init__(self, store: HistoricalDataStore) -> None:
        self._store = store
        self._lock = Lock()

    def run(self, config: RunConfig) -> tuple[Comparison, AnyWindow]:
        """Return their runs beside the one that holds, and the window they ran over.

        Raises: InvalidInputError for more work than a page should wait for; BusyError while others are
        being compared; BotError as the replay does.
        """
        if len(config.symbols) > MOST_SYMBOLS:
            raise InvalidInputError.of("symbols", f"{len(config.symbols)} are more than {MOST_SYMBOLS}")
        config = admit_run(config, self._store)
        with self._turn():
            window = load_window(config, self._store)
            _refuse_long_work(config, window)
            comparison = compare_run(config, window)
            with write_transaction(self._store.engine) as connection:
                note_comparison(connection, comparison)
            return comparison, window

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=_PATIENCE_S):
            raise BusyError("others are being compared; try again in a moment")
        try:
            yield
        finally:
            self._lock.release()


def _refuse_long_work(config: RunConfig, window: AnyWindow) -> None:
    settlements, names = len(window.calendar.times_ms), len(names_of(config))
    prices = settlements * names
    if prices > MOST_PRICES:
        symbols = counted(names, "symbol")
        raise InvalidInputError.of(
            "end",
            f"{settlements:,} settlements of {symbols} are {prices:,} prices to replay, "
            f"this page takes {MOST_PRICES:,}: choose a shorter window or fewer symbols, or run "
            "`carrygrid compare`",
        )
