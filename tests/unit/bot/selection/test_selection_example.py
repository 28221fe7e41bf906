"""The example's report, equal to the last digit, however its trials are cut into parts."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import FIRST_DAY, example_panel, example_report, judged, lifetime_of, part_of, trials_of

from bot.selection.days.calendar import Calendar
from bot.selection.days.whole_returns import MOST_DAYS
from bot.selection.judging import judge
from bot.selection.looks import Lifetime, Look
from bot.selection.panel import Panel
from bot.selection.settings import ValidationSettings
from bot.selection.stored.report_text import report_of, report_text
from bot.selection.trial_sums import TrialSums

_PANEL, _TRIALS, _LIFETIME = example_panel()
_COUNT = len(_TRIALS.numbers)
_FEW_BLOCKS = Panel(_PANEL.calendar, _PANEL.objective, ValidationSettings(blocks=6))
_WHOLE = TrialSums.of(_FEW_BLOCKS, _TRIALS)
_WHOLE_OF_DEFAULTS = TrialSums.of(_PANEL, _TRIALS)


def _panel_of(days: int) -> Panel:
    return Panel(Calendar(FIRST_DAY, days), "sharpe")


def judged_text(parts: Sequence[TrialSums]) -> str:
    """Return the report on parts of the example as text, every bit of it."""
    return json.dumps(judge(_FEW_BLOCKS, parts, _LIFETIME).document())


def test_report_of_the_example_is_equal_to_the_last_digit() -> None:
    report = judge(_PANEL, [TrialSums.of(_PANEL, _TRIALS)], _LIFETIME)
    found, expected = report.document(), example_report()
    named = ("train", "test", "trial", "train_sharpe", "test_sharpe")
    folds = [{name: fold[name] for name in named} for fold in found.pop("walk_forward")["folds"]]
    assert folds == expected.pop("walk_forward")
    added = ("transfer", "random_entries", "plateau")
    assert [found.pop(name) for name in added] == [None] * 3
    assert found == expected


@settings(max_examples=12)
@given(
    st.permutations(range(_COUNT)),
    st.lists(st.integers(0, _COUNT), max_size=5),
    st.lists(st.integers(0, _COUNT - 1), max_size=4),
    st.randoms(use_true_random=False),
)
def test_any_cut_into_parts_and_any_order_of_them_gives_the_same_report(
    order: list[int], cuts: list[int], again: list[int], random: Random
) -> None:
    edges = [0, *sorted(cuts), _COUNT]
    chunks = [order[first:end] for first, end in pairwise(edges)]
    parts = [TrialSums.of(_FEW_BLOCKS, part_of(_TRIALS, chunk)) for chunk in [*chunks, again]]
    random.shuffle(parts)
    whole = judged_text([_WHOLE])
    assert judged_text(parts) == whole
    while len(parts) > 1:
        random.shuffle(parts)
        parts = [TrialSums.merged(parts[:2]), *parts[2:]]
    assert judged_text(parts) == whole


@settings(max_examples=12)
@given(st.permutations(range(_COUNT)), st.lists(st.integers(0, _COUNT), max_size=5))
def test_condensed_parts_give_the_same_report(order: list[int], cuts: list[int]) -> None:
    whole = [_WHOLE.condensed(_FEW_BLOCKS, few=0)]
    assert len(whole[0].rows.numbers) < len(_WHOLE.rows.numbers)
    edges = [0, *sorted(cuts), _COUNT]
    parts = [
        TrialSums.of(_FEW_BLOCKS, part_of(_TRIALS, order[first:end])).condensed(_FEW_BLOCKS, few=0)
        for first, end in pairwise(edges)
    ]
    again = [TrialSums.merged(parts).condensed(_FEW_BLOCKS, few=0)]
    assert judged_text(whole) == judged_text(parts) == judged_text(again) == judged_text([_WHOLE])


def test_a_trial_that_a_part_holds_twice_counts_once() -> None:
    twice = [TrialSums.of(_FEW_BLOCKS, part_of(_TRIALS, rows)) for rows in ([3, 3, 5, 5], range(_COUNT))]
    assert judged_text(twice) == judged_text([_WHOLE])


def test_trials_of_equal_and_nearly_equal_keys_rank_the_same_in_any_parts() -> None:
    base = np.random.default_rng(5).integers(-900, 1000, size=400) / 2.0**16
    noise = np.random.default_rng(6).integers(-900, 1000, size=(6, 400)) / 2.0**16
    nudged = base.copy()
    nudged[3] += 2.0**-16
    trials = trials_of([base, 2 * base, nudged, base / 4, *noise])
    whole = judged(trials).document()
    assert whole["pbo"]["picked"] >= 1
    panel = judged(trials).panel
    rows = list(range(len(trials.numbers)))
    for split in rows:
        parts = [TrialSums.of(panel, part_of(trials, one)) for one in (rows[split:], rows[:split])]
        for some in (parts, [part.condensed(panel, few=0) for part in parts]):
            assert judge(panel, some, lifetime_of(400, len(rows))).document() == whole


def test_a_distinct_trial_of_five_years_leaves_less_than_a_kilobyte() -> None:
    trials = trials_of(np.random.default_rng(1).normal(0, 1, size=(4, 1820)))
    sums = TrialSums.of(judged(trials).panel, trials)
    kept = [sums.rows.numbers, sums.rows.exponents, sums.eligible, sums.distinct]
    kept += [sums.rows.sums.totals, sums.rows.sums.squares, sums.rows.sums.active]
    for luck in (sums.cash, sums.hold):
        assert luck is not None
        kept += [luck.numbers, luck.sharpe, luck.tau]
    digests = 3 * 16
    assert sum(one.nbytes for one in kept) / 4 + digests < 1024


def test_parts_too_short_are_null_and_say_why() -> None:
    report = judged(trials_of(np.random.default_rng(1).normal(0, 1, size=(12, 80)))).document()
    assert {name: report[name] for name in ("cash", "hold", "pbo", "cv", "walk_forward")} == dict.fromkeys(
        ("cash", "hold", "pbo", "cv", "walk_forward")
    )
    assert report["missing"] == {
        "cash": "26 weeks needed, 11 held",
        "hold": "26 weeks needed, 11 held",
        "pbo": "84 days needed for 12 blocks, 80 held",
        "cv": "84 days needed for 12 blocks, 80 held",
        "walk_forward": "410 days needed, 80 held",
    }
    assert report["verdict"] == "too_little"


def test_a_search_without_an_eligible_trial_has_no_winner_and_says_why() -> None:
    report = judged(trials_of([[0.0] * 400, [0.1, -0.1] * 200], trades=[9, 4])).document()
    assert report["winner"] is None
    assert report["trials"] == {"tried": 2, "eligible": 0, "distinct": 0, "independent": None}
    assert report["missing"] == {
        "cash": "no eligible trial",
        "hold": "no eligible trial",
        "pbo": "2 distinct eligible trials needed, 0 held",
        "cv": "no eligible trial",
        "walk_forward": "410 days needed, 400 held",
    }


def test_a_winner_that_only_holds_adds_nothing_to_holding() -> None:
    market = np.array([3.0, 2.0, 4.0, -1.0] * 100)
    others = np.random.default_rng(2).normal(0, 1, size=(11, 400))
    report = judged(trials_of([market, *others], hold=market)).document()
    assert (report["winner"], report["hold"]["winner"], report["verdict"]) == (0, None, "holding")


def test_a_search_whose_trials_all_hold_has_no_luck_over_holding_and_says_why() -> None:
    market = np.array([3.0, 2.0, 4.0, -1.0] * 100)
    report = judged(trials_of([market, market], hold=market)).document()
    assert (report["trials"]["eligible"], report["winner"], report["hold"]) == (2, 0, None)
    said = "no eligible trial earned other than holding did in the newest whole weeks"
    assert report["missing"]["hold"] == said
    assert "cash" not in report["missing"]


def test_a_stored_report_is_the_report_to_the_last_digit() -> None:
    report = judge(_PANEL, [_WHOLE_OF_DEFAULTS], _LIFETIME)
    stored = report_of(report_text(report))
    assert stored == report
    assert stored.document() == report.document()


def test_a_stored_report_on_too_few_days_keeps_its_reasons() -> None:
    report = judged(trials_of([[1.0, -1.0] * 50]))
    assert report_of(report_text(report)).document() == report.document()
    assert report.missing["cash"] == "26 weeks needed, 14 held"


def test_a_report_over_more_looks_is_that_of_a_judgement_that_knew_them() -> None:
    own = Look("x", frozenset({"A"}), 0, _PANEL.calendar.days - 1, 14, 14)
    more = Lifetime.of(own, [Look("x", frozenset({"A"}), 0, 100, 90, 90, 12.0)])
    whole = [_WHOLE_OF_DEFAULTS]
    assert judge(_PANEL, whole, _LIFETIME).over(more).document() == judge(_PANEL, whole, more).document()


def test_equal_trials_leave_the_sums_of_one() -> None:
    returns = np.random.default_rng(5).normal(0.0, 0.01, (4, 400))
    every = trials_of(np.repeat(returns, 25, axis=0))
    part = TrialSums.of(_panel_of(400), every)
    assert part.rows.numbers.tolist() == part.distinct.tolist() == [0, 25, 50, 75]
    assert part.cash is not None
    assert part.cash.numbers.tolist() == [0, 25, 50, 75]
    assert len(part.eligible) == 100


def test_days_that_are_too_many_to_judge_leave_no_sums_of_no_trials() -> None:
    none = np.arange(0)
    trials = replace(trials_of(np.zeros((2, MOST_DAYS + 1))), numbers=none, row_of=none)
    trials = replace(trials, total_trades=none, funding_payments=none, objectives=none, pairs=(none, none))
    part = TrialSums.of(_panel_of(MOST_DAYS + 1), trials)
    assert part.distinct.tolist() == part.rows.numbers.tolist() == []
    assert (part.cash, part.hold, part.best) == (None, None, None)


def test_an_equal_trial_with_too_few_trades_does_not_stand_for_an_eligible_one() -> None:
    returns = np.repeat(np.random.default_rng(5).normal(0.0, 0.01, (1, 400)), 3, axis=0)
    part = TrialSums.of(_panel_of(400), trials_of(returns, trades=[1, 9, 9]))
    assert part.distinct.tolist() == [1]
    assert part.rows.numbers.tolist() == [0, 1]


def test_a_winner_whose_days_equal_those_of_a_lower_number_has_its_own_record() -> None:
    days = np.random.default_rng(6).normal(0.001, 0.01, (1, 400))
    report = judged(trials_of(np.repeat(days, 2, axis=0), objectives=[1.0, 2.0]))
    assert report.winner == 1
    assert report.cash is not None
    assert report.cash.winner is not None
    assert report.cash.winner.tau == judged(trials_of(days)).cash.winner.tau  # type: ignore[union-attr]
