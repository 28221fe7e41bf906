"""Sums of trials stored and read again: the same report to the last digit."""

import json
from dataclasses import replace

import numpy as np
from judging import FIRST_DAY, example_panel, example_report, lifetime_of, part_of, trials_of

from bot.selection.days.calendar import Calendar
from bot.selection.judging import judge
from bot.selection.panel import Panel
from bot.selection.stored.packed_sums import head_of, sums_bytes, sums_of
from bot.selection.trial_sums import NO_OBJECTIVE, TrialReturns, TrialSums

_PANEL, _TRIALS, _LIFETIME = example_panel()


def stored(panel: Panel, trials: TrialReturns) -> TrialSums:
    """Return the sums of some trials after they were stored."""
    data = sums_bytes(trials.numbers, TrialSums.of(panel, trials))
    assert head_of(data).judged.tolist() == trials.numbers.tolist()
    return sums_of(data)


def test_report_of_stored_parts_of_the_example_is_equal_to_the_last_digit() -> None:
    parts = [stored(_PANEL, part_of(_TRIALS, range(first, 14, 3))) for first in range(3)]
    whole = TrialSums.of(_PANEL, _TRIALS)
    found = judge(_PANEL, parts, _LIFETIME).document()
    assert found == judge(_PANEL, [whole], _LIFETIME).document()
    expected = example_report()
    del expected["walk_forward"]  # its names differ; the line before compares them
    assert {name: found[name] for name in expected} == expected


def test_stored_sums_of_no_trial_and_of_too_few_weeks_stay_what_they_are() -> None:
    for panel, rows in ((_PANEL, []), (Panel(Calendar(FIRST_DAY, 100), "sharpe"), [0, 1])):
        days = panel.calendar.days
        trials = part_of(trials_of(np.random.default_rng(1).normal(0, 1, (2, days))), rows)
        sums = stored(panel, trials)
        assert (sums.cash is None) == (days == 100)
        assert sums.distinct.tolist() == rows
        report = judge(panel, [sums], _LIFETIME)
        assert json.dumps(report.document()) == json.dumps(
            judge(panel, [TrialSums.of(panel, trials)], _LIFETIME).document()
        )


def test_head_of_stored_sums_says_whether_the_kernel_replayed_their_trials() -> None:
    numbers, sums = _TRIALS.numbers, TrialSums.of(_PANEL, _TRIALS)
    assert not head_of(sums_bytes(numbers, sums)).by_kernel
    assert head_of(sums_bytes(numbers, sums, by_kernel=True)).by_kernel


def test_a_distinct_trial_over_five_years_takes_less_than_a_kilobyte() -> None:
    days = 1826
    trials = trials_of(np.random.default_rng(2).normal(0.0, 0.002, (1000, days)))
    panel = Panel(Calendar(FIRST_DAY, days), "sharpe")
    assert len(sums_bytes(trials.numbers, TrialSums.of(panel, trials))) < 1000 * 1024


def test_winner_is_the_one_that_earned_a_unit_more_in_whichever_part_it_is() -> None:
    returns = np.random.default_rng(5).normal(0.001, 0.002, (3, 200))
    trials = replace(trials_of(returns), objectives=np.array([2**60, 2**60 + 1, NO_OBJECTIVE]))
    panel = Panel(Calendar(FIRST_DAY, 200), "net_pnl")
    assert judge(panel, [TrialSums.of(panel, trials)], lifetime_of(200, 3)).winner == 1
    parts = [stored(panel, part_of(trials, [row])) for row in (1, 0, 2)]
    assert judge(panel, parts, lifetime_of(200, 3)).winner == 1
