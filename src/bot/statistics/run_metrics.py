"""The metrics of a run, from what its replay wrote down."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from bot.accounting.cash_flows import BOOKED, CASH_FLOWS, FLOWS, FUNDING
from bot.models import DAY_MS, HOUR_MS, BookedTrade, CloseReason
from bot.numbers.arrays import FloatArray
from bot.numbers.money import ZERO, plain
from bot.selection.track.track_columns import TrackColumns
from bot.statistics import metrics as stats
from bot.statistics.daily_returns import first_day_of
from bot.statistics.growth import annualized_return
from bot.statistics.metrics import Calendar, Units, amount_units, finite, from_units, money_units
from bot.statistics.returns import Returns, year_ratios


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metrics of a run: money as Decimal in quote currency, counts, and float64 statistics or None."""

    net_pnl: Decimal
    total_funding: Decimal
    price_pnl: Decimal
    total_fees: Decimal
    max_drawdown: Decimal
    final_equity: Decimal
    total_trades: int
    winning_trades: int
    liquidations: int
    margin_exits: int
    skipped_entries: int
    funding_payments: int
    win_rate: float | None
    max_drawdown_pct: float
    total_return: float
    annualized_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    profit_factor: float | None
    time_in_market: float
    avg_holding_hours: float | None
    longest_drawdown_days: float
    best_month_share: float | None
    best_trade_share: float | None
    breakeven_settlements: float | None
    delistings: int
    missed_settlements: int
    pnl_after_market_end: Decimal | None
    psr: float | None
    t_eff: float | None
    skewness: float | None
    kurtosis: float | None

    def document(self) -> dict[str, Any]:
        """Return the metrics as JSON values, money as canonical text."""
        values = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: plain(value) if isinstance(value, Decimal) else value for name, value in values}


@dataclass(frozen=True, slots=True)
class TradeTotals:
    """Sums over the trades of a run; money in units of 1e-8, times in ms.

    `flows` are the cash flows by name. `missed` counts settlements that are not in the data; `after_end` was
    booked after contracts had ended, None where none of the run's did.
    """

    trades: int
    winners: int
    liquidations: int
    margin_exits: int
    delistings: int
    payments: int
    flows: Mapping[str, int]
    price_pnl: int
    fees: int
    gains: int
    losses: int
    best: int
    held_ms: int
    missed: int
    after_end: int | None

    @classmethod
    def of(cls, trades: Sequence[BookedTrade], *, missed: int, after_end: Decimal | None) -> "TradeTotals":
        """Return the sums over `trades`. Call inside `exact()`."""
        # Sums of booked amounts are exact, of Decimals and of Python integers alike.
        net = amount_units(trade.net_pnl for trade in trades)
        booked = {name: money_units(sum([getattr(trade, name) for trade in trades], ZERO)) for name in BOOKED}
        reasons = [trade.reason for trade in trades]
        return cls(
            trades=len(trades),
            winners=sum(one > 0 for one in net),
            liquidations=reasons.count(CloseReason.LIQUIDATION),
            margin_exits=reasons.count(CloseReason.MARGIN),
            delistings=reasons.count(CloseReason.DELISTED),
            payments=sum(trade.funding_payments for trade in trades),
            flows={name: booked[name] for name in FLOWS},
            price_pnl=booked["price_pnl"],
            fees=booked["fees"],
            gains=sum(one for one in net if one > 0),
            losses=-sum(one for one in net if one < 0),
            best=max(net, default=0),
            held_ms=sum(trade.closed_at_ms - trade.opened_at_ms for trade in trades),
            missed=missed,
            after_end=None if after_end is None else money_units(after_end),
        )


@dataclass(frozen=True, slots=True)
class Activity:
    """Activity of a run: its events, those after which a hedge was open, and skipped entries."""

    events: int
    events_in_market: int
    skipped_entries: int


@dataclass(frozen=True, slots=True, eq=False)
class CurveFacts:
    """Figures of equity curves, one value a curve; money in units of 1e-8, NaN for undefined."""

    final: Units
    drawdown: Units
    drawdown_share: FloatArray
    volatility: FloatArray
    sharpe: FloatArray
    sortino: FloatArray
    longest_ms: Units
    best_month: Units
    psr: FloatArray
    t_eff: FloatArray
    skewness: FloatArray
    kurtosis: FloatArray

    @classmethod
    def of(cls, curves: Units, initial: int, calendar: Calendar) -> Self:
        """Return the facts of `curves` (curves x events), each of which starts from `initial`."""
        peaks = stats.running_peaks(curves, initial)
        drawdown, drawdown_share = stats.drawdowns(curves, peaks)
        returns = stats.daily_returns(curves, initial, calendar)
        records = TrackColumns.of(first_day_of(calendar), returns)
        return cls(
            curves[:, -1],
            drawdown,
            drawdown_share,
            *year_ratios(Returns.of_matrix(returns), stats.DAYS_PER_YEAR),
            stats.longest_drawdowns_ms(curves, peaks, calendar),
            stats.best_month_units(curves, initial, calendar),
            **records.by_name(),
        )

    def rows(self) -> Iterable[tuple[Any, ...]]:
        """Return the facts curve by curve, as Python numbers."""
        return zip(*[getattr(self, name).tolist() for name in self.__slots__], strict=True)


def summarize(
    facts: CurveFacts,
    initial_capital: Decimal,
    calendar: Calendar,
    totals: Iterable[TradeTotals],
    activities: Iterable[Activity],
) -> list[Metrics]:
    """Return the metrics of runs over the same events, one a curve."""
    initial, elapsed_ms = money_units(initial_capital), int(calendar.times_ms[-1] - calendar.times_ms[0])
    return [
        _metrics(row, initial, annualized_return(initial, row[0], elapsed_ms), total, activity)
        for row, total, activity in zip(facts.rows(), totals, activities, strict=True)
    ]


def _metrics(
    row: tuple[Any, ...], initial: int, annualized: float | None, totals: TradeTotals, activity: Activity
) -> Metrics:
    final_units, drawdown, drawdown_share, volatility, sharpe, sortino, longest_ms, best_month, *record = row
    psr, t_eff, skewness, kurtosis = map(finite, record)
    net, flows = final_units - initial, totals.flows
    return Metrics(
        net_pnl=from_units(net),
        **_named({flow.metric: from_units(flows[flow.name]) for flow in CASH_FLOWS}),
        price_pnl=from_units(totals.price_pnl),
        total_fees=from_units(totals.fees),
        max_drawdown=from_units(drawdown),
        final_equity=from_units(final_units),
        total_trades=totals.trades,
        winning_trades=totals.winners,
        liquidations=totals.liquidations,
        margin_exits=totals.margin_exits,
        skipped_entries=activity.skipped_entries,
        funding_payments=totals.payments,
        win_rate=_per(totals.winners, totals.trades),
        max_drawdown_pct=drawdown_share,
        total_return=net / initial,
        annualized_return=annualized,
        volatility=finite(volatility),
        sharpe=finite(sharpe),
        sortino=finite(sortino),
        calmar=None if annualized is None else _per(annualized, drawdown_share),
        profit_factor=_per(totals.gains, totals.losses),
        time_in_market=activity.events_in_market / activity.events,
        avg_holding_hours=_per(totals.held_ms, totals.trades * HOUR_MS),
        longest_drawdown_days=longest_ms / DAY_MS,
        best_month_share=stats.best_share(best_month, net),
        best_trade_share=stats.best_share(totals.best, net),
        breakeven_settlements=stats.settlements_to_break_even(
            totals.fees, totals.trades, flows[FUNDING.name], totals.payments
        ),
        delistings=totals.delistings,
        missed_settlements=totals.missed,
        pnl_after_market_end=None if totals.after_end is None else from_units(totals.after_end),
        psr=psr,
        t_eff=t_eff,
        skewness=skewness,
        kurtosis=kurtosis,
    )


def _named(amounts: dict[str, Decimal]) -> dict[str, Any]:
    """Return the amounts as arguments of a dataclass, some of whose other fields are no amounts."""
    return amounts


def _per(amount: float, count: float) -> float | None:
    return finite(amount / count) if count else None
