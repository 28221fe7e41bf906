"""Columns split into planes: constant ones once, noise apart, nothing lost."""

import numpy as np
import pytest

from bot.numbers.planes import Column, SplitColumn, planes_of, slots, split_columns

RANDOM = np.random.default_rng(4)
NOISE = RANDOM.integers(-(2**63), 2**63 - 1, 3_000)


def joined(split: SplitColumn, count: int) -> bytes:
    """Return the planes of a split column in their order, the constant ones of `count` bytes again."""
    lone = split.constant.bit_count()
    once, raw, others = iter(split.plain[:lone]), split.plain[lone:], split.others.tobytes()
    lists = {
        kind: [data[at : at + count] for at in range(0, len(data), count)]
        for kind, data in (("raw", raw), ("others", others))
    }
    planes = []
    for plane in range(8):
        if split.constant >> plane & 1:
            planes.append(bytes([next(once)]) * count)
        else:
            planes.append(lists["raw" if split.noise >> plane & 1 else "others"].pop(0))
    return b"".join(planes)


@pytest.mark.parametrize(
    ("column", "constant", "noise"),
    [
        (NOISE, 0b0000_0000, 0b1111_1111),
        (NOISE & 0xFFFF, 0b1111_1100, 0b0000_0011),
        (NOISE & 0xFF00FF, 0b1111_1010, 0b0000_0101),
        (NOISE.repeat(3), 0, 0),
        (np.arange(3_000) // 40, 0b1111_1110, 0),
        (np.full(3_000, 7.5), 0b1111_1111, 0),
        (NOISE[:1], 0b1111_1111, 0),
    ],
)
def test_planes_are_told_by_kind(column: Column, constant: int, noise: int) -> None:
    (split,) = split_columns([column])
    assert (split.constant, split.noise) == (constant, noise)
    assert joined(split, len(column)) == planes_of(column).tobytes()


def test_columns_without_values_have_no_constant_plane() -> None:
    (split,) = split_columns([NOISE[:0]])
    assert (split.constant, split.noise, split.others.size) == (0, 0, 0)
    assert split_columns([]) == []


@pytest.mark.parametrize("count", [1_000, 4_000])
def test_taken_slots_tell_values_that_mostly_differ(count: int) -> None:
    bits, half = slots(count)
    assert 4 * count < 1 << bits <= 8 * count
    assert count * 0.44 < half < count * 0.5
    few, many = RANDOM.normal(size=int(count * 0.4)), RANDOM.normal(size=int(count * 0.6))
    split = split_columns([np.resize(values, count) for values in (few, many)])
    assert [bool(one.noise) for one in split] == [False, True]
