"""Margin that the shorts of a run would have needed, and what taking less did to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import numpy as np

from bot.accounting import formulas
from bot.accounting.margin import MarginedLeg, MarginModel, margin_model
from bot.config.run_config import RunConfig
from bot.market.history import MarkColumns
from bot.models import CloseReason, Instrument, Trade
from bot.numbers.money import ZERO, exact, scaled


class Marks(Protocol):
    """Port to read the candles of a pair's mark series."""

    def mark_columns(self, symbol: str) -> MarkColumns:
        """Return the candles, oldest first."""


@dataclass(frozen=True, slots=True)
class MarginCall:
    """The margin of one short against the highest mark price while it was open, in quote currency.

    `liquidation_price` is the lowest mark price that takes the short, unrounded; `highest` the high of the
    candle that came nearest to it or past it, closed at `highest_ms`. `missing` is the margin by which the
    short fell short there, the top-up that would have carried it through; negative where margin was left.
    """

    trade: Trade
    margin: Decimal
    liquidation_price: Decimal
    highest: Decimal
    highest_ms: int
    missing: Decimal

    @property
    def is_liquidated(self) -> bool:
        """True if the exchange took the short."""
        return self.trade.reason is CloseReason.LIQUIDATION

    @property
    def needed(self) -> Decimal:
        """Margin at which the short comes to its liquidation price, and not past it. Ask inside `exact()`."""
        return self.margin + self.missing


@dataclass(frozen=True, slots=True)
class MarginReport:
    """Margin calls of a run: the liquidated shorts by time, and the one that would have needed most.

    `top_up` is the largest single top-up that a liquidation would have taken, `top_ups` all of them, `lost`
    the margin that liquidations took. `tightest` needed the largest share of its notional; None without a
    trade whose mark prices are known.
    """

    liquidated: Sequence[MarginCall]
    tightest: MarginCall | None
    top_up: Decimal
    top_ups: Decimal
    lost: Decimal

    @property
    def highest_leverage(self) -> Decimal | None:
        """Leverage at which the tightest short just reaches its liquidation price; None for no such limit.

        Ask inside `exact()`.
        """
        if self.tightest is None or self.tightest.needed <= 0:
            return None
        trade = self.tightest.trade
        return trade.quantity * trade.perp_entry / self.tightest.needed


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
        liquidated = [call for call in calls if call.is_liquidated]
        missing = [max(call.missing, ZERO) for call in liquidated]
        return MarginReport(
            liquidated,
            max(calls, key=_needed_share, default=None),
            max(missing, default=ZERO),
            sum(missing, ZERO),
            sum((call.margin for call in liquidated), ZERO),
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
    return [
        MarginCall(trade, margin, model.liquidation_price(leg), highest, int(marks.closed_ms[at]), missing)
    ]


def _needed_share(call: MarginCall) -> Decimal:
    return call.needed / (call.trade.quantity * call.trade.perp_entry)
