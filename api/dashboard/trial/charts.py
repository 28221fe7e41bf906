"""The series of a run as its charts draw them: exact text, thinned to what a screen can show."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from api.work.replays import Study
from bot.backtest.baseline import FinishedRun
from bot.backtest.holdings import Action, Move, moves
from bot.backtest.result import Curve
from bot.config.strategy_declaration import Figure
from bot.config.strategy_registry import strategy_plugin
from bot.hedges.evidence.engine_choice import settled_in
from bot.market.intervals import interval_spans
from bot.market_store.pair_figures.thinning import thinned
from bot.models import DAY_MS, BookedTrade
from bot.numbers.arrays import FloatArray, IntArray
from bot.numbers.money import ZERO, exact, plain
from bot.statistics.daily_returns import daily_returns_of
from bot.statistics.metrics import Units, finite, fitting, money_units, running_peaks, units_texts
from bot.statistics.rolling import ROLLING_DAYS, rolling_sharpe

COLUMNS = 1000
MOST_BARS = 1500
MOST_MARKS = 600
Span = tuple[int, int]


def curve_document(curve: Curve, capital: Decimal, span: Span | None = None) -> dict[str, Any]:
    """Return equity and drawdown over `span` (ms UTC; None: all).

    The drawdown, a fraction of the running peak, is measured before anything is left out. The points next
    to the span are in, so that a line reaches its edges.
    """
    times, units = curve.calendar.times_ms, fitting(curve.units)
    falls = drawdown_shares(units, money_units(capital))
    inside = places_in(times, span, beyond=1)
    shown = inside[thinned(times[inside], [units[inside], falls[inside]], COLUMNS)]
    return {
        "times": times[shown].tolist(),
        "equity": units_texts(units[shown]),
        "drawdown": falls[shown].tolist(),
        "sharpe": _sharpe_document(curve, capital, span),
        "points": len(inside),
    }


def _sharpe_document(curve: Curve, capital: Decimal, span: Span | None) -> dict[str, Any]:
    """Return the rolling Sharpe ratio at the end of each day; the days before the first have none."""
    found = rolling_sharpe(daily_returns_of(curve.units, money_units(capital), curve.calendar))
    first_ms = (int(curve.calendar.times_ms[0]) // DAY_MS + ROLLING_DAYS) * DAY_MS
    times = first_ms + np.arange(len(found), dtype=np.int64) * DAY_MS
    inside = places_in(times, span, beyond=1)
    shown = inside[thinned(times[inside], [np.nan_to_num(found[inside])], COLUMNS)]
    values = [finite(value) for value in found[shown].tolist()]
    return {"days": ROLLING_DAYS, "times": times[shown].tolist(), "values": values}


def drawdown_shares(units: Units, initial: int) -> FloatArray:
    """Return the fall from the running peak at each point of a curve: a fraction of the peak, 0 or less."""
    peaks = running_peaks(units[None, :], initial)[0]
    shares: FloatArray = (units - peaks).astype(np.float64) / peaks.astype(np.float64)
    return shares


def moves_document(trades: Sequence[BookedTrade], span: Span | None = None) -> dict[str, Any]:
    """Return the moves of a run in `span` as marks on its curve, null if they are too many to tell apart."""
    found = [move for move in moves(trades) if span is None or span[0] <= move.t_ms <= span[1]]
    marks = None if len(found) > MOST_MARKS else [_mark(move) for move in found]
    return {"moves": marks, "moves_count": len(found)}


def _mark(move: Move) -> dict[str, Any]:
    closing = move.action is Action.CLOSE
    return {
        "t": move.t_ms,
        "symbol": move.symbol,
        "action": move.action,
        "reason": move.trade.reason if closing else None,
        "net_pnl": plain(move.trade.net_pnl) if closing else None,
    }


def funding_document(study: Study, symbol: str, span: Span | None = None) -> dict[str, Any]:
    """Return the settlements of a pair or hedge: rate per 8 h, amounts booked, intervals, and held periods.

    `booked` is the exact amount, null where the run did not hold it; `total` the sum so far. `legs` has what
    was booked on each leg of a hedge.
    """
    records = settled_in(study.result.config, study.window, symbol)
    times = np.array([record.t_ms for record in records], dtype=np.int64)
    by_leg = _booked(study, symbol)
    with exact():
        amounts = _summed(by_leg.values())
        totals = _running(amounts, times.tolist())
    rates = np.array([float(record.rate_8h) for record in records])
    inside = places_in(times, span)
    shown = inside[thinned(times[inside], [rates[inside]], MOST_BARS // 4)]
    spans = interval_spans(times, np.array([record.interval_hours for record in records], dtype=np.int64))
    return {
        "symbol": symbol,
        "times": times[shown].tolist(),
        "rate": [plain(records[at].rate) for at in shown],
        "rate_8h": rates[shown].tolist(),
        "hours": [records[at].interval_hours for at in shown],
        "booked": [_text(amounts.get(records[at].t_ms)) for at in shown],
        "total": [plain(totals[at]) for at in shown],
        "legs": [
            {"leg": leg, "booked": [_text(own.get(records[at].t_ms)) for at in shown]}
            for leg, own in by_leg.items()
            if leg
        ],
        "points": len(inside),
        "switches": [{"t": one.from_ms, "hours": one.hours} for one in spans[1:]],
        "first_hours": spans[0].hours if spans else None,
        "held": [
            [trade.opened_at_ms, trade.closed_at_ms]
            for trade in study.result.trades
            if trade.symbol == symbol
        ],
        **thresholds(study.result),
    }


def thresholds(result: FinishedRun) -> dict[str, str | None]:
    """Return the rates per 8 h at which a run enters and exits, where its strategy decides by them."""
    config = result.config
    rate = strategy_plugin(config.strategy_mode).figures.get("rate_8h", Figure())
    return {
        "enter": None if rate.enter is None else plain(getattr(config, rate.enter)),
        "exit": None if rate.leave is None else plain(getattr(config, rate.leave)),
    }


def _booked(study: Study, symbol: str) -> dict[str, dict[int, Decimal]]:
    """Return what was booked at each settlement of a pair, or of a hedge on each leg that settles."""
    if study.journal is None:
        own = (payment for payment in study.result.payments if payment.symbol == symbol)
        return {"": {payment.t_ms: payment.amount for payment in own}}
    found: dict[str, dict[int, Decimal]] = {}
    for hedge in study.journal.hedges:
        if hedge.trade.symbol == symbol:
            for leg, payment in hedge.payments:
                found.setdefault(leg, {})[payment.t_ms] = payment.amount
    return {leg: found[leg] for leg in sorted(found)}


def _summed(found: Iterable[Mapping[int, Decimal]]) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = {}
    for own in found:
        for t_ms, amount in own.items():
            sums[t_ms] = sums.get(t_ms, ZERO) + amount
    return sums


def _running(amounts: dict[int, Decimal], times: Sequence[int]) -> list[Decimal]:
    """Return the sum of the amounts up to each of `times`, ascending."""
    total, found, left = ZERO, [], deque(sorted(amounts.items()))
    for t_ms in times:
        while left and left[0][0] <= t_ms:
            total += left.popleft()[1]
        found.append(total)
    return found


def places_in(times: IntArray, span: Span | None, beyond: int = 0) -> IntArray:
    """Return the places of ascending `times` in a span, and of so many `beyond` its edges."""
    if span is None:
        return np.arange(len(times))
    first, last = np.searchsorted(times, [span[0], span[1] + 1]).tolist()
    return np.arange(max(first - beyond, 0), min(last + beyond, len(times)))


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)
