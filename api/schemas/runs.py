"""Shapes of curves and trades of runs, stored or replayed. Money is text, times are ms UTC."""

from typing import Annotated

from pydantic import BaseModel, Field

from bot.models import CloseReason

EquityPoints = list[Annotated[list[int | str], Field(min_length=2, max_length=2)]]


class EquityCurve(BaseModel):
    """Points [time in ms UTC, equity as text]."""

    equity: EquityPoints


class TradeDocument(BaseModel):
    """Round trip: times in ms UTC, amounts as text, prices are the unrounded fills."""

    symbol: str
    opened_at: int
    closed_at: int
    quantity: str
    spot_entry: str | None = Field(description="null of hedges of two perps")
    perp_entry: str | None = Field(description="null of hedges of two perps")
    spot_exit: str | None = Field(description="null of two perps, and where borrowed spot was liquidated")
    perp_exit: str | None = Field(description="null of two perps, and where the perp was liquidated")
    funding: str
    fees: str
    price_pnl: str
    net_pnl: str
    funding_payments: int
    reason: CloseReason
    long_entry: str
    long_exit: str | None = Field(description="null where the leg was liquidated")
    short_entry: str
    short_exit: str | None = Field(description="null where the leg was liquidated")
    long_pnl: str
    short_pnl: str
    borrow_cost: str
    transfer_cost: str
    top_ups: int
    reductions: int


class TradeList(BaseModel):
    """Round trips as in the result document of a run."""

    trades: list[TradeDocument]
