"""Structs of arrays are cut and joined row by row, with the structs inside them."""

from dataclasses import dataclass

import numpy as np

from bot.numbers.arrays import FloatArray, IntArray
from bot.numbers.struct_of_arrays import StructOfArrays


@dataclass(frozen=True, slots=True, eq=False)
class Legs(StructOfArrays):
    prices: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Hedges(StructOfArrays):
    numbers: IntArray
    legs: Legs


HEDGES = Hedges(np.array([4, 7, 9]), Legs(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])))


def test_some_rows_are_those_of_every_field() -> None:
    for rows in (np.array([0, 2]), np.array([True, False, True]), slice(0, 3, 2)):
        found = HEDGES.at(rows)
        assert (found.numbers.tolist(), found.legs.prices.tolist()) == ([4, 9], [[1.0, 2.0], [5.0, 6.0]])


def test_joined_parts_follow_one_another() -> None:
    found = Hedges.joined([HEDGES.at(slice(2, 3)), HEDGES.at(slice(0)), HEDGES.at(slice(0, 1))])
    assert (found.numbers.tolist(), found.legs.prices.tolist()) == ([9, 4], [[5.0, 6.0], [1.0, 2.0]])
