"""The parts of a net P&L as bars from one running sum to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.backtest import RunResult
from bot.backtest.attribution import Attribution, attribute
from bot.models import Trade
from bot.numbers.money import ZERO, exact

WIDTH = 1000
_LABELS = {
    "funding": ("Funding", "received less paid at settlements"),
    "fees": ("Fees", "fees of all fills, both legs; makers may be paid"),
    "basis": ("Basis", "what the legs gained on each other, at the last prices"),
    "slippage": ("Slippage", "what fills lost against the last prices; makers may gain"),
    "liquidations": ("Liquidations", "lost margins, beside what the spot legs gained"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A bar: from `x` on, `width` wide, on a scale of WIDTH; `zero` is where nothing would be."""

    name: str
    label: str
    explained: str
    amount: Decimal
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The steps from nothing to the net P&L, the last one being the net itself."""

    steps: Sequence[Step]
    zero: float


def attribution_of(result: RunResult, trades: Sequence[Trade]) -> Attribution:
    """Return the parts of the net P&L of some of a run's trades."""
    with exact():
        return attribute(trades, result.config.costs)


def waterfall(parts: Attribution) -> Waterfall:
    """Return the bars of `parts`; no liquidations, no bar for them."""
    with exact():
        net, bars, before = parts.net_pnl, list[tuple[str, Decimal, Decimal]](), ZERO
        for name in _LABELS:
            amount = getattr(parts, name)
            if amount or name != "liquidations":
                bars.append((name, before, before + amount))
                before += amount
    edges = [ZERO, net, *(edge for _, *pair in bars for edge in pair)]
    low, high = float(min(edges)), float(max(edges))
    scale = WIDTH / (high - low) if high > low else 0.0

    def step(name: str, label: str, explained: str, start: Decimal, end: Decimal) -> Step:
        left, right = sorted((float(start), float(end)))
        return Step(name, label, explained, end - start, (left - low) * scale, (right - left) * scale)

    with exact():
        steps = [step(name, *_LABELS[name], start, end) for name, start, end in bars]
        steps.append(step("net", "Net P&L", "the sum of the parts, exact", ZERO, net))
    return Waterfall(steps, -low * scale)
