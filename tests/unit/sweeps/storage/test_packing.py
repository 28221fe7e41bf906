"""Columns and digests as bytes: no bit is lost, single values are read, shared digests stand once."""

import zlib
from typing import Any

import numpy as np
import pytest

from bot.numbers.planes import split_columns
from sweeps.storage import packing
from sweeps.storage.packing import (
    PackedColumn,
    compressed,
    digest_at,
    packed,
    packed_columns,
    packed_digests,
    unpacked,
    unpacked_digests,
)

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


@pytest.mark.parametrize("places", [[0, 1, 0, 2], [2, 1, 0]])
def test_digests_that_begin_alike_are_told_apart(places: list[int]) -> None:
    digests = RANDOM[places]
    digests[:, :8] = 7
    blob = packed_digests(digests)
    assert blob[:4] == (3).to_bytes(4, "big")
    assert np.array_equal(unpacked_digests(blob, WIDTH), digests)
    assert [digest_at(blob, WIDTH, at) for at in range(len(places))] == [one.tobytes() for one in digests]


def test_a_shared_digest_takes_next_to_nothing_and_a_lone_one_its_own_bytes() -> None:
    assert len(packed_digests(np.repeat(RANDOM[:2], 500, axis=0))) < 200
    assert len(packed_digests(RANDOM)) == 300 * WIDTH + 4


WHOLE = np.random.default_rng(2).integers(-(10**12), 10**12, 1_000)
REAL = np.random.default_rng(3).normal(size=1_000)
EDGES = np.array([-(2**63), 2**63 - 1, 0, -1] * 250)


NOISY_AND_CONSTANT = WHOLE & 0xFFFF
"""Two planes of noise below six of zeros."""
COLUMNS = [
    WHOLE,
    REAL,
    EDGES,
    WHOLE[:3],
    REAL[:0],
    REAL[:1],
    np.arange(1_000),
    WHOLE.repeat(9),
    REAL.repeat(50),
    np.full(1_000, np.nan),
    NOISY_AND_CONSTANT,
    NOISY_AND_CONSTANT << 40,
]


@pytest.fixture(params=["library", "NumPy"])
def split(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have columns split by the compiled library where there is one, and by NumPy."""
    if request.param == "NumPy":
        monkeypatch.setattr(packing, "fastest_split", lambda: split_columns)


@pytest.mark.usefixtures("split")
@pytest.mark.parametrize("pack", [packed, compressed])
@pytest.mark.parametrize("column", COLUMNS)
def test_columns_come_back_whole_and_value_by_value(column: Any, pack: Any) -> None:
    blob, real = pack(column), column.dtype == np.float64
    assert unpacked([blob, blob], real=real).tobytes() == column.tobytes() * 2
    opened = PackedColumn(blob)
    values = [opened.real(place) if real else opened.whole(place) for place in range(len(column))]
    assert np.array_equal(values, column, equal_nan=real)


@pytest.mark.parametrize("count", [0, 1, 1_000, 30_000])
def test_columns_packed_together_are_packed_as_each_alone(count: int) -> None:
    columns = [np.resize(column, count) for column in COLUMNS if len(column)]
    assert packed_columns(columns) == [packed(column) for column in columns]
    assert packed_columns([]) == []


def test_noise_stands_as_it_is_and_constant_planes_take_a_byte() -> None:
    blob = packed(NOISY_AND_CONSTANT)
    planes = NOISY_AND_CONSTANT.astype("<i8").view(np.uint8).reshape(-1, 8).T
    assert blob[7:13] == bytes(6)
    assert blob[13:-4] == planes[:2].tobytes()
    assert len(packed(np.full(1_000, 7.5))) == 7 + 8 + 4


def test_repeated_values_are_compressed_however_noisy_their_bytes_are() -> None:
    blob = packed(REAL[:100].repeat(10))
    assert blob[2] == 0  # no plane stands as it is
    assert len(blob) < 10 * 1_000 // 4


@pytest.mark.parametrize("at", [3, 20, -1])
def test_column_with_a_byte_changed_is_refused_rather_than_read(at: int) -> None:
    damaged = bytearray(packed(WHOLE))
    damaged[at] ^= 1
    with pytest.raises(zlib.error, match="checksum"):
        PackedColumn(bytes(damaged))
    with pytest.raises(zlib.error, match="checksum"):
        unpacked([bytes(damaged)], real=False)
