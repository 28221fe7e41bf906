"""Judgement of the later days of a run: are they as its earlier ones were."""

from typing import Any

from bot.backtest import RunResult
from bot.models import DAY_MS
from bot.numbers.money import plain
from bot.selection.evidence.bands import consistency
from bot.statistics.metrics import daily_returns, from_units, money_units
from bot.timestamps import iso


def judged_from(run: RunResult, from_ms: int, run_key: str) -> dict[str, Any]:
    """Return P&L of a run from a midnight (ms UTC) on, and whether it is consistent, as JSON values.

    `run_key` seeds the draws; `consistent` and `p` are None where there are more later than earlier days.
    """
    initial = money_units(run.config.initial_capital)
    returns = daily_returns(run.curve.units[None, :], initial, run.calendar)[0]
    split = from_ms // DAY_MS - int(run.calendar.times_ms[0]) // DAY_MS
    earlier, later = returns[:split], returns[split:]
    before = int(run.calendar.times_ms.searchsorted(from_ms)) - 1
    base = initial if before < 0 else int(run.curve.units[before])
    net = int(run.curve.units[-1]) - base
    found = consistency(run_key, earlier, later)
    return {
        "from": iso(from_ms)[:10],
        "until": iso(run.config.end),
        "days": {"earlier": len(earlier), "later": len(later)},
        "net_pnl": plain(from_units(net)),
        "in_profit": net > 0,
        "consistent": None if found is None else found.consistent,
        "p": None if found is None else found.p,
    }
