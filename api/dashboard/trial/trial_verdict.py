"""Verdict on one run in words: what it made, beside holding, how likely as luck, and what makes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from api.presentation.formats import shown
from bot.config.hedge_checks import needs_hedge_engine
from bot.config.run_config import RunConfig
from bot.numbers.money import exact
from bot.plurals import counted
from bot.selection.sentence import percent
from bot.statistics.growth import annualized_return

_PARTS = (("total_funding", "funding"), ("price_pnl", "price P&L"))
_COSTS = (("borrow_cost", "interest"), ("transfer_cost", "transfers"))


@dataclass(frozen=True, slots=True)
class TrialVerdict:
    """Sentences on a run, and the figures a year of holding and of the lead over it; None where undefined."""

    sentences: Sequence[str]
    hold_per_year: float | None
    lead_per_year: float | None


def trial_verdict(
    config: RunConfig, figures: Mapping[str, Any], luck: float | None, elapsed_ms: int | None = None
) -> TrialVerdict:
    """Return the verdict on a run from its metrics by name.

    `luck` is the chance that luck alone shows such a Sharpe ratio as the best of its sweep, None for a run
    that no report judges. `elapsed_ms` is the time from the first event to the last, over which returns are
    annualised; that of the window, which is longer by less than an interval, where the curve is not at hand.
    """
    own, hold = figures["annualized_return"], _hold_per_year(config, figures, elapsed_ms)
    lead = None if own is None or hold is None else own - hold
    if not figures["total_trades"]:
        beside = "" if hold is None else f" Holding made {shown(hold, 'share')} a year."
        return TrialVerdict([f"It never traded.{beside}"], hold, lead)
    leg = "leg" if needs_hedge_engine(config) else "short"
    told = [_made(own, hold, lead), _chance(luck), _makes(figures), _wrong(figures, leg)]
    return TrialVerdict([one for one in told if one], hold, lead)


def _hold_per_year(config: RunConfig, figures: Mapping[str, Any], elapsed_ms: int | None) -> float | None:
    net = figures["hold_net_pnl"]
    if net is None:
        return None
    with exact():
        final = config.initial_capital + Decimal(net)
        return annualized_return(config.initial_capital, final, elapsed_ms or config.end - config.start)


def _made(own: float | None, hold: float | None, lead: float | None) -> str:
    if own is None:
        return "Its return per year is undefined."
    made = f"Made {shown(own, 'share')} a year"
    if hold is None or lead is None:
        return f"{made}."
    side = "more" if lead > 0 else "less"
    difference = "as much as holding" if lead == 0 else f"{shown(abs(lead), 'share')} {side} than holding"
    return f"{made}, {difference} at this leverage ({shown(hold, 'share')})."


def _chance(luck: float | None) -> str:
    return (
        ""
        if luck is None
        else f"Chance that luck alone finds a Sharpe ratio as high in this sweep: {percent(luck)}."
    )


def _makes(figures: Mapping[str, Any]) -> str:
    """Return what the net P&L is made of, and how much of it one month or trade made."""
    parts = [f"{words} {shown(figures[name], 'money')}" for name, words in _PARTS]
    costs = [f"fees of {shown(figures['total_fees'], 'money')}"]
    costs += [f"{words} of {shown(figures[name], 'money')}" for name, words in _COSTS if figures.get(name)]
    told = f"It is made of {parts[0]} and {parts[1]}, less {', '.join(costs)}"
    month = figures["best_month_share"]
    return f"{told}." if month is None else f"{told}; its best month made {shown(month, 'share')} of the net."


def _wrong(figures: Mapping[str, Any], leg: str) -> str:
    count, fall = figures["liquidations"], shown(figures["max_drawdown_pct"], "share")
    liquidated = f"{counted(count, leg)} liquidated" if count else f"No {leg} was liquidated"
    return f"{liquidated}; the worst drawdown was {fall}."
