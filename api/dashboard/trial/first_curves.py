"""Curves of a run that are sent with its page, so that they are drawn with the first paint."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from api.dashboard.trial.charts import Span, curve_document, moves_document
from api.dashboard.trial.run_context import RecordedRun, trades_of
from api.work.replays import Replays, StoredRun
from bot.backtest.periods.yearly import Year, years
from bot.backtest.result import Curve
from bot.config.run_config import RunConfig
from bot.errors import BotError
from bot.models import BookedTrade

T = TypeVar("T")
STORED = "Stored with the result."
REPLAYED = "Replayed now on the same data: the sweep stored no curve of this trial."
PATIENCE_S = 0.4
"""Time that a page waits for a replay before it leaves without; its script then asks for what is missing."""


@dataclass(frozen=True, slots=True)
class YearRow:
    """A UTC year of a run beside the same year of holding, None while that is not known."""

    own: Year
    hold: Year | None

    @property
    def lead(self) -> float | None:
        """Share of the run minus that of holding."""
        if self.hold is None or self.own.share is None or self.hold.share is None:
            return None
        return self.own.share - self.hold.share


@dataclass(frozen=True, slots=True)
class FirstCurves:
    """The curves that were at hand: documents of the run and of holding, and the years of both."""

    curve: dict[str, Any] | None = None
    hold: dict[str, Any] | None = None
    years: Sequence[YearRow] = ()

    @property
    def elapsed_ms(self) -> int | None:
        """Time from the first event to the last, None without the curve."""
        return None if self.curve is None else self.curve["times"][-1] - self.curve["times"][0]


def drawn(run: StoredRun, curve: Curve, trades: Sequence[BookedTrade], span: Span | None) -> dict[str, Any]:
    """Return curve and moves of a run in `span`."""
    return curve_document(curve, run.config.initial_capital, span) | moves_document(trades, span)


def year_rows_of(config: RunConfig, curve: Curve, hold: Curve | None) -> list[YearRow]:
    """Return the years of a run, oldest first, beside those of holding in the same window."""
    window = config.start, config.end
    beside = {} if hold is None else {one.year: one for one in years(hold, config.initial_capital, window)}
    return [YearRow(one, beside.get(one.year)) for one in years(curve, config.initial_capital, window)]


async def first_curves(recorded: RecordedRun, replays: Replays) -> FirstCurves:
    """Return what is stored of a run, and what a replay gives within `PATIENCE_S`."""
    run = recorded.run
    hold = asyncio.ensure_future(_soon(lambda: replays.work.run(lambda: replays.hold(run))))
    found = await _own(recorded, replays)
    held = await hold
    if found is None:
        return FirstCurves()

    def documents() -> FirstCurves:
        curve, trades, origin = found
        beside = None if held is None else curve_document(held.curve, run.config.initial_capital)
        rows = year_rows_of(run.config, curve, None if held is None else held.curve)
        return FirstCurves(drawn(run, curve, trades, None) | {"origin": origin}, beside, rows)

    return await run_in_threadpool(documents)


async def _own(recorded: RecordedRun, replays: Replays) -> tuple[Curve, Sequence[BookedTrade], str] | None:
    run, record = recorded.run, recorded.record
    if record is not None:
        stored = record
        return await run_in_threadpool(lambda: (stored.curve, trades_of(run, stored.trade_documents), STORED))
    result = await _soon(lambda: replays.work.run(lambda: replays.result(run)))
    return None if result is None else (result.curve, result.trades, REPLAYED)


async def _soon(work: Callable[[], Awaitable[T]]) -> T | None:
    """Return what `work` gives in time, None if it takes longer or is refused; it then goes on by itself."""
    task = asyncio.ensure_future(work())
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        return await asyncio.wait_for(asyncio.shield(task), PATIENCE_S)
    except (TimeoutError, BotError):
        return None
