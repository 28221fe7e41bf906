"""How each metric is called, printed and explained on the pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.config import RunConfig
from sweeps.metrics import METRICS, Direction, MetricKind, natural_direction


@dataclass(frozen=True, slots=True)
class MetricLabel:
    """A metric on a page: `kind` chooses its format, `signed` whether its sign is coloured."""

    name: str
    label: str
    kind: str
    description: str
    signed: bool = False

    @property
    def small_is_good(self) -> bool:
        """Whether less of it is better."""
        return natural_direction(self.name) is Direction.MINIMIZE


_LABELS = (
    MetricLabel("net_pnl", "Net P&L", "money", "price P&L + funding - fees, exact", signed=True),
    MetricLabel("total_funding", "Funding", "money", "funding received less funding paid", signed=True),
    MetricLabel(
        "price_pnl",
        "Price P&L",
        "money",
        "spot leg plus perp leg, slippage and lost margins included",
        signed=True,
    ),
    MetricLabel("total_fees", "Fees", "money", "taker fees of all fills, both legs"),
    MetricLabel("max_drawdown", "Max drawdown", "money", "largest fall of equity from a running peak"),
    MetricLabel("final_equity", "Final equity", "money", "equity once everything is closed"),
    MetricLabel("total_trades", "Trades", "count", "closed round trips"),
    MetricLabel("winning_trades", "Winning trades", "count", "round trips with a net P&L above zero"),
    MetricLabel("liquidations", "Liquidations", "count", "round trips whose short leg was liquidated"),
    MetricLabel("margin_exits", "Margin exits", "count", "round trips closed to avoid a liquidation"),
    MetricLabel(
        "skipped_entries", "Skipped entries", "count", "entries too small for the instrument's limits"
    ),
    MetricLabel("funding_payments", "Funding payments", "count", "settlements booked on open positions"),
    MetricLabel("win_rate", "Win rate", "share", "winning trades over all trades"),
    MetricLabel(
        "max_drawdown_pct",
        "Max drawdown, %",
        "share",
        "largest fall from a running peak, as a share of that peak",
    ),
    MetricLabel("total_return", "Total return", "share", "net P&L over the starting capital", signed=True),
    MetricLabel(
        "annualized_return", "Annualized return", "share", "compound return per year of 365 days", signed=True
    ),
    MetricLabel("volatility", "Volatility", "share", "deviation of daily returns, per year"),
    MetricLabel("sharpe", "Sharpe", "ratio", "mean over deviation of daily returns, times √365", signed=True),
    MetricLabel(
        "sortino",
        "Sortino",
        "ratio",
        "mean over downside deviation of daily returns, times √365",
        signed=True,
    ),
    MetricLabel("calmar", "Calmar", "ratio", "annualized return over max drawdown, %", signed=True),
    MetricLabel("profit_factor", "Profit factor", "ratio", "gross profit over gross loss of the trades"),
    MetricLabel(
        "time_in_market",
        "Time in market",
        "share",
        "settlements after which a position is open, over all of them",
    ),
    MetricLabel(
        "avg_holding_hours", "Average holding", "hours", "mean time from opening to closing of a trade"
    ),
    MetricLabel(
        "longest_drawdown_days",
        "Longest drawdown",
        "days",
        "longest time from a peak until equity is back there",
    ),
    MetricLabel(
        "best_month_share", "Best month's share", "share", "what the best month adds, over the net P&L"
    ),
    MetricLabel(
        "best_trade_share", "Best trade's share", "share", "what the best trade adds, over the net P&L"
    ),
    MetricLabel(
        "breakeven_settlements",
        "Break-even",
        "ratio",
        "settlements of average funding that pay a round trip's fees",
    ),
)

_KINDS = {MetricKind.MONEY: "money", MetricKind.COUNT: "count", MetricKind.STATISTIC: "ratio"}
_KNOWN = {label.name: label for label in _LABELS}


def _plain(name: str) -> MetricLabel:
    return MetricLabel(name, name.replace("_", " ").capitalize(), _KINDS[METRICS[name]], "")


METRIC_LABELS: Mapping[str, MetricLabel] = MappingProxyType(
    {name: _KNOWN.get(name) or _plain(name) for name in METRICS}
)
"""Every metric; one that has no words of its own is called by its name."""

HEADLINE = ("net_pnl", "annualized_return", "sharpe", "max_drawdown_pct", "total_trades", "liquidations")
TABLE_COLUMNS = (
    "net_pnl",
    "annualized_return",
    "sharpe",
    "max_drawdown_pct",
    "total_funding",
    "price_pnl",
    "total_fees",
    "total_trades",
    "liquidations",
)
GROUPS = (
    ("Money", ("money",)),
    ("Returns and shares", ("share",)),
    ("Ratios", ("ratio",)),
    ("Counts", ("count",)),
    ("Time", ("hours", "days")),
)


def labels(names: tuple[str, ...]) -> list[MetricLabel]:
    """Return the labels of `names`, in their order."""
    return [METRIC_LABELS[name] for name in names]


def groups() -> list[tuple[str, list[MetricLabel]]]:
    """Return (heading, metrics) for a page that shows all of them."""
    return [(title, [m for m in METRIC_LABELS.values() if m.kind in kinds]) for title, kinds in GROUPS]


def explained(parameter: str) -> str:
    """Return the sentence that explains a run parameter, empty if it has none."""
    field = RunConfig.model_fields.get(parameter)
    return (field.description or "") if field else ""
