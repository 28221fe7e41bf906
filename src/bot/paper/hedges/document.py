"""Result document of a session of hedges, with the metrics and the fields of a replay's."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bot import ENGINE_VERSION
from bot.backtest.result import Curve
from bot.config.run_config import RunConfig
from bot.hedges.arithmetic import exact_products
from bot.hedges.engine import Books, metrics_of
from bot.hedges.positions import HedgeTrade
from bot.hedges.result import hedge_trade_document
from bot.paper.hedges.session_store import SavedHedges
from bot.paper.hedges.state import observed_of
from bot.statistics.metrics import Calendar, amount_units, packed


def session_result(
    config: RunConfig,
    saved: SavedHedges,
    trades: Sequence[HedgeTrade],
    equity: Sequence[tuple[int, Decimal]],
) -> dict[str, Any]:
    """Return what a session has made so far: JSON values, money and prices as canonical text.

    `metrics` is None before the first event; those of money, counts and statistics are of closed trades and
    of the equity curve, as in a replay.
    """
    return {
        "session": saved.name,
        "status": saved.status.value,
        "started": saved.started_ms,
        "config": dict(saved.config),
        "engine_version": ENGINE_VERSION,
        "metrics": _metrics(config, saved, trades, equity),
        "open": list(saved.state.open_names),
        "under_way": [*saved.state.under_way()],
        "trades": [hedge_trade_document(trade) for trade in trades],
        "equity": _curve(equity).document() if equity else [],
    }


def _metrics(
    config: RunConfig,
    saved: SavedHedges,
    trades: Sequence[HedgeTrade],
    equity: Sequence[tuple[int, Decimal]],
) -> dict[str, Any] | None:
    state = saved.state
    if state.figures is None or not equity:
        return None
    observed = observed_of(state.figures, config.regime_high)
    books = Books(trades, observed, state.transfer_fees, state.missed + state.missed_lately)
    with exact_products():
        metrics, figures = metrics_of(config, books, _curve(equity))
    return {**metrics.document(), **figures.document()}


def _curve(equity: Sequence[tuple[int, Decimal]]) -> Curve:
    with exact_products():
        units = packed(amount_units([amount for _, amount in equity]))
    return Curve(Calendar.of([t_ms for t_ms, _ in equity]), units)
