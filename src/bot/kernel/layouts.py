"""The kernel's structures of `source/layout.h`, as ctypes and numpy see them."""

import ctypes
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from bot.statistics.trial_metrics import USUAL_METRICS

MASK_64 = (1 << 64) - 1

LEDGER_BYTES = 16

_WINDOW_COUNTS = ("events", "pairs", "days", "weeks", "months", "draws", "has_end")
WINDOW_POINTERS = (
    "times",
    "day_ends",
    "month_ends",
    "moments",
    "spot_f",
    "perp_f",
    "flow",
    "flow_low",
    "worst",
    "candles_before",
    "candle_closed",
    "candle_high",
    "spots_from",
    "spot_closed",
    "spot_close",
    "missing_from",
    "missing",
    "end_ms",
    "end_event",
    "end_last_event",
    "end_spot",
    "end_perp",
    "end_settle",
    "end_recorded",
    "symbol_order",
    "symbol_code",
    "largest_spot",
    "largest_perp",
    "largest_flow",
    "largest_flow_low",
    "sum_of_flows",
    "largest_mark",
    "week_products",
)


class Window(ctypes.Structure):
    """Pointers to the columns of a window."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in _WINDOW_COUNTS),
        ("correction", ctypes.c_double),
        *((name, ctypes.c_void_p) for name in WINDOW_POINTERS),
        ("rules", ctypes.c_void_p),
        ("columns", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
    ]


SERIES_COLUMNS = ("spot", "perp", "mark", "high", "paid_mark", "rate", "fresh", "pays", "has_high")
PAIR_COLUMNS = ("moments", "spot_f", "perp_f", "flow", "flow_low", "worst")
LARGEST = (
    "largest_spot",
    "largest_perp",
    "largest_flow",
    "largest_flow_low",
    "sum_of_flows",
    "largest_mark",
)


class Series(ctypes.Structure):
    """Pointers to the columns of a pair."""

    _fields_ = [(name, ctypes.c_void_p) for name in SERIES_COLUMNS]


class PairColumns(ctypes.Structure):
    """Pointers to the columns of pairs, and to what a window makes of them."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("events", "pairs")),
        *((name, ctypes.c_void_p) for name in ("series", *PAIR_COLUMNS, *LARGEST)),
    ]


class Batch(ctypes.Structure):
    """Pointers to the trials of one call, and to what comes back."""

    _fields_ = [
        ("runs", ctypes.c_void_p),
        ("baseline", ctypes.c_void_p),
        ("accounts", ctypes.c_void_p),
        ("decisions", ctypes.c_void_p),
        ("count", ctypes.c_int64),
        ("source", ctypes.c_void_p),
        ("metrics", ctypes.c_void_p),
        ("fits", ctypes.c_void_p),
        ("grows", ctypes.c_void_p),
        ("ledgers", ctypes.c_void_p),
        ("returns", ctypes.c_void_p),
        ("hold_returns", ctypes.c_void_p),
    ]


class Luck(ctypes.Structure):
    """Pointers to weekly sums and the steps of draws, and to what comes back."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("trials", "weeks", "draws", "days")),
        *(
            (name, ctypes.c_void_p)
            for name in ("weekly", "deviations", "steps_from", "step_week", "step_count")
        ),
        ("correction", ctypes.c_double),
        *((name, ctypes.c_void_p) for name in ("tau", "highest", "highest_in_taus")),
    ]


class Comparison(ctypes.Structure):
    """Pointers to trials, windows and the trial of each of these, and to what comes back."""

    _fields_ = [
        *(
            (name, ctypes.c_int64)
            for name in ("rows", "segments", "parts", "windows", "places", "by_money", "fewest_active")
        ),
        ("doubt", ctypes.c_double),
        *(
            (name, ctypes.c_void_p)
            for name in (
                *("part_from", "part_segment", "one_part", "other_part"),
                *("numbers", "exponents", "scales", "totals", "squares", "active"),
                *("low", "high", "total", "square", "exponent", "number", "row", "worse", "equal"),
            )
        ),
    ]


class Judged(ctypes.Structure):
    """Pointers to rows of daily returns, and to the sums that come back."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("rows", "days", "weeks", "pieces")),
        *(
            (name, ctypes.c_void_p)
            for name in (
                *("returns", "holds", "places", "held", "edges"),
                *("exponents", "usable", "digests", "texts"),
                *("weekly", "sharpe", "deviations", "totals", "squares", "active"),
            )
        ),
    ]


class RowPairs(ctypes.Structure):
    """Pointers to pairs of rows of daily returns, and to the first equal ones that come back."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("pairs", "days")),
        *((name, ctypes.c_void_p) for name in ("returns", "holds", "own", "held", "first")),
    ]


class RunKeys(ctypes.Structure):
    """Pointers to the texts of run keys, and to what comes back."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("trials", "depth", "pieces")),
        ("texts", ctypes.c_char_p),
        *((name, ctypes.c_void_p) for name in ("starts", "numbers", "order", "keys")),
    ]


class Columns(ctypes.Structure):
    """Pointers to columns, and to the planes that come back."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("columns", "count", "bits", "half", "step")),
        *((name, ctypes.c_void_p) for name in ("values", "masks", "planes")),
    ]


_NUMBER = ("<i8", (2,))
"""Whole number and decimal places."""
MOMENT = np.dtype(
    [
        *((name, "<i8") for name in ("spot", "perp", "mark", "high", "worst_after")),
        *((name, "<f8") for name in ("flow", "flow_low")),
        *((name, "<i4") for name in ("settled", "fresh")),
    ]
)
RULES = np.dtype(
    [
        ("step", "<i8"),
        ("min_steps", "<i8"),
        ("min_notional", "<u8", (2,)),
        ("mmr", *_NUMBER),
        *(
            (name, "<i8")
            for name in ("quantity_places", "spot_places", "perp_places", "flow_places", "mark_places")
        ),
    ]
)
ACCOUNT_NUMBERS = (
    "slippage",
    "spot_taker",
    "perp_taker",
    "leverage",
    "margin_exit_ratio",
    "allocation",
    "max_position_size",
    "max_portfolio_exposure",
)
CONDITIONS = 3
PARAMETERS = np.dtype(
    [
        *((name, "<i8") for name in ("capital", "slots", "compounds", "ends_dead")),
        *((name, *_NUMBER) for name in ACCOUNT_NUMBERS),
    ]
)
DECISIONS = np.dtype(
    [
        ("enter_columns", "<i8", (CONDITIONS,)),
        *(
            (name, "<i8")
            for name in ("best_column", "stay_column", "order_values", "share_values", "share_places")
        ),
    ]
)
RUN = np.dtype(
    [
        ("account", "<i8"),
        ("decisions", "<i8"),
        ("enter_from", "<i8", (CONDITIONS,)),
        ("stay_from", "<i8"),
    ]
)
SIZES = (
    ctypes.sizeof(Window),
    MOMENT.itemsize,
    RULES.itemsize,
    PARAMETERS.itemsize,
    DECISIONS.itemsize,
    RUN.itemsize,
    ctypes.sizeof(Batch),
    ctypes.sizeof(Luck),
    ctypes.sizeof(Judged),
    ctypes.sizeof(RowPairs),
    ctypes.sizeof(RunKeys),
    ctypes.sizeof(Columns),
    ctypes.sizeof(Series),
    ctypes.sizeof(PairColumns),
    ctypes.sizeof(Comparison),
    len(USUAL_METRICS),
)
"""Answer of `carrygrid_layout` of a library that fits."""


def address(array: npt.NDArray[Any]) -> int:
    """Return where the data of a contiguous array begin; mostly in a seventh of the time of `ctypes.data`."""
    # Of a structure the buffer would be described field by field.
    if array.dtype.kind == "V" or not array.size or not array.flags.writeable:
        return array.ctypes.data
    return ctypes.addressof(ctypes.c_char.from_buffer(cast("Any", array)))


def pointers(arrays: Sequence[npt.NDArray[Any]]) -> "ctypes.Array[ctypes.c_void_p]":
    """Return an array of pointers to the data of arrays, which have to be kept."""
    return (ctypes.c_void_p * max(1, len(arrays)))(*map(address, arrays))
