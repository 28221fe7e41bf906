"""Trials that booked the very same: one group, and no other trial in it."""

import numpy as np
import pytest

from sweeps.analysis import equal_results
from sweeps.storage.blocks import Measured


def done(*booked: tuple[int, ...]) -> Measured:
    columns = np.array(booked, dtype=np.int64).T
    every = np.ones(len(booked), dtype=np.bool_)
    return Measured(np.arange(len(booked)), dict(zip(equal_results.ALIKE, columns, strict=True)), every)


SAME, OTHER_SIGN, OTHER_FEE = (5, 2, 0, 3, 9, 0), (-5, 2, 0, 3, 9, 0), (5, 3, 0, 3, 9, 0)


@pytest.mark.parametrize("mix", [None, np.uint64(0)], ids=["keys apart", "one key for all"])
def test_trials_are_in_one_group_if_every_amount_is_the_same(
    mix: np.uint64 | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mix is not None:
        monkeypatch.setattr(equal_results, "_MIX", mix)
    groups = equal_results.alike_groups(done(SAME, OTHER_SIGN, SAME, OTHER_FEE, SAME, OTHER_FEE)).tolist()
    assert groups[0] == groups[2] == groups[4]
    assert groups[3] == groups[5]
    assert len({groups[0], groups[1], groups[3]}) == 3


def test_no_trials_are_no_groups() -> None:
    assert equal_results.alike_groups(Measured.nothing(equal_results.ALIKE)).tolist() == []
