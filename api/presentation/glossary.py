"""The field's terms in one table: what the pages explain on hover and focus, and list on a page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api.presentation.metric_catalogue import METRIC_LABELS

PATH = "/dashboard/glossary"


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the field: `key` names it in templates and addresses, `text` explains it."""

    key: str
    title: str
    text: str

    @property
    def anchor(self) -> str:
        """Address of its entry in the glossary."""
        return f"{PATH}#{self.key}"


_MARKET = (
    Term("perpetual", "Perpetual, perp", "A futures contract without an expiry; funding ties it to spot."),
    Term("spot", "Spot", "The coin itself, bought and held. The long leg of a carry trade."),
    Term(
        "funding_rate",
        "Funding rate",
        "The fraction of its notional that a perp position pays at a settlement. "
        "Positive: longs pay shorts, so the short leg of a carry trade earns it.",
    ),
    Term(
        "settlement",
        "Settlement",
        "The moment at which funding is paid. Only who holds a position at that moment pays or receives.",
    ),
    Term(
        "funding_interval",
        "Funding interval",
        "The hours between two settlements: 8, 4, 2 or 1. Exchanges change it per contract, some by "
        "themselves when a rate hits its limit, so rates are only comparable per hour or per 8 hours.",
    ),
    Term(
        "interval_switch",
        "Interval switch",
        "A settlement from which on the funding interval is another one.",
    ),
    Term("rate_8h", "Rate per 8 h", "A funding rate times 8 over its funding interval in hours."),
    Term(
        "basis",
        "Basis",
        "The perp's price over the spot price, less one: positive where the perp is dearer. A carry trade "
        "entered at a high basis gains when it narrows, and loses when it widens.",
    ),
    Term(
        "mark_price",
        "Mark price",
        "The exchange's fair price of the perp. Funding and liquidation use it; fills use traded prices.",
    ),
    Term("notional", "Notional", "Quantity times price: what a position is worth in quote currency."),
    Term("quote", "Quote currency", "The currency prices are in: USDT in BTC/USDT."),
    Term("bps", "Basis point, bp", "A hundredth of a percent: 0.0001 as a fraction."),
    Term("taker", "Taker fee", "The share of a fill's notional paid for an order that trades at once."),
    Term("maker", "Maker fee", "The share paid for an order that waits in the book; order_style says which."),
    Term("slippage", "Slippage", "How far a fill is worse than the last price, on every fill, in bp."),
    Term(
        "multiplier",
        "Multiplier contract",
        "A perp that counts its coin in thousands or more, such as 1000PEPE; its spot prices are scaled.",
    ),
)
_STRATEGY = (
    Term(
        "carry",
        "Carry",
        "What holding earns: funding over the notional, here per year of 365 days without compounding, "
        "before fees.",
    ),
    Term(
        "carry_trade",
        "Carry trade",
        "Long spot and short the perp in equal quantity: price moves cancel, funding and basis remain.",
    ),
    Term("legs", "Legs", "The two positions of a carry trade: by default long spot, short perp."),
    Term(
        "structure",
        "Structure",
        "The kinds of a hedge's two legs: spot_perp, reverse (a perp long against borrowed spot), perp_perp "
        "or inverse (spot whose coins are the margin of an inverse perp).",
    ),
    Term(
        "wallet",
        "Wallet",
        "The account's cash on one exchange. Legs are paid from that of their exchange; levelling moves cash "
        "from the wallet with the largest excess over its share to that with the smallest.",
    ),
    Term(
        "hold_baseline",
        "Hold baseline",
        "The same account, entered at the first settlement with prices and held to the end.",
    ),
    Term(
        "break_even",
        "Settlements to break even",
        "How many settlements of average funding repay opening and closing both legs: fees and slippage of "
        "four fills over the mean rate per settlement; of a run, what a round trip cost over what "
        "a settlement paid it, both on average.",
    ),
    Term("round_trip", "Round trip", "Opening and closing both legs: four fills, four fees."),
    Term("leverage", "Leverage", "Notional of the short over the margin locked for it."),
    Term(
        "maintenance_margin",
        "Maintenance margin",
        "The share of the short's notional below which its margin must not fall.",
    ),
    Term("liquidation", "Liquidation", "The exchange closes the short because its margin is used up."),
    Term(
        "top_up",
        "Top-up, reduction",
        "What a margin policy does before that: cash moved to a leg's margin, or both legs made smaller.",
    ),
    Term(
        "adl",
        "Automatic deleveraging, ADL",
        "The exchange closes a leg to reduce its own risk, whatever its margin; stress places one.",
    ),
    Term(
        "participation",
        "Participation, capacity",
        "The quantity of an order as a share of a day's volume; the notional up to which every entry stays "
        "within the share that a run allows.",
    ),
    Term(
        "market_end",
        "Market end",
        "The close of a contract's last candle with volume, where that lies more than a day before the "
        "window's end. P&L booked later could not have been earned; end_dead_markets closes hedges there.",
    ),
    Term(
        "delisting",
        "Delisting",
        "The contract ended: the short closed at the last mark price for its taker fee, spot was sold then.",
    ),
    Term(
        "missed_settlements",
        "Missed settlements",
        "Settlements that fell due while a position was open and are not in the data: they count as zero.",
    ),
    Term(
        "margin_exit", "Margin exit", "Both legs closed in time because the margin came near a liquidation."
    ),
    Term("equity", "Equity", "Cash plus open positions at market prices."),
    Term("drawdown", "Drawdown", "The fall of equity from its highest value so far."),
    Term(
        "captured",
        "Captured share",
        "Funding of a run over what holding would have earned in the same window.",
    ),
    Term(
        "autocorrelation",
        "Autocorrelation",
        "How much a rate resembles the one so many settlements "
        "before, from -1 to 1. High: a rate tends to stay where it is.",
    ),
    Term(
        "persistence",
        "Stays positive",
        "Of the settlements after a positive one, how many were positive too.",
    ),
    Term("percentile", "Percentile", "The value that so many percent of all values do not exceed."),
)
_SWEEP = (
    Term("sweep", "Sweep", "One strategy replayed over every combination of its parameters."),
    Term(
        "trial", "Trial", "One combination of parameters, replayed. Its number is fixed by the sweep's spec."
    ),
    Term("axis", "Axis", "A parameter that a sweep varies, with its values."),
    Term("constraint", "Constraint", "A rule between parameters; combinations that break it are left out."),
    Term("sampler", "Sampler", "Which combinations are run: all of them (grid), or some (random, Sobol)."),
    Term("objective", "Objective", "The metric a sweep ranks its trials by."),
    Term(
        "eligible",
        "Eligible",
        "May win: enough trades and settlements for its numbers to mean something, and days that moved. "
        "All other trials follow, whatever their metrics.",
    ),
    Term(
        "plateau",
        "Plateau",
        "The trial whose worst neighbour, one step away on any axis of numbers, is best; its cell has the "
        "dashed frame. A lone bright cell is mostly luck, a plateau less so. As a number of a trial: "
        "the worst objective of it and those neighbours.",
    ),
    Term("heatmap", "Heatmap", "A metric over two axes; further axes are fixed or summed up."),
    Term(
        "pareto",
        "Pareto front",
        "The trials that no other beats in both measures at once.",
    ),
    Term("importance", "Parameter importance", "How much of a metric's variation an axis explains."),
    Term(
        "scenario_axes",
        "Scenario axes",
        "Axes that are not optimized, such as costs and dates: settings of the others are ranked at their "
        "worst or median scenario.",
    ),
    Term("stale", "Stale", "Replayed on other market data, or by another version of the engine."),
    Term("look_ahead", "Look-ahead", "A decision that used data from after its moment. None may."),
    Term(
        "overfitting", "Overfitting", "Picking what fits the past by chance: the more trials, the likelier."
    ),
)
_EVIDENCE = (
    Term(
        "bands",
        "Bands",
        "Quantiles over 1,000 resamplings of a trial's own days, in blocks. Wide bands: the result depends "
        "on a few of its days.",
    ),
    Term(
        "random_entries",
        "Random entries",
        "As many trips, each as long, at other settlements. Where they earn as much, being in the market "
        "earned it and not the moments that were chosen.",
    ),
    Term(
        "regime",
        "Regime",
        "Level of funding before a day: the mean rate per 8 h of the 30 days before, at fixed edges. P&L "
        "from one regime alone needs that regime again.",
    ),
)
_SELECTION = (
    Term(
        "selection",
        "Selection",
        "Picking the best of many trials. The more were tried, the better the best one looks by chance.",
    ),
    Term(
        "eligible",
        "Eligible trial",
        "A completed trial with enough trades and settlements to be judged. No other is ever the winner.",
    ),
    Term(
        "distinct",
        "Distinct trial",
        "One of the trials with the same daily returns, the lowest number. A threshold that changes nothing "
        "makes no further trial.",
    ),
    Term(
        "luck",
        "Luck alone",
        "The best Sharpe ratio that this search would show on average if no trial had any skill. The "
        "winner's has to be read beside it.",
    ),
    Term(
        "p_luck",
        "Chance of luck",
        "The chance that a search like this shows such a Sharpe ratio somewhere without skill. Up to 5 % "
        "luck is an unlikely explanation; it is never a proof of skill.",
    ),
    Term(
        "look",
        "Look",
        "A run at these days whose result could be seen: sweeps, backtests, comparisons, deleted ones too. "
        "Trying again until it fits counts.",
    ),
    Term(
        "probabilistic_sharpe",
        "PSR",
        "Probabilistic Sharpe ratio: the probability that the true one is above zero, as if this had been "
        "the only trial. Read it beside the DSR.",
    ),
    Term(
        "dsr",
        "DSR",
        "Deflated Sharpe ratio: the probability that the true one is above what luck alone finds. Above "
        "0.95 the search does not explain it.",
    ),
    Term(
        "independent_trials",
        "Independent trials",
        "The number of unrelated trials that would find as much by luck as these, which resemble each "
        "other. Few: the search was narrower than its grid.",
    ),
    Term(
        "independent_days",
        "Independent days",
        "The number of unrelated days that the record is worth. Funding is autocorrelated, so 1,820 days "
        "may be worth 40: read a Sharpe ratio as one of those few days.",
    ),
    Term(
        "survivors",
        "Trials that luck does not explain",
        "Trials whose Sharpe ratio this search shows by luck at most once in twenty times.",
    ),
    Term(
        "pbo",
        "PBO",
        "Probability of backtest overfitting: how often the best trial of one half of the days is among "
        "the worse half of trials in the other. Above 0.5 the best is a bad choice.",
    ),
    Term(
        "purged_cv",
        "Purged cross-validation",
        "Each block of days traded by the trial that was best on the others, without those next to it. "
        "Losing paths show how badly a choice could have turned out.",
    ),
    Term(
        "walk_forward",
        "Walk-forward",
        "At each date the trial that was best until then, tested on the days after. The result of "
        "choosing again at each date.",
    ),
    Term(
        "efficiency",
        "Walk-forward efficiency",
        "Mean Sharpe ratio on test days over that on training days. Well below 1, little of the in-sample "
        "result lasted.",
    ),
    Term(
        "transfer",
        "Transfer between pairs",
        "Rank, from 0 to 1, that the setting best on the other pairs has on each one. At 0.50 knowing the "
        "others says nothing.",
    ),
    Term(
        "verdict",
        "Verdict",
        "The first that applies: too little to judge by, luck explains the winner, the search adds nothing "
        "to holding, the winner does not last, the winner holds up.",
    ),
)
_DATA = (
    Term("coverage", "Coverage", "Which rows of each series are held, and which are missing."),
    Term("gap", "Gap", "Rows missing between two that are held."),
    Term(
        "finding",
        "Finding",
        "An oddity of recorded rows, such as hours without a trade. Runs show those of their window; a "
        "warning is about P&L that may never have been there.",
    ),
    Term(
        "price_jump",
        "Price jump",
        "A price ten times the last candle's close or more, or a tenth or less: a redenomination, or another "
        "coin of the same name. No market moves so, and a hedge held across it earns nothing real.",
    ),
    Term(
        "dead_contract",
        "Dead contract",
        "A perp without a trade for over a day before the end of the window, whose record goes on with "
        "flat candles or constant funding.",
    ),
    Term("timeframe", "Timeframe", "How long one candle lasts. Candles are named by their opening time."),
    Term(
        "fingerprint", "Data fingerprint", "A digest of every row a run could read; equal data, equal digest."
    ),
    Term("synthetic", "Synthetic data", "Generated, not recorded. It says nothing about a real market."),
)


def _of_metrics() -> Iterator[Term]:
    for metric in METRIC_LABELS.values():
        if metric.description:
            text = metric.description[:1].upper() + metric.description[1:]
            yield Term(metric.name, metric.label, f"{text}.")


GROUPS: tuple[tuple[str, tuple[Term, ...]], ...] = (
    ("Markets and funding", _MARKET),
    ("The trade", _STRATEGY),
    ("Sweeps", _SWEEP),
    ("Selection", _SELECTION),
    ("Evidence", _EVIDENCE),
    ("Data", _DATA),
    ("Metrics", tuple(_of_metrics())),
)
"""Every term by subject; the metrics are explained by their own catalogue."""

TERMS: Mapping[str, Term] = MappingProxyType({term.key: term for _, group in GROUPS for term in group})
