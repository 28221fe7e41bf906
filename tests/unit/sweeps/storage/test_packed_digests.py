"""Digests as bytes: those that several trials share stand there once."""

import numpy as np
import pytest

from sweeps.storage.packing import packed_digests, unpacked_digests

WIDTH = 16
RANDOM = np.random.default_rng(1).integers(0, 256, (300, WIDTH), dtype=np.uint8)


@pytest.mark.parametrize("places", [[], [0], [0, 0, 0], list(range(300)), [5, 0, 5, 299, 0] * 40])
def test_digests_come_back_in_their_order(places: list[int]) -> None:
    digests = RANDOM[np.array(places, dtype=np.int64)]
    assert np.array_equal(unpacked_digests(packed_digests(digests), WIDTH), digests)


def test_a_shared_digest_takes_next_to_nothing_and_a_lone_one_its_own_bytes() -> None:
    assert len(packed_digests(np.repeat(RANDOM[:2], 500, axis=0))) < 200
    assert len(packed_digests(RANDOM)) == 300 * WIDTH + 4
