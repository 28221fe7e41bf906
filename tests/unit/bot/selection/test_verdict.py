"""Verdicts and the sentences that say them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from judging import example_panel, judged, trials_of

from bot.errors import InvalidInputError
from bot.selection.judging import judge
from bot.selection.sentence import percent, sentence
from bot.selection.settings import ValidationSettings
from bot.selection.trial_sums import TrialSums
from bot.selection.verdict import MEANINGS, Evidence, Verdict
from bot.selection.walk_forward import Stitched
from bot.validation import validated

GOOD = {"distinct": 10, "p_life": 0.05, "p_hold": 0.5, "pbo": 0.5, "stitched": 0.01, "plateau": 0.01}


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, "holds_up"),
        ({"stitched": None, "plateau": None, "pbo": None}, "holds_up"),
        ({"distinct": 9, "p_life": 0.9}, "too_little"),
        ({"p_life": None}, "too_little"),
        ({"p_life": 0.051, "p_hold": 0.9}, "luck"),
        ({"p_hold": 0.51, "pbo": 0.9}, "holding"),
        ({"p_hold": None}, "holding"),
        ({"pbo": 0.51}, "fragile"),
        ({"stitched": 0.0}, "fragile"),
        ({"plateau": 0.0}, "fragile"),
    ],
)
def test_the_first_verdict_that_applies_is_given(changed: dict[str, float | None], verdict: str) -> None:
    assert Evidence(**{**GOOD, **changed}).verdict == verdict  # type: ignore[arg-type]


def test_every_verdict_has_words() -> None:
    assert set(MEANINGS) == set(Verdict)


def test_sentence_of_the_example_tells_luck_holding_and_overfitting() -> None:
    panel, trials, lifetime = example_panel()
    assert sentence(judge(panel, [TrialSums.of(panel, trials)], lifetime)) == (
        "Best of 14 trials: 13 distinct and eligible, worth about 10 independent ones; "
        "14 looks at these days so far. "
        "Sharpe 2.1, where luck alone finds 2.4 on average and 4.2 in one search of twenty. "
        "Chance of luck 57 %: 497 days are worth 249 independent ones. "
        "Sharpe of its lead over holding 0.8, where luck alone finds 2.2: chance of luck 94 %. "
        "Probability of overfitting 22 %. Luck explains the winner."
    )


def test_sharpe_ratio_without_a_value_has_the_same_sign_as_in_the_tables() -> None:
    panel, trials, lifetime = example_panel()
    report = judge(panel, [TrialSums.of(panel, trials)], lifetime)
    flat = Stitched({"net_pnl": "0", "sharpe": None}, {"net_pnl": "0", "sharpe": None}, [])
    assert "Walk-forward –, holding –." in sentence(replace(report, stitched=flat))


def test_sentence_of_too_few_weeks_says_how_many_are_needed() -> None:
    report = judged(trials_of(np.random.default_rng(1).normal(0, 1, size=(12, 98))))
    assert sentence(report) == (
        "Best of 12 trials: 12 distinct and eligible; 12 looks at these days so far. "
        "Too little to judge by: 26 weeks needed, 14 held."
    )


def test_a_small_chance_is_never_said_to_be_none() -> None:
    assert [percent(one) for one in (1.0, 0.0512, 0.01, 0.001996, 0.0)] == [
        "100 %",
        "5 %",
        "1 %",
        "0.2 %",
        "0 %",
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"blocks": 7}, "validation.blocks: 7 is not an even number from 6 to 16"),
        ({"blocks": 18}, "validation.blocks: 18 is not an even number from 6 to 16"),
        ({"blocks": "12"}, 'validation.blocks: "12": input should be a valid integer'),
        (
            {"test_blocks": 12},
            "validation.test_blocks: 12 is not from 1 to 11, one less than the blocks",
        ),
        ({"purge_days": -1}, "validation.purge_days: -1: input should be greater than or equal to 0"),
        (
            {"walk_forward": {"test_days": 0}},
            "validation.walk_forward.test_days: 0: input should be greater than or equal to 2",
        ),
        ({"folds": 3}, "validation.folds: is not a known parameter (given: 3)"),
        (
            {"walk_forward": {"anchor": True}},
            "validation.walk_forward.anchor: is not a known parameter (given: true)",
        ),
        (
            {"test_symbols": []},
            "validation.test_symbols: []: tuple should have at least 1 item after validation, not 0",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_refused_by_field(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        validated(ValidationSettings, settings, "validation.")
    assert str(caught.value) == message


def test_settings_that_are_left_out_are_those_of_a_sweep_that_says_nothing() -> None:
    assert validated(ValidationSettings, {"walk_forward": {}}) == ValidationSettings()


def test_trials_that_move_on_no_day_of_the_blocks_have_no_pbo_and_the_report_says_why() -> None:
    still = [0.0] * 96
    document = judged(trials_of([[0.01, 0.02, 0.0, 0.0, *still], [0.02, 0.01, 0.0, 0.0, *still]])).document()
    assert document["pbo"] is None
    assert document["missing"]["pbo"] == "no trial moves on a day of the blocks"
