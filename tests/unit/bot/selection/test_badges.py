"""Badges of a candidate: each rule applies at its edge and not before, and says what it found."""

from typing import Any

import pytest

from bot.selection.badges import RULES, CandidateFacts, badges

SOUND: dict[str, Any] = {"trades": 20, "liquidations": 0, "lead": 0.01, "p_luck": 0.05, "best_month": 0.5}


def test_candidate_that_no_rule_speaks_against_has_no_badge() -> None:
    assert badges(CandidateFacts(**SOUND, best_regime=0.5)) == []


@pytest.mark.parametrize(
    ("name", "changes", "detail"),
    [
        ("never_traded", {"trades": 0}, "0 trades"),
        ("liquidated", {"liquidations": 1}, "1 liquidation"),
        ("cannot_win", {"refusal": "4 trades, 5 needed"}, "4 trades, 5 needed"),
        ("below_holding", {"lead": -1234.5}, "-1,234.50 beside holding over the whole window"),
        ("below_holding", {"lead": 0.0}, "0.00 beside holding over the whole window"),
        ("luck", {"p_luck": 0.051}, "chance of luck 5 %"),
        ("few_trades", {"trades": 19}, "19 trades"),
        ("border", {"borders": ["a has its lowest value, 1", "b"]}, "a has its lowest value, 1; b"),
        ("no_plateau", {"plateau": False}, "its surroundings are unknown"),
        ("no_plateau", {"plateau": False, "alone": "none of the 4 is eligible"}, "none of the 4 is eligible"),
        ("alike", {"alike": 2}, "2 other settings with equal results"),
        ("one_month", {"best_month": 0.51}, "best month: 51 % of the net P&L"),
        ("one_regime", {"best_regime": 1.2}, "best regime: 120 % of the net P&L"),
        ("data", {"data": ["3 of its settlements are missing"]}, "3 of its settlements are missing"),
    ],
)
def test_rule_that_applies_is_said_with_what_it_found(
    name: str, changes: dict[str, Any], detail: str
) -> None:
    [badge] = badges(CandidateFacts(**{**SOUND, **changes}))
    assert (badge.name, badge.detail) == (name, detail)
    assert badge.rule == next(rule.rule for rule in RULES if rule.name == name)


def test_candidate_that_never_traded_is_said_to_be_nothing_but_that() -> None:
    facts = CandidateFacts(trades=0, liquidations=0, lead=-5.0, refusal="flat, every daily return is zero")
    assert [badge.name for badge in badges(facts)] == ["never_traded"]
