"""Sharpe ratios over the sample of a calendar from what is stored of trials: those that reports have."""

import numpy as np
import pytest
from judging import FIRST_DAY, judged, trials_of

from bot.numbers.arrays import FloatArray
from bot.selection.track.sample_sharpe import padded_sharpes, sample_sharpes
from bot.selection.track.track_columns import TrackColumns

DAYS = 402
SAMPLE = 399


def stored(returns: FloatArray) -> tuple[FloatArray, ...]:
    """Return what is stored of trials with daily returns: the ratio of all days, psr, t_eff and moments."""
    columns = TrackColumns.of(FIRST_DAY, returns)
    all_days = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    return all_days, columns.psr, columns.t_eff, columns.skewness, columns.kurtosis


def drawn() -> FloatArray:
    """Return returns of heavy tails, gains and losses, some of them in runs, the first three days high."""
    random = np.random.default_rng(3)
    returns = random.standard_t(3, (60, DAYS)) * 0.01 + random.normal(0.0005, 0.002, (60, 1))
    returns[::2] += np.repeat(random.normal(0, 0.01, (30, DAYS // 6)), 6, axis=1)
    returns[:, : DAYS - SAMPLE] = 0.05
    return returns


def test_ratios_are_those_of_the_sample_where_they_differ_from_those_of_all_days() -> None:
    returns = drawn()
    records = [judged(trials_of(one[None])).document()["cash"]["winner"] for one in returns]
    wanted = np.array([record["sharpe"] for record in records])
    all_days, *others = stored(returns)
    assert np.abs(all_days / wanted - 1).min() > 1e-4
    assert sample_sharpes(SAMPLE, all_days, *others) == pytest.approx(wanted, rel=1e-12, abs=0)


def test_without_a_chance_between_0_and_1_they_are_those_of_all_days() -> None:
    all_days = np.array([0.5, -0.5, 0.25, np.nan])
    psr = np.array([1.0, 0.0, np.nan, np.nan])
    rest = np.full((3, 4), 30.0)
    assert sample_sharpes(SAMPLE, all_days, psr, *rest).tolist()[:3] == [0.5, -0.5, 0.25]
    assert np.isnan(sample_sharpes(SAMPLE, all_days, psr, *rest)[3])


def test_days_on_which_a_trial_was_not_there_count_as_days_without_a_return() -> None:
    returns = np.random.default_rng(5).normal(0.001, 0.01, (3, 200))
    returns[2] *= -1
    padded = np.concatenate([np.zeros((3, 190)), returns, np.zeros((3, 9))], axis=1)
    own, wanted = (one.mean(axis=1) / one.std(axis=1, ddof=1) for one in (returns, padded))
    found = padded_sharpes(SAMPLE, np.full(3, 200), own)
    assert found == pytest.approx(wanted, rel=1e-12, abs=0)
    assert (np.abs(found) < np.abs(own)).all()
