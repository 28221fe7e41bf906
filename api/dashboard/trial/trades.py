"""Story of a trade: its entry, settlements and exit."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from api.dashboard.trial.decision_rows import DecisionRow, decision_rows
from api.dashboard.trial.hedge_rows import InterestRow, MoveRow, interest_rows, move_rows
from api.dashboard.trial.waterfall import Step, parts_of, waterfall
from api.work.replays import Study
from bot.accounting.closing import was_due
from bot.backtest.decision_trace import DecisionSnapshot
from bot.errors import InvalidInputError
from bot.hedges.evidence.engine_choice import snapshots_of
from bot.hedges.journal.records import JournaledHedge
from bot.models import BookedTrade, CloseReason, FundingPayment
from bot.numbers.money import exact

_ENDED = {
    CloseReason.SIGNAL: "The strategy wanted out.",
    CloseReason.MARGIN: "Margin exit: maintenance reached margin_exit_ratio of the short's balance.",
    CloseReason.LIQUIDATION: "The mark price liquidated the short; spot was sold as that candle closed.",
    CloseReason.END: "The window ended: whatever is open is closed.",
    CloseReason.EMERGENCY: "Closed by an emergency stop.",
    CloseReason.SEAM: "Other parameters came into force that no longer trade the pair.",
    CloseReason.DISTANCE: "A rise of the mark by exit_liquidation_distance would have liquidated the short.",
    CloseReason.BASIS: "The perp premium over spot had grown by basis_exit since opening.",
    CloseReason.DELISTED: "The contract ended: the short closed at the last mark price, spot was sold then.",
}

_HEDGE_ENDED = {
    CloseReason.SIGNAL: "The strategy wanted out.",
    CloseReason.MARGIN: "Margin exit: maintenance reached margin_exit_ratio of a leg's balance.",
    CloseReason.LIQUIDATION: "The mark price liquidated a leg; the other one was closed.",
    CloseReason.END: "The window ended: whatever is open is closed.",
    CloseReason.EMERGENCY: "Closed by an emergency stop.",
    CloseReason.SEAM: "Other parameters came into force that no longer trade the hedge.",
    CloseReason.DISTANCE: "A move of the mark by exit_liquidation_distance would have liquidated a leg.",
    CloseReason.BASIS: "The premium of the short over the long leg had grown by basis_exit since opening.",
    CloseReason.DELISTED: "The contract of a leg ended; the other one was closed.",
    CloseReason.DELISTING: "The end of a leg's contract had been announced (exit_on_announcement).",
    CloseReason.ADL: "Automatic deleveraging closed a leg (stress); the other one was closed.",
}


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """A booked settlement and the sum of the trade's funding up to it; `leg` of a hedge, else None."""

    payment: FundingPayment
    total: Decimal
    leg: str | None = None


@dataclass(frozen=True, slots=True)
class TradeStory:
    """A round trip: what the strategy saw when it entered and left, its parts, and a page of settlements.

    Of a hedge `steps` has the parts by leg, `moves` what each leg booked, `interest` that by day.
    """

    trade: BookedTrade
    steps: Sequence[Step]
    entry: Sequence[DecisionRow]
    leaving: Sequence[DecisionRow]
    ended: str
    settlements: Sequence[SettlementRow]
    start: int
    next_start: int | None
    count: int
    moves: Sequence[MoveRow] = ()
    interest: Sequence[InterestRow] = ()


def trade_story(study: Study, index: int, start: int, page: int) -> TradeStory:
    """Return the story of the trade at `index`, with `page` settlements from `start` on."""
    run = study.result
    if index >= len(run.trades):
        raise InvalidInputError.of("trade", f"{index} is not below {len(run.trades)}, the number of trades")
    trade = run.trades[index]
    moments = [(trade.opened_at_ms, trade.symbol), (trade.closed_at_ms, trade.symbol)]
    seen = snapshots_of(run.config, study.window, moments)
    hedge = None if study.journal is None else study.journal.hedges[index]
    settled = settlements_of(trade, run.payments) if hedge is None else _settled_of(hedge)
    end = start + page
    return TradeStory(
        trade=trade,
        steps=waterfall(parts_of(study, index)).steps,
        entry=_rows(study, seen.get(moments[0])),
        leaving=_rows(study, seen.get(moments[1])),
        ended=(_ENDED if hedge is None else _HEDGE_ENDED)[trade.reason],
        settlements=settled[start:end],
        start=start,
        next_start=end if end < len(settled) else None,
        count=len(settled),
        moves=() if hedge is None else move_rows(hedge),
        interest=() if hedge is None else interest_rows(hedge),
    )


def _settled_of(hedge: JournaledHedge) -> list[SettlementRow]:
    """Return the settlements of both legs of a hedge, oldest first."""
    with exact():
        totals = accumulate(own.payment.amount for own in hedge.payments)
        return [
            SettlementRow(own.payment, total, f"{own.leg} {hedge.facts(own.leg).market}")
            for own, total in zip(hedge.payments, totals, strict=True)
        ]


def settlements_of(trade: BookedTrade, payments: Sequence[FundingPayment]) -> list[SettlementRow]:
    """Return the settlements that were booked on a trade of spot against a perp, oldest first."""
    own = [payment for payment in payments if was_due(trade, payment)]
    with exact():
        totals = accumulate(payment.amount for payment in own)
        return [SettlementRow(payment, total) for payment, total in zip(own, totals, strict=True)]


def _rows(study: Study, snapshot: DecisionSnapshot | None) -> list[DecisionRow]:
    return [] if snapshot is None else decision_rows(snapshot, study.result.config)
