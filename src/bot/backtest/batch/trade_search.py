"""Trades of each trial: all trials step from entry to exit at the same time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from bot.accounting.event_order import ENDINGS, is_before_funding, last_due
from bot.backtest.batch.hedges import HedgeBook
from bot.models import CloseReason
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.thresholds import EventMask

REASONS = (CloseReason.SIGNAL, CloseReason.MARGIN, CloseReason.LIQUIDATION, CloseReason.END)
SIGNAL, MARGIN, LIQUIDATION, END = range(4)
_CODES = {reason: code for code, reason in enumerate(REASONS)}
_ORDER = np.array([_CODES[reason] for reason in ENDINGS if reason in _CODES])
_BEFORE_FUNDING = np.array([is_before_funding(reason) for reason in REASONS], dtype=np.int64)
# A code is hedge | 30 bits of end event | 2 bits of reason: with 31 bits left for the hedge it stays positive
# in an int64, and sorting codes sorts by hedge, then by end.
_EVENT_BITS = 30


def encode_trades(hedges: IntArray, ends: IntArray, reasons: IntArray) -> IntArray:
    """Return trades as integers: ascending by hedge, then by the event that ends them."""
    return (hedges << (_EVENT_BITS + 2)) | (ends << 2) | reasons


def decode_trades(codes: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return hedge, end and reason (an index into REASONS) of encoded trades."""
    return codes >> (_EVENT_BITS + 2), (codes >> 2) & (2**_EVENT_BITS - 1), codes & 3


def left_by(reasons: IntArray, reason: CloseReason) -> BoolArray:
    """Return the mask of trades that ended for a reason; `reasons` are indices into REASONS."""
    return np.asarray(reasons == _CODES.get(reason, -1), dtype=bool)


def last_collected(ends: IntArray, reasons: IntArray) -> IntArray:
    """Return the last settlements due to trades that ended at `ends`: ms, or events."""
    return last_due(ends, _BEFORE_FUNDING[reasons])


@dataclass(frozen=True, slots=True, eq=False)
class NextEvents:
    """Next event of each distinct event mask, a row each, and the row that each trial follows."""

    table: npt.NDArray[np.int32]
    row_of_trial: IntArray

    @classmethod
    def of(cls, masks: Sequence[EventMask]) -> "NextEvents":
        """Return the rows of one mask a trial; equal masks share a row."""
        rows = {events: row for row, events in enumerate(dict.fromkeys(masks))}
        row_of_trial = np.array([rows[events] for events in masks], dtype=np.int64)
        return cls(np.stack([events.next for events in rows]), row_of_trial)

    def after(self, trials: IntArray, start: IntArray) -> IntArray:
        """Return the next event of each of `trials` from `start` on."""
        return self.table[self.row_of_trial[trials], start].astype(np.int64)


def union_mask(masks: Iterable[EventMask]) -> BoolArray:
    """Return the union of event masks."""
    return cast("BoolArray", np.logical_or.reduce([events.mask for events in dict.fromkeys(masks)]))


@dataclass(frozen=True, slots=True, eq=False)
class TrialTrades:
    """Trades of trials: those of the n-th are `codes[starts[n]:starts[n + 1]]`, oldest first.

    `skipped` counts its entries too small to open.
    """

    codes: IntArray
    starts: IntArray
    skipped: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class RemainingCash:
    """Cash of accounts that may be short of a slot: `made[n]` are the trades of the n-th so far.

    `left` is the cash after them, in units of 1e-8, and `net_pnls` computes what further trades add to it.
    """

    made: Sequence[IntArray]
    left: IntArray
    net_pnls: Callable[[IntArray], IntArray]

    def starts(self) -> IntArray:
        """Return the event from which each goes on."""
        return np.array([decode_trades(codes[-1:])[1][0] + 1 if len(codes) else 0 for codes in self.made])


def find_trades(
    next_entry: NextEvents,
    next_exit: NextEvents,
    book: HedgeBook,
    trials: IntArray,
    cash: RemainingCash | None = None,
) -> TrialTrades:
    """Return the trades of `trials`. Call inside `exact()`.

    With `cash` entries are sized by what there is of it; without, by slots.
    The last event closes everything; a pair whose position ends at an event is not entered again there.
    """
    # An `EventMask.next` has two entries more than events; `last` is the index of the last event.
    count, last = len(trials), next_entry.table.shape[1] - 3
    places, skipped = np.arange(count), np.zeros(count, dtype=np.int64)
    steps: list[tuple[IntArray, IntArray]] = []
    start = left = np.zeros(count, dtype=np.int64)
    if cash is not None:
        start, left = cash.starts(), cash.left.copy()
        steps.append((np.repeat(places, [len(codes) for codes in cash.made]), np.concatenate(cash.made)))
    while True:
        entries = next_entry.after(trials[places], start)
        going = entries < last
        places, entries = places[going], entries[going]
        if not len(places):
            return _trial_trades(steps, count, skipped)
        signals = np.minimum(next_exit.after(trials[places], entries + 1), last)
        hedges = book.opened(entries) if cash is None else book.opened_with(entries, left[places], signals)
        ends, reasons = _ends(signals, hedges, book, last)
        start = ends + 1
        # Too small an order opens nothing: the trial looks for its next entry from the next event on.
        fits = hedges >= 0
        if not fits.all():
            skipped[places[~fits]] += 1
            start[~fits] = entries[~fits] + 1
        codes = encode_trades(hedges[fits], ends[fits], reasons[fits])
        steps.append((places[fits], codes))
        if cash is not None:
            left[places[fits]] += cash.net_pnls(codes)


def _trial_trades(steps: Sequence[tuple[IntArray, IntArray]], count: int, skipped: IntArray) -> TrialTrades:
    none = np.empty(0, dtype=np.int64)
    places = np.concatenate([none, *(places for places, _ in steps)])
    codes = np.concatenate([none, *(codes for _, codes in steps)])
    starts = np.concatenate([[0], np.cumsum(np.bincount(places, minlength=count))])
    # Stable, so that the trades of a trial stay in order of time.
    return TrialTrades(codes[np.argsort(places, kind="stable")], starts, skipped)


def _ends(signals: IntArray, hedges: IntArray, book: HedgeBook, last: int) -> tuple[IntArray, IntArray]:
    """Return end events and reasons of hedges that a signal, or the last event, would end at `signals`."""
    never, margin_exits = last + 1, book.margin_exit_at[hedges]
    # The last event decides nothing and closes what is left; a liquidation on the way to it comes first.
    moments = {
        LIQUIDATION: book.liquidated_at[hedges],
        MARGIN: np.where(margin_exits < last, margin_exits, never),
        SIGNAL: np.where(signals < last, signals, never),
        END: np.full(len(signals), last),
    }
    # The first of equal moments is taken: rows are in the order of an event.
    table = np.stack([moments[reason] for reason in _ORDER.tolist()])
    first = table.argmin(axis=0)
    return table[first, np.arange(len(signals))], _ORDER[first]
