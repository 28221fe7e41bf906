"""Which round trips each trial makes: all trials step from entry to exit at the same time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.backtest.batch.columns import Mask
from bot.backtest.batch.hedges import NEVER, REASONS, HedgeBook, OpenedHedge
from bot.models import CloseReason

Whole = npt.NDArray[np.int64]
NO_TRIP = -1
_SIGNAL, _MARGIN, _LIQUIDATION, _END = (
    REASONS.index(reason)
    for reason in (CloseReason.SIGNAL, CloseReason.MARGIN, CloseReason.LIQUIDATION, CloseReason.END)
)


def next_true(mask: Mask) -> npt.NDArray[np.int32]:
    """Return, for each event and one past the last, the first event from there on where `mask` holds.

    Past the last event stands for never.
    """
    count = len(mask)
    marked = np.where(mask, np.arange(count, dtype=np.int32), np.int32(count))
    found = np.full(count + 2, count, dtype=np.int32)
    found[:count] = np.minimum.accumulate(marked[::-1])[::-1]
    return found


@dataclass(frozen=True, slots=True, eq=False)
class NextEvents:
    """Rows of `next_true`, one a distinct mask, and the row that each trial follows."""

    table: npt.NDArray[np.int32]
    row_of_trial: Whole

    @classmethod
    def of(cls, masks: Sequence[tuple[tuple[Any, ...], Mask]]) -> "NextEvents":
        """Return the rows of one mask a trial; equal keys share a row."""
        rows: dict[tuple[Any, ...], int] = {}
        table: list[npt.NDArray[np.int32]] = []
        row_of_trial = np.empty(len(masks), dtype=np.int64)
        for trial, (key, mask) in enumerate(masks):
            if key not in rows:
                rows[key] = len(table)
                table.append(next_true(mask))
            row_of_trial[trial] = rows[key]
        return cls(np.stack(table), row_of_trial)

    def after(self, trials: Whole, start: Whole) -> Whole:
        """Return the next event of each of `trials` from `start` on."""
        return self.table[self.row_of_trial[trials], start].astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Journeys:
    """The n-th round trip of each trial is in `trips[trial, n]`: an index into the book, or NO_TRIP.

    The trips of a trial are not always side by side: an entry too small to open leaves a hole, and is
    counted in `skipped`.
    """

    trips: Whole
    skipped: Whole


def walk(next_entry: NextEvents, next_exit: NextEvents, book: HedgeBook) -> Journeys:
    """Return the round trips of all trials. Call inside `bot.money.exact()`.

    The last event closes everything; a pair whose position ends at an event is not entered again there.
    """
    count, last = len(next_entry.row_of_trial), next_entry.table.shape[1] - 3
    cash, skipped = np.full(count, book.initial, dtype=np.int64), np.zeros(count, dtype=np.int64)
    trials, start = np.arange(count), np.zeros(count, dtype=np.int64)
    steps: list[Whole] = []
    while True:
        entries = next_entry.after(trials, start)
        going = entries < last
        trials, entries = trials[going], entries[going]
        if not len(trials):
            return Journeys(np.stack(steps, axis=1) if steps else np.empty((count, 0), np.int64), skipped)
        hedges = _hedges(entries, cash[trials], book)
        opened, liquidations, margin_exits = hedges
        ends, reasons = _ends(next_exit.after(trials, entries + 1), liquidations, margin_exits, last)
        fits = opened >= 0
        skipped[trials[~fits]] += 1
        trips = np.full(count, NO_TRIP, dtype=np.int64)
        trips[trials[fits]], nets = _close(opened[fits], ends[fits], reasons[fits], book)
        cash[trials[fits]] += nets
        steps.append(trips)
        start = np.where(fits, ends, entries) + 1


def _hedges(entries: Whole, cash: Whole, book: HedgeBook) -> tuple[Whole, Whole, Whole]:
    """Return the hedge of each trial that enters (-1 if too small), and where its margin ends it."""
    short = cash < book.slot
    distinct, place = np.unique(entries[~short], return_inverse=True)
    whole = _facts([book.opened(entry) for entry in distinct.tolist()])
    facts = np.empty((len(entries), 3), dtype=np.int64)
    facts[~short] = whole[place]
    if short.any():
        pairs = zip(entries[short].tolist(), cash[short].tolist(), strict=True)
        facts[short] = _facts([book.opened(entry, left) for entry, left in pairs])
    return facts[:, 0], facts[:, 1], facts[:, 2]


def _facts(hedges: Sequence[OpenedHedge | None]) -> Whole:
    nothing = (-1, NEVER, NEVER)
    rows = [nothing if h is None else (h.number, h.liquidated_at, h.margin_exit_at) for h in hedges]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 3)


def _close(hedges: Whole, ends: Whole, reasons: Whole, book: HedgeBook) -> tuple[Whole, Whole]:
    """Return the trips of hedges that end, and what each leaves in cash."""
    codes = (hedges << 32) | (ends << 2) | reasons
    distinct, place = np.unique(codes, return_inverse=True)
    latest_first = distinct[::-1].tolist()  # so that each hedge is followed once, as far as it is needed
    numbers = [book.closed(code >> 32, (code >> 2) & 0x3FFFFFFF, code & 3) for code in latest_first][::-1]
    nets = np.array([book.trips[number].net for number in numbers], dtype=np.int64)
    return np.array(numbers, dtype=np.int64)[place], nets[place]


def _ends(signals: Whole, liquidations: Whole, margin_exits: Whole, last: int) -> tuple[Whole, Whole]:
    ends, reasons = np.full(len(signals), last), np.full(len(signals), _END)
    for moments, reason, when in (
        (signals, _SIGNAL, signals < last),
        (margin_exits, _MARGIN, (margin_exits <= np.minimum(signals, last)) & (margin_exits < last)),
        (liquidations, _LIQUIDATION, liquidations <= np.minimum(np.minimum(signals, margin_exits), last)),
    ):
        ends[when], reasons[when] = moments[when], reason
    return ends, reasons
