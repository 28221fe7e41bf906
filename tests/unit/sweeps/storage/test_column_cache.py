"""Columns are read once: blocks that were there are not read again, and memory is bounded."""

from typing import Any

import numpy as np
import pytest

from sweeps.storage.column_cache import OVERHEAD, ColumnCache


class Blocks:
    """Blocks of 50 numbers from `first` on, with a note of those that were read."""

    def __init__(self, *firsts: int) -> None:
        self.firsts = firsts
        self.read: list[int] = []

    def column(self, kept: ColumnCache, key: Any = "a", *firsts: int) -> list[int]:
        asked = firsts or self.firsts
        found: list[int] = kept.get(key, {first: first + 7 for first in asked}, self._read).tolist()
        return found

    def _read(self, wanted: list[int]) -> dict[int, Any]:
        self.read += wanted
        return {first: np.arange(first, first + 50) for first in wanted if first in self.firsts}


def test_a_column_is_read_once() -> None:
    kept, blocks = ColumnCache(), Blocks(0, 50)
    assert blocks.column(kept) == blocks.column(kept) == list(range(100))
    assert blocks.read == [0, 50]


def test_many_blocks_are_read_some_at_a_time_and_stand_in_their_order() -> None:
    asked: list[int] = []

    def read(wanted: list[int]) -> dict[int, Any]:
        asked.append(len(wanted))
        return {first: np.arange(first, first + 50) for first in reversed(wanted)}

    found = ColumnCache().get("a", dict.fromkeys(range(0, 3_500, 50), 7), read)
    assert found.tolist() == list(range(3_500))
    assert asked == [32, 32, 6]


def test_only_new_blocks_are_read_wherever_they_stand() -> None:
    kept, blocks = ColumnCache(), Blocks(0, 50, 100, 150)
    assert blocks.column(kept, "a", 50, 150) == [*range(50, 100), *range(150, 200)]
    assert blocks.column(kept) == list(range(200))
    assert blocks.read == [50, 150, 0, 100]
    assert kept.size == 200 * 8 + OVERHEAD


def test_block_of_another_size_is_read_again() -> None:
    kept, blocks = ColumnCache(), Blocks(0, 50)
    blocks.column(kept)
    kept.get("a", {0: 7, 50: 58}, blocks._read)
    assert blocks.read == [0, 50, 50]


def test_columns_of_other_keys_are_apart() -> None:
    kept, blocks = ColumnCache(), Blocks(0)
    blocks.column(kept, "a")
    blocks.column(kept, "b")
    assert blocks.read == [0, 0]


def test_the_columns_used_last_stay_while_there_is_room() -> None:
    kept, blocks = ColumnCache(most_bytes=2 * (50 * 8 + OVERHEAD)), Blocks(0)
    for key in ("a", "b", "a", "c", "a"):
        blocks.column(kept, key)
    assert len(blocks.read) == 3
    assert kept.size == 2 * (50 * 8 + OVERHEAD)
    blocks.column(kept, "b")
    assert len(blocks.read) == 4


def test_a_block_that_is_gone_is_told_and_nothing_of_the_column_kept() -> None:
    kept, blocks = ColumnCache(), Blocks(0)
    with pytest.raises(KeyError):
        blocks.column(kept, "a", 0, 50)
    assert kept.size == 0


@pytest.mark.parametrize("room", [0, 60, 200, 1_000])
def test_column_takes_as_much_room_as_it_has_rows_whatever_was_expected(room: int) -> None:
    kept, blocks = ColumnCache(), Blocks(0, 50, 100, 150)
    marks = dict.fromkeys(blocks.firsts, 7)
    assert kept.get("a", marks, blocks._read, room).tolist() == list(range(200))
    assert kept.size == 200 * 8 + OVERHEAD


def test_blocks_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError):
        ColumnCache().get("a", {0: 1, 1: 1}, lambda _: {0: np.arange(3), 1: np.arange(3) / 2})


def test_kept_columns_refuse_to_be_written_to() -> None:
    column = ColumnCache().get("a", {0: 1}, lambda _: {0: np.arange(3)})
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 1
