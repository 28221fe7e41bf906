"""Margin that the legs of a run of hedges would have needed, from its journal."""

from decimal import Decimal

from bot.backtest.margin_calls import MarginCall, MarginReport
from bot.hedges.arithmetic import divide
from bot.hedges.journal.records import Journal, JournaledHedge, LegAction, LegName, MarginTest
from bot.numbers.money import ZERO, exact


def hedge_margin_report(journal: Journal, *, keeps_margin: bool) -> MarginReport:
    """Return what the margined legs of a run needed, by the mark candles that they were tested against.

    The tightest leg is the one that came nearest to its liquidation, or passed it by most. `keeps_margin`
    says that nothing was ever moved to a margin or away from it. A leg without such a candle is left out, and
    one that no price takes.
    """
    nearest: dict[tuple[int, LegName], MarginTest] = {}
    for test in journal.margins:
        key = test.number, test.leg
        if key not in nearest or test.distance < nearest[key].distance:
            nearest[key] = test
    hedges = journal.by_number
    with exact():
        calls = {key: _call(hedges[key[0]], test) for key, test in nearest.items()}
        liquidated = sorted(
            (call for call in calls.values() if call.liquidated_ms is not None),
            key=lambda call: (call.liquidated_ms or 0, call.trade.symbol, call.leg),
        )
        tightest = min(nearest, key=lambda key: nearest[key].distance, default=None)
        missing = [max(call.missing, ZERO) for call in liquidated]
        facts = [hedge.facts(leg) for hedge in journal.hedges for leg in LegName]
        coin = next((one.symbol.partition("/")[0] for one in facts if one.in_coins), None)
        return MarginReport(
            liquidated,
            None if tightest is None else calls[tightest],
            max(missing, default=ZERO),
            sum(missing, ZERO),
            sum((call.lost for call in liquidated), ZERO),
            keeps_margin=keeps_margin and coin is None,
            coin=coin,
        )


def _call(hedge: JournaledHedge, test: MarginTest) -> MarginCall:
    opened = next(move for move in hedge.moves if move.leg is test.leg and move.action is LegAction.OPEN)
    taken = [move for move in hedge.moves if move.leg is test.leg and move.action is LegAction.LIQUIDATE]
    entry = opened.price if opened.fill is None else opened.fill
    price = divide(Decimal(test.wiped_out_at.numerator), Decimal(test.wiped_out_at.denominator))
    return MarginCall(
        trade=hedge.trade,
        leg=test.leg,
        entry=entry,
        notional=hedge.trade.quantity * entry,
        margin=test.margin,
        liquidation_price=price,
        reached=test.reached,
        reached_ms=test.reached_ms,
        missing=test.missing,
        liquidated_ms=taken[0].t_ms if taken else None,
        lost=taken[0].lost if taken else ZERO,
    )
