"""Badges of a candidate: what speaks against trading it, each by a rule that is said with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.plurals import counted
from bot.selection.sentence import percent

FEW_TRADES = 20
LUCKY = 0.05
MOST_OF_IT = 0.5


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """Facts that the rules read; shares and chances are fractions, None where undefined.

    `alike` counts other settings with the very same results, `borders` names axes whose last value on one
    side it has, in words. `lead` is its net P&L less that of holding, in quote currency. `best_month` and
    `best_regime` are shares of its net P&L. `data` says what is wrong with the data it was replayed on.
    `alone` says, of one without a plateau, that nothing next to it is eligible; None where that is not known.
    """

    trades: int
    liquidations: int
    alike: int = 0
    borders: Sequence[str] = ()
    lead: float = 0.0
    p_luck: float | None = None
    best_month: float | None = None
    best_regime: float | None = None
    data: Sequence[str] = ()
    refusal: str | None = None
    plateau: bool = True
    alone: str | None = None


@dataclass(frozen=True, slots=True)
class Badge:
    """A rule that applies to a candidate: its words, the rule itself, and the figures that it found."""

    name: str
    title: str
    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A badge with the rule for it in words; `found` returns the figures, None where it does not apply."""

    name: str
    title: str
    rule: str
    found: Callable[[CandidateFacts], str | None]


def badges(facts: CandidateFacts) -> list[Badge]:
    """Return the badges of a candidate, in the order of the table."""
    found = ((one, one.found(facts)) for one in RULES)
    return [
        Badge(one.name, _title(one, facts), one.rule, detail) for one, detail in found if detail is not None
    ]


def _title(rule: "Rule", facts: CandidateFacts) -> str:
    return counted(facts.alike, rule.title) if rule.name == "alike" else rule.title


def _when(applies: bool, detail: str) -> str | None:
    return detail if applies else None


def _share(share: float | None, of: str) -> str | None:
    return None if share is None or share <= MOST_OF_IT else f"{of}: {100 * share:.0f} % of the net P&L"


RULES: Sequence[Rule] = (
    Rule(
        "never_traded",
        "never traded",
        "It opened no position in the whole window.",
        lambda facts: _when(facts.trades == 0, "0 trades"),
    ),
    Rule(
        "liquidated",
        "liquidated",
        "At least one short leg was liquidated.",
        lambda facts: _when(facts.liquidations > 0, counted(facts.liquidations, "liquidation")),
    ),
    Rule(
        "cannot_win",
        "cannot win",
        "The sweep's rules of judgement leave it out of every ranking.",
        lambda facts: facts.refusal if facts.trades else None,
    ),
    Rule(
        "below_holding",
        "less than holding",
        "Entering at once and holding, on the same account, made as much or more.",
        lambda facts: _when(
            facts.trades > 0 and facts.lead <= 0, f"{facts.lead:,.2f} beside holding over the whole window"
        ),
    ),
    Rule(
        "luck",
        "may be luck",
        f"Luck alone shows such a Sharpe ratio in more than {percent(LUCKY)} of searches like this one.",
        lambda facts: (
            None
            if facts.p_luck is None or facts.p_luck <= LUCKY
            else f"chance of luck {percent(facts.p_luck)}"
        ),
    ),
    Rule(
        "few_trades",
        "few trades",
        f"Fewer than {FEW_TRADES} closed trades: averages of so few can change with the next one.",
        lambda facts: _when(0 < facts.trades < FEW_TRADES, counted(facts.trades, "trade")),
    ),
    Rule(
        "border",
        "border of the grid",
        "It has the last value of an axis, and the value before is worse: better ones may lie outside.",
        lambda facts: _when(bool(facts.borders), "; ".join(facts.borders)),
    ),
    Rule(
        "no_plateau",
        "no plateau",
        "It has too few neighbours to compare it with, or none of them is eligible.",
        lambda facts: _when(
            not facts.plateau and facts.refusal is None, facts.alone or "its surroundings are unknown"
        ),
    ),
    Rule(
        "alike",
        "equal setting",
        "Other settings have the very same results: what differs between them did not matter.",
        lambda facts: _when(facts.alike > 0, f"{counted(facts.alike, 'other setting')} with equal results"),
    ),
    Rule(
        "one_month",
        "one month makes it",
        "More than half of the net P&L came in one month.",
        lambda facts: _share(facts.best_month, "best month"),
    ),
    Rule(
        "one_regime",
        "one regime makes it",
        "More than half of the net P&L came at one level of funding, although there were others.",
        lambda facts: _share(facts.best_regime, "best regime"),
    ),
    Rule(
        "data",
        "data",
        "The data that it was replayed on are stale, lack settlements, or have warnings.",
        lambda facts: _when(bool(facts.data), "; ".join(facts.data)),
    ),
)
"""Every rule, the gravest first."""
