"""The end of a contract, derived from its recorded perp candles."""

import numpy as np

from bot.market.series import CandleSeries
from bot.models import DAY_MS

ENDED_AFTER_MS = DAY_MS
"""A contract whose last live candle closed longer than this before the end of a window has ended."""


def last_live_close_ms(perp: CandleSeries, until_ms: int) -> int | None:
    """Return the close of the newest live candle by `until_ms` (ms UTC), None without one.

    A candle with volume is live. Of a series without any volume all are: then volume says nothing.
    """
    closed = int(np.searchsorted(perp.open_ms, until_ms - perp.timeframe_ms, side="right"))
    live = np.flatnonzero(perp.volume.mantissas[:closed] != 0)
    newest = int(live[-1]) if len(live) else closed - 1
    return int(perp.open_ms[newest]) + perp.timeframe_ms if newest >= 0 else None


def derived_end_ms(perp: CandleSeries, window_end_ms: int) -> int | None:
    """Return the end of the contract for a window that ends at `window_end_ms`, None if it lives on.

    Flat candles and settlements posted later do not count, and neither does whether the record goes on:
    candles that merely stop are the same case. Exactly `ENDED_AFTER_MS` is not yet an end. The last live
    candle may have closed before the window began.
    """
    last_ms = last_live_close_ms(perp, window_end_ms)
    ended = last_ms is not None and window_end_ms - last_ms > ENDED_AFTER_MS
    return last_ms if ended else None
