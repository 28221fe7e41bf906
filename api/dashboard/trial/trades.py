"""A round trip told from its entry to its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from api.dashboard.trial.decision_rows import DecisionRow, decision_rows
from api.dashboard.trial.waterfall import attribution_of
from api.work.replays import Study
from bot.accounting.closing import was_due
from bot.backtest.attribution import Attribution
from bot.backtest.decision_trace import DecisionSnapshot, decision_snapshots
from bot.errors import InvalidInputError
from bot.models import CloseReason, FundingPayment, Trade
from bot.numbers.money import exact

_ENDED = {
    CloseReason.SIGNAL: "The strategy wanted out.",
    CloseReason.MARGIN: "Maintenance had eaten too much of the short's margin: closed before a liquidation.",
    CloseReason.LIQUIDATION: "The mark price took the short's margin; spot was sold as that candle closed.",
    CloseReason.END: "The window ended: whatever is open is closed.",
    CloseReason.EMERGENCY: "Closed by an emergency stop.",
    CloseReason.SEAM: "Other parameters came into force that no longer trade the pair.",
    CloseReason.DISTANCE: "A rise of the mark by exit_liquidation_distance would have liquidated the short.",
    CloseReason.BASIS: "The perp premium over spot had grown by basis_exit since opening.",
    CloseReason.DELISTED: "The contract ended: the short closed at the last mark price, spot was sold then.",
}


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """A booked settlement and the sum of the trade's funding up to it."""

    payment: FundingPayment
    total: Decimal


@dataclass(frozen=True, slots=True)
class TradeStory:
    """A round trip: what the strategy saw when it entered and left, its parts, and a page of settlements."""

    trade: Trade
    parts: Attribution
    entry: Sequence[DecisionRow]
    leaving: Sequence[DecisionRow]
    ended: str
    settlements: Sequence[SettlementRow]
    start: int
    next_start: int | None
    count: int


def trade_story(study: Study, index: int, start: int, page: int) -> TradeStory:
    """Return the story of the trade at `index`, with `page` settlements from `start` on."""
    run = study.result
    if index >= len(run.trades):
        raise InvalidInputError.of("trade", f"{index} is not below {len(run.trades)}, the number of trades")
    trade = run.trades[index]
    moments = [(trade.opened_at_ms, trade.symbol), (trade.closed_at_ms, trade.symbol)]
    seen = decision_snapshots(run.config, study.window, moments)
    settled = settlements_of(trade, run.payments)
    end = start + page
    return TradeStory(
        trade=trade,
        parts=attribution_of(run, [trade]),
        entry=_rows(study, seen.get(moments[0])),
        leaving=_rows(study, seen.get(moments[1])),
        ended=_ENDED[trade.reason],
        settlements=settled[start:end],
        start=start,
        next_start=end if end < len(settled) else None,
        count=len(settled),
    )


def settlements_of(trade: Trade, payments: Sequence[FundingPayment]) -> list[SettlementRow]:
    """Return the settlements that were booked on a trade, oldest first."""
    own = [payment for payment in payments if was_due(trade, payment)]
    with exact():
        totals = accumulate(payment.amount for payment in own)
        return [SettlementRow(payment, total) for payment, total in zip(own, totals, strict=True)]


def _rows(study: Study, snapshot: DecisionSnapshot | None) -> list[DecisionRow]:
    return [] if snapshot is None else decision_rows(snapshot, study.result.config)
