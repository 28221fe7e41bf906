"""Catalogue of metrics: label, format and explanation on the pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.config.run_config import RunConfig
from bot.statistics.trial_metrics import P_LUCK, PLATEAU
from sweeps.spec.metrics import METRICS, OF_HEDGES, Direction, MetricKind, natural_direction


@dataclass(frozen=True, slots=True)
class MetricLabel:
    """A metric on a page: `kind` chooses its format, `signed` whether its sign is coloured."""

    name: str
    label: str
    kind: str
    description: str
    signed: bool = False
    direction: Direction | None = None

    @property
    def small_is_good(self) -> bool:
        """True if less of it is better; `direction` decides where it is given."""
        return (self.direction or natural_direction(self.name)) is Direction.MINIMIZE


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
        "Settlements to repay fees",
        "ratio",
        "average settlements that repay the fees of an average round trip; slippage is not in it, "
        "as it is in the break-even of the trial's page and of pairs",
    ),
    MetricLabel("delistings", "Delistings", "count", "round trips that ended with their contract"),
    MetricLabel(
        "missed_settlements",
        "Missed settlements",
        "count",
        "settlements that fell due while a position was open and are not in the data: they count as zero",
    ),
    MetricLabel(
        "pnl_after_market_end",
        "P&L after market end",
        "money",
        "part of the net P&L booked after a contract's last live candle; undefined where no market ended",
        signed=True,
    ),
    MetricLabel(
        "psr",
        "PSR",
        "share",
        "probability that the true Sharpe ratio is above zero; days that move together count as fewer",
    ),
    MetricLabel(
        "t_eff",
        "Independent days",
        "days",
        "days that are worth as much as those of the run, were each independent of the others",
    ),
    MetricLabel(
        "skewness",
        "Skewness",
        "ratio",
        "lopsidedness of daily returns: below zero, rare losses are larger than rare gains",
        signed=True,
    ),
    MetricLabel(
        "kurtosis",
        "Kurtosis",
        "ratio",
        "weight of extreme daily returns: 3 for a normal distribution, more if a few days made or lost most",
    ),
    MetricLabel(
        "hold_net_pnl",
        "Net P&L of holding",
        "money",
        "the same account, entered at the first settlement with prices and held to the end",
        signed=True,
    ),
    MetricLabel(
        "available_funding", "Available funding", "money", "funding that holding earned", signed=True
    ),
    MetricLabel("captured_share", "Captured", "share", "funding of this run over the available"),
    MetricLabel(
        "missed_before_entry", "Missed before entry", "money", "funding of holding before the first entry"
    ),
    MetricLabel(
        "missed_between", "Missed between trades", "money", "funding of holding while no trade was open"
    ),
    MetricLabel("missed_after_exit", "Missed after exit", "money", "funding of holding after the last exit"),
    MetricLabel("extra_round_trips", "Extra round trips", "count", "round trips less those of holding"),
    MetricLabel("extra_fees", "Extra fees", "money", "fees less those of holding"),
    MetricLabel(
        "net_pnl_over_hold",
        "Net P&L over holding",
        "money",
        "net P&L less that of holding: below zero, the parameters cost more than they brought",
        signed=True,
    ),
    MetricLabel(
        "sharpe_over_hold",
        "Sharpe over holding",
        "ratio",
        "mean over deviation of daily returns less those of holding, times √365",
        signed=True,
    ),
    MetricLabel("long_pnl", "Long leg P&L", "money", "price P&L of the long legs of hedges", signed=True),
    MetricLabel("short_pnl", "Short leg P&L", "money", "price P&L of the short legs of hedges", signed=True),
    MetricLabel("borrow_cost", "Interest", "money", "interest of borrowed legs"),
    MetricLabel("transfer_cost", "Transfer fees", "money", "fees of top-ups and of moves between exchanges"),
    MetricLabel(
        "funding_negative",
        "Funding at carry < 0",
        "money",
        "funding booked while the carry was below 0",
        signed=True,
    ),
    MetricLabel(
        "funding_neutral",
        "Funding at low carry",
        "money",
        "funding booked at a carry from 0 up to regime_high, per 8 hours",
        signed=True,
    ),
    MetricLabel(
        "funding_high",
        "Funding at high carry",
        "money",
        "funding booked at a carry of regime_high per 8 hours or above",
        signed=True,
    ),
    MetricLabel(
        "avg_capital_tied", "Capital tied", "money", "mean over time of spot, margins and collateral"
    ),
    MetricLabel("max_margin_used", "Largest margins", "money", "largest sum of all margins after an event"),
    MetricLabel(
        "capacity",
        "Capacity",
        "money",
        "smallest notional that max_participation allowed at an entry; none without that limit",
    ),
    MetricLabel("adl_closures", "Stress closings", "count", "hedges of which stress closed a leg"),
    MetricLabel("top_ups", "Top-ups", "count", "transfers to the margin of a leg that had run low"),
    MetricLabel("reductions", "Reductions", "count", "times that both legs were reduced to keep a margin"),
    MetricLabel("capped_entries", "Capped entries", "count", "entries that max_participation made smaller"),
    MetricLabel(
        "return_on_capital_tied",
        "Return on capital tied",
        "share",
        "net P&L over the capital tied",
        signed=True,
    ),
    MetricLabel(
        "capital_efficiency", "Capital efficiency", "share", "capital tied over the starting capital"
    ),
    MetricLabel(
        "min_liquidation_distance",
        "Least distance to liquidation",
        "share",
        "how far the worst mark candle was from the price that wipes out a leg",
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
    "net_pnl_over_hold",
    "annualized_return",
    "sharpe",
    "sharpe_over_hold",
    "psr",
    "max_drawdown_pct",
    "total_funding",
    "price_pnl",
    "total_fees",
    "total_trades",
    "liquidations",
)
BESIDE_HOLDING = (
    "hold_net_pnl",
    "net_pnl_over_hold",
    "sharpe_over_hold",
    "available_funding",
    "captured_share",
    "missed_before_entry",
    "missed_between",
    "missed_after_exit",
    "extra_round_trips",
    "extra_fees",
)
GROUPS = (
    ("Money", ("money",)),
    ("Returns and shares", ("share",)),
    ("Ratios", ("ratio",)),
    ("Counts", ("count",)),
    ("Time", ("hours", "days")),
)


def judged_labels(objective: MetricLabel, direction: Direction) -> dict[str, MetricLabel]:
    """Return what trials have once their sweep is judged; a plateau is a value of the objective."""
    chance = "chance that a search like this shows such a Sharpe ratio without skill; known once judged"
    floor = f"worst {objective.label} of the trial and those one step away on an axis; known once judged"
    return {
        P_LUCK: MetricLabel(P_LUCK, "Chance of luck", "share", chance),
        PLATEAU: MetricLabel(PLATEAU, "Plateau", objective.kind, floor, objective.signed, direction),
    }


def brief(metrics: Mapping[str, MetricLabel]) -> dict[str, dict[str, Any]]:
    """Return what scripts of a page need to know of metrics, by name."""
    return {
        name: {"label": m.label, "kind": m.kind, "small_is_good": m.small_is_good}
        for name, m in metrics.items()
    }


def labels(names: tuple[str, ...]) -> list[MetricLabel]:
    """Return the labels of `names`, in their order."""
    return [METRIC_LABELS[name] for name in names]


def groups(*, with_hedges: bool) -> list[tuple[str, list[MetricLabel]]]:
    """Return (heading, metrics) for a page that shows all those of the run itself."""
    beside = BESIDE_HOLDING if with_hedges else (*BESIDE_HOLDING, *OF_HEDGES)
    own = [metric for name, metric in METRIC_LABELS.items() if name not in beside]
    return [(title, [metric for metric in own if metric.kind in kinds]) for title, kinds in GROUPS]


def beside_labels() -> list[MetricLabel]:
    """Return the metrics that compare a run with holding."""
    return labels(BESIDE_HOLDING)


def explained(parameter: str) -> str:
    """Return the sentence that explains a run parameter, empty if it has none."""
    field = RunConfig.model_fields.get(parameter)
    return (field.description or "") if field else ""
