"""Columns and digests as bytes: no bit is lost, single values are read, shared digests stand once."""

from typing import Any

import numpy as np
import pytest

from sweeps.storage.packing import PackedColumn, digest_at, packed, packed_digests, unpacked, unpacked_digests

WIDTH = 16
RANDOM = np.random.default_rng(1).integers(0, 256, (300, WIDTH), dtype=np.uint8)


@pytest.mark.parametrize("places", [[], [0], [0, 0, 0], list(range(300)), [5, 0, 5, 299, 0] * 40])
def test_digests_come_back_in_their_order(places: list[int]) -> None:
    digests = RANDOM[np.array(places, dtype=np.int64)]
    blob = packed_digests(digests)
    assert np.array_equal(unpacked_digests(blob, WIDTH), digests)
    assert [digest_at(blob, WIDTH, place) for place in range(len(places))] == [
        digest.tobytes() for digest in digests
    ]


def test_a_shared_digest_takes_next_to_nothing_and_a_lone_one_its_own_bytes() -> None:
    assert len(packed_digests(np.repeat(RANDOM[:2], 500, axis=0))) < 200
    assert len(packed_digests(RANDOM)) == 300 * WIDTH + 4


WHOLE = np.random.default_rng(2).integers(-(10**12), 10**12, 1_000)
REAL = np.random.default_rng(3).normal(size=1_000)
EDGES = np.array([-(2**63), 2**63 - 1, 0, -1] * 250)


@pytest.mark.parametrize(
    "column", [WHOLE, REAL, EDGES, WHOLE[:3], REAL[:0], np.arange(1_000), WHOLE.repeat(9), REAL.repeat(50)]
)
def test_columns_come_back_whole_and_value_by_value(column: Any) -> None:
    blob, real = packed(column), column.dtype == np.float64
    assert unpacked([blob, blob], real=real).tobytes() == column.tobytes() * 2
    opened = PackedColumn(blob)
    values = [opened.real(place) if real else opened.whole(place) for place in range(len(column))]
    assert values == column.tolist()
