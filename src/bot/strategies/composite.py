"""Strategy v1.1: a weighted score of signals decides, and may scale the size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from bot.config.parameters import CompositeParameters
from bot.config.strategy_declaration import Figure, GateAdvice, StrategyPlugin
from bot.models import FundingRate, SettlementView
from bot.numbers.columns import DecimalColumn
from bot.numbers.money import ONE, ZERO
from bot.numbers.thresholds import ThresholdColumn
from bot.signals.engine import SignalEngine, SignalParams
from bot.strategies.composite_columns import masked_scores, scores_of
from bot.strategies.decision_columns import ColumnDecisions, DecisionColumns, Threshold
from bot.strategies.gates import LOWER_THRESHOLD, Gate
from bot.strategies.patient import PATIENT
from bot.strategies.strategy import Entry, Strategy
from bot.strategies.structures import PERP_PERP, REVERSE, SYNTHETIC_DOLLAR
from bot.strategies.suggestion import NOTHING_PAID, Suggestion, WindowFigures, in_bps, rounded

if TYPE_CHECKING:
    from bot.config.run_config import RunConfig


@dataclass(frozen=True, slots=True)
class ScoreSizing:
    """Share of a slot at score 0 and at score 1."""

    min_fraction: Decimal
    max_fraction: Decimal

    def fraction(self, score: Decimal) -> Decimal:
        """Return the share of a slot that a score deserves."""
        return self.min_fraction + (self.max_fraction - self.min_fraction) * score

    def fractions(self, scores: DecimalColumn) -> DecimalColumn:
        """Return the shares of a slot of many scores."""
        ends = DecimalColumn.from_decimals([self.min_fraction, self.max_fraction])
        least, most = map(int, ends.mantissas.tolist())
        one, largest = 10**-scores.exponent, int(np.abs(scores.mantissas).max(initial=0))
        if max(most * one, (most - least) * largest) >= _MOST:
            return DecimalColumn.from_decimals([self.fraction(score) for score in scores.decimals()])
        shares = least * one + (most - least) * np.asarray(scores.mantissas, dtype=np.int64)
        return DecimalColumn.of(shares, ends.exponent + scores.exponent)


_MOST = 10**18
_CAP_SHARE, _HIGH_SHARE = 0.95, 0.5


class CompositeStrategy(Strategy):
    """Enters high scores with sound volume, exits low scores and rates that are not positive."""

    remembers = True

    def __init__(
        self,
        signals: SignalEngine,
        entry_threshold: Decimal,
        exit_threshold: Decimal,
        sizing: ScoreSizing | None,
    ) -> None:
        self.past_settlements = signals.past_settlements
        self.past_candles = signals.past_candles
        self._signals = signals
        self._entry_threshold = entry_threshold
        self._exit_threshold = exit_threshold
        self._sizing = sizing

    def observe(self, funding: FundingRate) -> None:
        """Feed the signals."""
        self._signals.observe(funding)

    def forget(self, symbol: str) -> None:
        """Let the signals of a pair begin anew."""
        self._signals.forget(symbol)

    def entries(self, views: Sequence[SettlementView]) -> Sequence[Entry]:
        """Return the pairs whose score reaches the threshold, best score first, then by symbol."""
        scored = [(self._signals.signal(view).score, view) for view in views if view.funding.rate > 0]
        chosen = [
            (score, view)
            for score, view in scored
            if score >= self._entry_threshold and self._signals.volume_holds(view)
        ]
        chosen.sort(key=lambda found: (-found[0], found[1].funding.symbol))
        return [Entry(view, self._fraction(score)) for score, view in chosen]

    def blocking_gate(self, view: SettlementView) -> Gate | None:
        """Return whether rate, score or volume keeps the pair out."""
        rate = view.funding.rate
        if rate <= 0:
            return Gate("positive_rate", ZERO, rate, -rate)
        score = self._signals.signal(view).score
        if score < self._entry_threshold:
            return Gate("entry_threshold", self._entry_threshold, score, self._entry_threshold - score)
        return None if self._signals.volume_holds(view) else Gate("volume_decline_ratio")

    def figures(self, view: SettlementView) -> Mapping[str, Decimal | bool]:
        """Return the score, its parts, and whether volume holds."""
        signal = self._signals.signal(view)
        parts = {field.name: getattr(signal, field.name) for field in fields(signal)}
        return {**parts, "volume_holds": self._signals.volume_holds(view)}

    def wants_exit(self, view: SettlementView) -> bool:
        """Return whether the rate is not positive or the score has fallen below its threshold."""
        return view.funding.rate <= 0 or self._signals.signal(view).score < self._exit_threshold

    def _fraction(self, score: Decimal) -> Decimal:
        return ONE if self._sizing is None else self._sizing.fraction(score)


def _build(config: "RunConfig") -> CompositeStrategy:
    params = SignalParams(**{field.name: getattr(config, field.name) for field in fields(SignalParams)})
    return CompositeStrategy(
        SignalEngine(params), config.entry_threshold, config.exit_threshold, _sizing(config)
    )


def _sizing(config: "RunConfig") -> ScoreSizing | None:
    if not config.dynamic_sizing:
        return None
    return ScoreSizing(config.sizing_min_fraction, config.sizing_max_fraction)


def _decide(config: "RunConfig", columns: DecisionColumns) -> ColumnDecisions:
    sizing = _sizing(config)
    sound, paid = masked_scores(config, columns)
    return ColumnDecisions(
        (Threshold(sound, "entry_threshold"),),
        (Threshold(paid, "exit_threshold"),),
        lambda: scores_of(config, columns),
        None if sizing is None else lambda: _fractions(sizing, config, columns),
    )


def _fractions(sizing: ScoreSizing, config: "RunConfig", columns: DecisionColumns) -> ThresholdColumn:
    scores = scores_of(config, columns)

    def found() -> ThresholdColumn:
        return ThresholdColumn(sizing.fractions(scores.values))

    return columns.derive(("fractions", sizing, scores), found)


def _suggest(figures: WindowFigures) -> Suggestion:
    """Return scales at quantiles of a window's rates, so that its scores spread over their range."""
    cap, high = rounded(figures.rate(_CAP_SHARE)), rounded(max(figures.rate(_HIGH_SHARE), 0.0))
    if Decimal(cap) <= 0:
        return Suggestion(notes=NOTHING_PAID)
    scales = {"rate_cap": cap, "persistence_threshold": high}
    notes = [
        f"{_CAP_SHARE:.0%} of this window's settlements are below {in_bps(cap)} bp per 8 h: that scores 1",
        f"{_HIGH_SHARE:.0%} are below {in_bps(high)} bp: from there on a rate counts as high",
    ]
    known = figures.basis[~np.isnan(figures.basis)]
    premium = rounded(float(np.quantile(known, _CAP_SHARE))) if len(known) else "0"
    if Decimal(premium) > 0:
        scales["basis_cap"] = premium
        notes.append(f"a perp premium of {in_bps(premium)} bp, seldom exceeded, scores 1")
    return Suggestion(scales, {}, notes)  # scores then spread over the range of the strategy's own grid


PLUGIN = StrategyPlugin(
    "composite",
    "1.1",
    "Weighted funding signals",
    CompositeParameters,
    _build,
    decide_columns=_decide,
    decided_by=(
        *(field.name for field in fields(SignalParams)),
        "dynamic_sizing",
        "sizing_min_fraction",
        "sizing_max_fraction",
    ),
    figures={
        "score": Figure("Composite score", enter="entry_threshold", leave="exit_threshold"),
        "rate_level": Figure("Score of the rate level"),
        "trend": Figure("Score of the trend"),
        "persistence": Figure("Score of persistence"),
        "basis": Figure("Score of the basis"),
        "volume_holds": Figure("Volume holds up"),
    },
    gates={
        "positive_rate": GateAdvice(
            "This strategy enters only while the rate is positive: choose another window or symbol."
        ),
        "entry_threshold": GateAdvice(LOWER_THRESHOLD),
        "volume_decline_ratio": GateAdvice(
            "Volume was falling: a smaller volume_decline_ratio lets in, 0 ignores volume.", reads_volume=True
        ),
    },
    compare_place=2,
    default_grid={
        "entry_threshold": {"start": "0.3", "stop": "0.7", "step": "0.1"},
        "exit_threshold": ["0.1", "0.2", "0.3", "0.4"],
        "weight_trend": ["0", "0.25", "0.5"],
        "weight_persistence": ["0", "0.25", "0.5"],
    },
    suggest=_suggest,
    presets={
        "conservative": {
            "entry_threshold": "0.65",
            "exit_threshold": "0.4",
            "volume_decline_ratio": "0.8",
            "end_dead_markets": True,
        },
        "balanced": {
            "entry_threshold": "0.5",
            "exit_threshold": "0.3",
            "volume_decline_ratio": "0.7",
            "end_dead_markets": True,
        },
        "aggressive": {
            "entry_threshold": "0.35",
            "exit_threshold": "0.15",
            "volume_decline_ratio": "0.5",
            "end_dead_markets": True,
        },
        "patient": {
            "entry_threshold": "0.5",
            "exit_threshold": "0.2",
            "volume_decline_ratio": "0.7",
            "end_dead_markets": True,
            **PATIENT,
        },
        "reverse": {
            "entry_threshold": "0.5",
            "exit_threshold": "0.2",
            "volume_decline_ratio": "0.7",
            **REVERSE,
        },
        "perp_perp": {
            "entry_threshold": "0.5",
            "exit_threshold": "0.2",
            "volume_decline_ratio": "0.7",
            **PERP_PERP,
        },
        "synthetic_dollar": {
            "entry_threshold": "0.35",
            "exit_threshold": "0.15",
            "volume_decline_ratio": "0.7",
            **SYNTHETIC_DOLLAR,
        },
    },
)
