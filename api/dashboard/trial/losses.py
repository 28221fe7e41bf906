"""Worst drawdowns of a run, and the margin that its legs would have needed."""

from typing import Any

from api.work.replays import Study
from bot.backtest.margin_calls import MarginReport, margin_report
from bot.hedges.evidence.engine_choice import of_pairs, pair_trades
from bot.hedges.journal.margin_report import hedge_margin_report
from bot.numbers.money import exact
from bot.statistics.drawdown_spells import drawdown_spells
from bot.statistics.metrics import money_units

_SPELLS = 5
_MOST_LIQUIDATIONS = 20


def losses_of(study: Study) -> dict[str, Any]:
    """Return the values of `trial_losses.html`."""
    run = study.result
    initial = money_units(run.config.initial_capital)
    margin = _margin(study)
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


def _margin(study: Study) -> MarginReport:
    run, config = study.result, study.result.config
    if study.journal is not None:
        return hedge_margin_report(study.journal, keeps_margin=config.margin_policy == "none")
    _, window = of_pairs(run, study.window, "margins")
    return margin_report(config, pair_trades(run), window, window.instruments)
