"""The parts of a net P&L as bars from one running sum to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from api.work.replays import Study
from bot.backtest.attribution import Attribution, attribute
from bot.hedges.evidence.engine_choice import pair_trades
from bot.hedges.journal.records import attribution_by_leg
from bot.numbers.money import ZERO, exact

WIDTH = 1000
_LABELS = {
    "funding": ("Funding", "received less paid at settlements"),
    "fees": ("Fees", "fees of all fills, both legs; makers may be paid"),
    "basis": ("Basis", "what the legs gained on each other, at the last prices"),
    "slippage": ("Slippage", "what fills lost against the last prices; makers may gain"),
    "impact": ("Market impact", "what the size of the orders added to slippage"),
    "liquidations": ("Liquidations", "lost margins, with the gains of the other legs"),
    "adl": ("Closed by ADL", "what the legs gained on each other where an exchange closed one"),
    "liquidation_fees": ("Liquidation fees", "fees of exchanges for liquidating a leg"),
    "coins": ("Worth of coins", "change in value of coins paid and received until they were sold"),
    "borrow_cost": ("Interest", "interest on borrowed coins, for each hour begun"),
    "transfer_cost": ("Transfers", "fees of moving margin and cash"),
}
_ALWAYS = frozenset({"funding", "fees", "basis", "slippage"})
"""Parts that are shown even where there is nothing of them."""


@dataclass(frozen=True, slots=True)
class Step:
    """A bar: from `x` on, `width` wide, on a scale of WIDTH; of hedges the amounts of both legs."""

    name: str
    label: str
    explained: str
    amount: Decimal
    x: float
    width: float
    long: Decimal | None = None
    short: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The steps from nothing to the net P&L, the last one being the net itself."""

    steps: Sequence[Step]
    zero: float


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of a net P&L, and those of each leg where they are known."""

    whole: Attribution
    long: Attribution | None = None
    short: Attribution | None = None


def parts_of(study: Study, index: int | None = None) -> Parts:
    """Return the parts of the net P&L of a run, or of one of its trades."""
    with exact():
        if study.journal is None:
            trades = pair_trades(study.result)
            chosen = trades if index is None else [trades[index]]
            return Parts(attribute(chosen, study.result.config.costs))
        if index is not None:
            hedge = study.journal.hedges[index]
            return Parts(hedge.parts, hedge.long, hedge.short)
        by_leg = attribution_by_leg(study.journal)
        return Parts(by_leg.whole, by_leg.long, by_leg.short)


def waterfall(found: Parts) -> Waterfall:
    """Return the bars of the parts of a net P&L; of what there is nothing of there is mostly none."""
    parts = found.whole
    with exact():
        net, bars, before = parts.net_pnl, list[tuple[str, Decimal, Decimal]](), ZERO
        for name in _LABELS:
            amount = getattr(parts, name)
            if amount or name in _ALWAYS:
                bars.append((name, before, before + amount))
                before += amount
    edges = [ZERO, net, *(edge for _, *pair in bars for edge in pair)]
    low, high = float(min(edges)), float(max(edges))
    scale = WIDTH / (high - low) if high > low else 0.0

    def step(name: str, label: str, explained: str, start: Decimal, end: Decimal) -> Step:
        left, right = sorted((float(start), float(end)))
        legs = (
            None if own is None or name == "net" else getattr(own, name) for own in (found.long, found.short)
        )
        return Step(name, label, explained, end - start, (left - low) * scale, (right - left) * scale, *legs)

    with exact():
        steps = [step(name, *_LABELS[name], start, end) for name, start, end in bars]
        steps.append(step("net", "Net P&L", "the sum of the parts, exact", ZERO, net))
    return Waterfall(steps, -low * scale)
