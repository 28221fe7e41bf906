"""Sums of trials as bytes to be stored, every bit of them, and back."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import IntArray
from bot.numbers.deflate import Inflation, deflated, inflated
from bot.selection.days.digests import DIGEST_BYTES, WORDS, Digests
from bot.selection.days.ranking import Rows
from bot.selection.days.segments import SegmentSums
from bot.selection.luck import LuckSums
from bot.selection.track.track_record import TrackRecord
from bot.selection.trial_sums import Candidate, TrialSums

_HEAD_BYTES = 4

Arrays = dict[str, npt.NDArray[Any]]


class SumsHead(NamedTuple):
    """Trials of some sums, and whether the compiled kernel replayed them all, so that it soon would again."""

    judged: IntArray
    by_kernel: bool


def sums_bytes(judged: IntArray, sums: TrialSums, *, by_kernel: bool = False) -> bytes:
    """Return the sums of the trials `judged`, and the numbers of these, which need not have any."""
    arrays: Arrays = {
        "judged": judged,
        "rows": sums.rows.numbers,
        "exponents": sums.rows.exponents,
        "totals": sums.rows.sums.totals,
        "squares": sums.rows.sums.squares,
        "active": sums.rows.sums.active,
        "blocks": sums.blocks.numbers,
        "blocks.exponents": sums.blocks.exponents,
        "blocks.totals": sums.blocks.sums.totals,
        "blocks.squares": sums.blocks.sums.squares,
        "eligible": sums.eligible,
        "distinct": sums.distinct,
        "digests": _rows_of(sums.digests),
        **_luck_arrays("cash", sums.cash, sums),
        **_luck_arrays("hold", sums.hold, sums),
    }
    shapes = {name: [array.dtype.str, array.shape] for name, array in arrays.items()}
    best = sums.best and asdict(sums.best)
    head = json.dumps({"arrays": shapes, "best": best, "by_kernel": by_kernel}).encode()
    return deflated(_written(len(head).to_bytes(_HEAD_BYTES, "little") + head, list(arrays.values())))


def head_of(data: bytes) -> SumsHead:
    """Return the trials alone that `sums_bytes` wrote down, and how they were replayed."""
    stream = Inflation(data)
    head = json.loads(stream.read(int.from_bytes(stream.read(_HEAD_BYTES), "little")))
    kind, shape = head["arrays"]["judged"]  # the first of them
    judged = _array(stream.read(_size(kind, shape)), kind, shape)
    return SumsHead(judged, head.get("by_kernel", False))  # older sums do not say


def sums_of(data: bytes) -> TrialSums:
    """Return the sums that `sums_bytes` wrote down."""
    head, arrays = _opened(data)
    segments = SegmentSums(arrays["totals"], arrays["squares"], arrays["active"])
    blocks = SegmentSums(
        arrays["blocks.totals"], arrays["blocks.squares"], np.empty((len(arrays["blocks"]), 0), np.uint8)
    )
    return TrialSums(
        Rows(arrays["rows"], arrays["exponents"], segments),
        Rows(arrays["blocks"], arrays["blocks.exponents"], blocks),
        arrays["eligible"],
        arrays["distinct"],
        _digests_of(arrays["digests"]),
        _luck_of("cash", arrays),
        _luck_of("hold", arrays),
        _candidate(head["best"]),
    )


def _opened(data: bytes) -> tuple[dict[str, Any], Arrays]:
    """Return the head of sums and their arrays by name."""
    raw = inflated(data)
    at = _HEAD_BYTES + int.from_bytes(raw[:_HEAD_BYTES], "little")
    head, arrays = json.loads(raw[_HEAD_BYTES:at]), Arrays()
    for name, (kind, shape) in head["arrays"].items():
        size = _size(kind, shape)
        arrays[name] = _array(memoryview(raw)[at : at + size], kind, shape)
        at += size
    return head, arrays


def _size(kind: str, shape: list[int]) -> int:
    return np.dtype(kind).itemsize * math.prod(shape)


def _array(planes: bytes | memoryview, kind: str, shape: list[int]) -> npt.NDArray[Any]:
    """Return the array with these planes, in memory of its own."""
    dtype, count = np.dtype(kind), math.prod(shape)
    found = np.frombuffer(planes, dtype=np.uint8).reshape(dtype.itemsize, count).T.copy()
    return found.reshape(-1).view(dtype).reshape(shape)


def _written(head: bytes, arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.uint8]:
    """Return a head and the planes of arrays: the first bytes of all values, then the second ones, and so on.

    Bytes that are alike stand together.
    """
    found = np.empty(len(head) + sum(array.nbytes for array in arrays), dtype=np.uint8)
    at = len(head)
    found[:at] = np.frombuffer(head, dtype=np.uint8)
    for array in arrays:
        flat = np.ascontiguousarray(array).reshape(-1)
        planes = found[at : at + flat.nbytes].reshape(flat.itemsize, len(flat))
        planes[:] = flat.view(np.uint8).reshape(len(flat), flat.itemsize).T
        at += flat.nbytes
    return found


def _rows_of(digests: Digests) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(digests).view(np.uint8).reshape(len(digests), DIGEST_BYTES)


def _digests_of(rows: npt.NDArray[np.uint8]) -> Digests:
    return rows.view(np.uint64).reshape(len(rows), WORDS)


def _luck_arrays(name: str, luck: LuckSums | None, sums: TrialSums) -> Arrays:
    """Return the arrays of sums against a benchmark, without what those of the trials themselves repeat."""
    if luck is None:
        return {}
    own: Arrays = {}
    if not (np.array_equal(luck.numbers, sums.distinct) and np.array_equal(luck.digests, sums.digests)):
        own = {f"{name}.numbers": luck.numbers, f"{name}.digests": _rows_of(luck.digests)}
    return own | {
        f"{name}.sharpe": luck.sharpe,
        f"{name}.tau": luck.tau,
        f"{name}.highest": luck.highest,
        f"{name}.highest_in_taus": luck.highest_in_taus,
    }


def _luck_of(name: str, arrays: Arrays) -> LuckSums | None:
    if f"{name}.sharpe" not in arrays:
        return None
    return LuckSums(
        arrays.get(f"{name}.numbers", arrays["distinct"]),
        _digests_of(arrays.get(f"{name}.digests", arrays["digests"])),
        arrays[f"{name}.sharpe"],
        arrays[f"{name}.tau"],
        arrays[f"{name}.highest"],
        arrays[f"{name}.highest_in_taus"],
    )


def _candidate(document: dict[str, Any] | None) -> Candidate | None:
    if document is None:
        return None
    records = {name: document[name] and TrackRecord(**document[name]) for name in ("cash", "hold")}
    return Candidate(document["number"], document["objective"], **records)
