"""Packed feasible cells of a search space, so that its constraints are evaluated once and never again."""

import json
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from sweeps.spec.space import FeasibleCells
from sweeps.storage.packing import compressed, unpacked

_LENGTH_BYTES = 8
_INT32_LIMIT = 2**31


def pack_feasible(parts: Sequence[FeasibleCells]) -> bytes:
    """Return the parts as bytes: the length of a JSON header, the header, the cells of each part."""
    blobs = [b"" if part.kept is None else _packed(part.kept) for part in parts]
    header = [
        {"all": part.kept is None, "bytes": len(blob), "rejected": part.rejected}
        for part, blob in zip(parts, blobs, strict=True)
    ]
    text = json.dumps(header, separators=(",", ":")).encode()
    return b"".join((len(text).to_bytes(_LENGTH_BYTES, "big"), text, *blobs))


def unpack_feasible(data: bytes) -> list[FeasibleCells]:
    """Return the parts that `pack_feasible` packed."""
    start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    header = json.loads(data[_LENGTH_BYTES:start])
    ends = list(accumulate((part["bytes"] for part in header), initial=start))
    blobs = [data[first:end] for first, end in pairwise(ends)]
    return [
        FeasibleCells(None if part["all"] else _unpacked(blob), tuple(part["rejected"]))
        for part, blob in zip(header, blobs, strict=True)
    ]


def _packed(kept: npt.NDArray[np.integer[Any]]) -> bytes:
    """Return cells as compressed differences: ascending ones, those of a grid, take next to nothing."""
    cells = kept.astype(np.int64)
    cells[1:] -= kept[:-1]
    return compressed(cells)


def _unpacked(blob: bytes) -> npt.NDArray[np.integer[Any]]:
    kept = np.cumsum(unpacked([blob], real=False), dtype=np.int64)
    return kept.astype(np.int32) if not len(kept) or int(kept.max()) < _INT32_LIMIT else kept
