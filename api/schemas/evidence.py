"""Answers of evidence on one trial, as the OpenAPI document describes them."""

from pydantic import BaseModel, Field

Percents = dict[str, float]


class BandQuantiles(BaseModel):
    """Values that 5, 25, 50, 75 and 95 % of the replicates do not exceed, by percent; `equity` one a day."""

    mean_block: int = Field(description="mean days of a block of the bootstrap")
    equity: dict[str, list[str]]
    total_return: Percents
    sharpe: dict[str, float | None] = Field(description="daily; null where no drawn day differs")
    max_drawdown_pct: Percents
    p_loss: float = Field(description="share of replicates that end below the initial capital")


class TrialBands(BaseModel):
    """The equity at the end of each UTC day, and bands around it; null where `missing` says why."""

    first_day: str
    equity: list[str]
    bands: BandQuantiles | None
    missing: str | None = None


class SymbolTrips(BaseModel):
    """Settlements of a pair, its trips, and the settlements that no trip needs."""

    settlements: int
    trips: int
    free: int


class TrialRandomEntries(BaseModel):
    """Summed net P&L of the trips of a trial, one slot each, and of 1,000 placements, ascending."""

    net_pnl: str
    p: float | None = Field(description="chance that random entries earn as much")
    drawn: list[str]
    symbols: dict[str, SymbolTrips]
    missing: str | None = None


class RegimeDays(BaseModel):
    """Days of one regime, and trades that were entered in it."""

    regime: str
    days: int
    net_pnl: str
    sharpe: float | None = Field(description="daily; null below 30 days")
    trades: int
    trades_net_pnl: str


class TrialRegimes(BaseModel):
    """The regimes that occur, the lowest rate first; their P&L adds up to that of the trial."""

    regimes: list[RegimeDays]


class YearSpan(BaseModel):
    """Change of equity in a UTC year beside that of holding; shares of the equity it began with."""

    name: str
    net_pnl: str
    share: float | None
    hold_net_pnl: str
    hold_share: float | None


class TrialYears(BaseModel):
    """A trial by UTC year; the changes add up to its net P&L."""

    years: list[YearSpan]
