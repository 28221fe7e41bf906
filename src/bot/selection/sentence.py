"""Summary of a report as a few sentences, with annualized Sharpe ratios."""

import math

from bot.notation import ABSENT
from bot.plurals import counted
from bot.selection.report import BenchmarkReport, SelectionReport
from bot.selection.track.track_record import TrackRecord
from bot.selection.verdict import MEANINGS
from bot.selection.walk_forward import Stitched

_DAYS_PER_YEAR = 365


def sentence(report: SelectionReport, sealed: str = "") -> str:
    """Return the verdict on a report, the reason for it, and the figures that it rests on.

    `sealed` is a sentence about days that are kept unseen, empty without any.
    """
    cash, hold = report.cash, report.hold
    meaning = MEANINGS[report.verdict]
    if cash is None or cash.winner is None:
        reason = report.missing.get("cash", "no winner")
        return f"{_search(report, cash)} {_capital(meaning)}: {reason}."
    told = [_search(report, cash), _luck(cash, cash.winner)]
    if hold is not None and hold.winner is not None:
        told.append(_against_holding(hold, hold.winner))
    if report.pbo is not None:
        told.append(f"Probability of overfitting {percent(report.pbo.pbo)}.")
    if report.stitched is not None:
        told.append(_walk_forward(report.stitched))
    if report.random_entries is not None:
        told.append(
            f"Random entries with the same time in market: {percent(report.random_entries)} earn as much."
        )
    return " ".join([*told, *([sealed] if sealed else []), f"{_capital(meaning)}."])


def percent(chance: float) -> str:
    """Return a chance as people say it, never as none: `5 %`, `0.2 %`."""
    return f"{100 * chance:.0f} %" if chance >= 0.0095 else f"{100 * chance:.1g} %"


def annual(daily: float) -> str:
    """Return a daily Sharpe ratio as it is shown, times the root of 365."""
    return f"{daily * math.sqrt(_DAYS_PER_YEAR):.1f}"


def _search(report: SelectionReport, cash: BenchmarkReport | None) -> str:
    worth = (
        "" if cash is None else f", worth about {counted(round(cash.search.independent), 'independent one')}"
    )
    trials = (
        f"Best of {counted(report.lifetime.runs, 'trial')}: {report.distinct:,} distinct and eligible{worth}"
    )
    return f"{trials}; {counted(report.lifetime.tried, 'look')} at these days so far."


def _luck(cash: BenchmarkReport, winner: TrackRecord) -> str:
    search = cash.search
    p_luck, p_life = search.p_luck(winner.sharpe), cash.p_life
    over_all = "" if p_life is None or not cash.lifetime.others else f" ({percent(p_life)} over all looks)"
    days = f"{counted(winner.n, 'day')} are worth {counted(round(winner.t_eff), 'independent one')}"
    mean, rare = annual(search.luck), annual(search.luck_95)
    return (
        f"Sharpe {annual(winner.sharpe)}, where luck alone finds {mean} on average and {rare} in one search "
        f"of twenty. Chance of luck {percent(p_luck)}{over_all}: {days}."
    )


def _against_holding(hold: BenchmarkReport, winner: TrackRecord) -> str:
    search = hold.search
    own, mean = annual(winner.sharpe), annual(search.luck)
    chance = percent(search.p_luck(winner.sharpe))
    return f"Sharpe of its lead over holding {own}, where luck alone finds {mean}: chance of luck {chance}."


def _walk_forward(stitched: Stitched) -> str:
    ratios = [stitched.metrics["sharpe"], stitched.hold["sharpe"]]
    own, hold = (ABSENT if one is None else f"{one:.1f}" for one in ratios)
    return f"Walk-forward {own}, holding {hold}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
