"""Margin that the margined legs of a run would have needed, and what taking less did to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import numpy as np

from bot.accounting import formulas
from bot.accounting.margin import MarginedLeg, MarginModel, margin_model
from bot.config.run_config import RunConfig
from bot.market.history import MarkColumns
from bot.models import BookedTrade, CloseReason, Instrument, Trade
from bot.numbers.money import ZERO, exact, scaled


class Marks(Protocol):
    """Port to read the candles of a pair's mark series."""

    def mark_columns(self, symbol: str) -> MarkColumns:
        """Return the candles, oldest first."""


@dataclass(frozen=True, slots=True)
class MarginCall:
    """The margin of one leg against the worst mark price while it was open, in the currency of the margin.

    `leg` is `long` or `short`; `entry` its fill, `notional` what it was worth then, in quote currency.
    `liquidation_price` is the first mark price that takes the leg, unrounded; `reached` the extreme of the
    candle that came nearest to it or past it, closed at `reached_ms`. `missing` is the margin by which the
    leg fell short there, the top-up that would have carried it through; negative where margin was left.
    `liquidated_ms` is when the exchange took the leg, None if it did not, `lost` what that cost of it.
    """

    trade: BookedTrade
    leg: str
    entry: Decimal
    notional: Decimal
    margin: Decimal
    liquidation_price: Decimal
    reached: Decimal
    reached_ms: int
    missing: Decimal
    liquidated_ms: int | None = None
    lost: Decimal = ZERO

    @property
    def needed(self) -> Decimal:
        """Margin at which the leg comes to its liquidation price, and not past it. Ask inside `exact()`."""
        return self.margin + self.missing


@dataclass(frozen=True, slots=True)
class MarginReport:
    """Margin calls of a run: the liquidated legs by time, and the one that would have needed most.

    `top_up` is the largest single top-up that a liquidation would have taken, `top_ups` all of them, `lost`
    the margin that liquidations took. `tightest` needed the largest share of its notional; None without a
    leg whose mark prices are known. `coin` is the one that margins are held in, None for quote currency;
    `keeps_margin` False where margin may have been moved while a leg was open.
    """

    liquidated: Sequence[MarginCall]
    tightest: MarginCall | None
    top_up: Decimal
    top_ups: Decimal
    lost: Decimal
    keeps_margin: bool = True
    coin: str | None = None

    @property
    def highest_leverage(self) -> Decimal | None:
        """Leverage at which the tightest leg just reaches its liquidation price; None for no such limit.

        Ask inside `exact()`.
        """
        if self.tightest is None or self.tightest.needed <= 0 or not self.keeps_margin:
            return None
        return self.tightest.notional / self.tightest.needed


def margin_report(
    config: RunConfig, trades: Iterable[Trade], marks: Marks, rules: Mapping[str, Instrument]
) -> MarginReport:
    """Return what the shorts of a run needed, by the mark candles that closed between entry and exit.

    `rules` are the instruments by symbol. A trade without such a candle is left out.
    """
    columns: dict[str, MarkColumns] = {}
    with exact():
        calls = []
        for trade in trades:
            if trade.symbol not in columns:
                columns[trade.symbol] = marks.mark_columns(trade.symbol)
            model = margin_model(rules[trade.symbol], config.margin_exit_ratio)
            calls += _calls(trade, config.perp_leverage, model, columns[trade.symbol])
        liquidated = [call for call in calls if call.liquidated_ms is not None]
        missing = [max(call.missing, ZERO) for call in liquidated]
        return MarginReport(
            liquidated,
            max(calls, key=_needed_share, default=None),
            max(missing, default=ZERO),
            sum(missing, ZERO),
            sum((call.lost for call in liquidated), ZERO),
        )


def _calls(trade: Trade, leverage: Decimal, model: MarginModel, marks: MarkColumns) -> list[MarginCall]:
    """Return the margin call of a trade, none without a mark price while it was open."""
    held = [trade.opened_at_ms, trade.closed_at_ms]
    first, end = np.searchsorted(marks.closed_ms, held, side="right").tolist()
    if first == end:
        return []
    at = first + int(np.argmax(marks.high.mantissas[first:end]))
    highest = scaled(int(marks.high.mantissas[at]), marks.high.exponent)
    margin = formulas.locked_margin(trade.quantity, trade.perp_entry, leverage)
    leg = MarginedLeg(trade.structure.perp, margin, trade.quantity, trade.perp_entry)
    missing = model.shortfall(leg, highest)
    is_liquidated = trade.reason is CloseReason.LIQUIDATION
    return [
        MarginCall(
            trade=trade,
            leg="short",
            entry=trade.perp_entry,
            notional=trade.quantity * trade.perp_entry,
            margin=margin,
            liquidation_price=model.liquidation_price(leg),
            reached=highest,
            reached_ms=int(marks.closed_ms[at]),
            missing=missing,
            liquidated_ms=trade.closed_at_ms if is_liquidated else None,
            lost=margin if is_liquidated else ZERO,
        )
    ]


def _needed_share(call: MarginCall) -> Decimal:
    return call.needed / call.notional
