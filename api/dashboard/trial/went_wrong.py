"""Mishaps of a run: its worst drawdowns, and the margin that its shorts lacked."""

from typing import Any

from api.work.replays import Study
from bot.backtest.margin_calls import margin_report
from bot.numbers.money import exact
from bot.statistics.drawdown_spells import drawdown_spells
from bot.statistics.metrics import money_units

_SPELLS = 5
_MOST_LIQUIDATIONS = 20


def went_wrong(study: Study) -> dict[str, Any]:
    """Return the values of `trial_losses.html`."""
    run = study.result
    initial = money_units(run.config.initial_capital)
    margin = margin_report(run.config, run.trades, study.window, study.window.instruments)
    with exact():
        needed = None if margin.tightest is None else margin.tightest.needed
        leverage = margin.highest_leverage
    return {
        "spells": drawdown_spells(run.curve.units, initial, run.calendar, _SPELLS),
        "end_ms": run.calendar.moments[-1],
        "margin": margin,
        "needed": needed,
        "leverage": leverage,
        "most": _MOST_LIQUIDATIONS,
    }
