"""Rows kept in memory: those used last stay, up to a bound, and no trial that may yet complete."""

import sqlalchemy as sa

from sweeps.storage.row_cache import RowCache, SweepKey
from sweeps.storage.states import TrialState

KEY: SweepKey = (sa.make_url("sqlite:///one.db"), 1, 5)
MADE_ANEW: SweepKey = (sa.make_url("sqlite:///one.db"), 1, 6)


def row(number: int, state: TrialState = TrialState.COMPLETED) -> dict[str, object]:
    return {"number": number, "state": state}


def test_rows_used_last_stay_and_no_more_than_the_bound() -> None:
    cache = RowCache(most=3)
    cache.keep(KEY, {number: row(number) for number in (1, 2, 3)})
    assert cache.known(KEY, [1]) == {1: row(1)}
    cache.keep(KEY, {number: row(number) for number in (4, 5)})
    assert len(cache) == 3
    assert cache.known(KEY, [1, 2, 3, 4, 5]) == {number: row(number) for number in (1, 4, 5)}


def test_failed_trial_is_not_kept_since_it_may_yet_complete() -> None:
    cache = RowCache()
    cache.keep(KEY, {1: row(1, TrialState.FAILED), 2: row(2)})
    assert cache.known(KEY, [1, 2]) == {2: row(2)}


def test_sweep_of_a_database_made_anew_has_no_rows_of_the_one_before() -> None:
    cache = RowCache()
    cache.keep(KEY, {1: row(1)})
    assert cache.known(MADE_ANEW, [1]) == {}
