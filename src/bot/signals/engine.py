"""The composite score of a pair from its rate level, trend, persistence and basis."""

from dataclasses import dataclass
from decimal import Decimal

from bot.models import FundingRate, SettlementView
from bot.signals.basis import basis_score
from bot.signals.persistence import next_streak, persistence_score
from bot.signals.rate_level import rate_level_score
from bot.signals.score import SCORE_PLACES, SUB_SCORE_PLACES, weighted_score, whole_weights
from bot.signals.trend import RateAverage, trend_score
from bot.signals.volume import CANDLES_PER_DAY, volume_holds

_SPANS_TO_FORGET = 15
_PLACES_8 = Decimal(1).scaleb(-SUB_SCORE_PLACES)


@dataclass(frozen=True, slots=True)
class SignalParams:
    """Parameters of the signals; rates per 8 hours, weights relative."""

    rate_cap: Decimal
    trend_ema_span: int
    trend_stable_threshold: Decimal
    persistence_threshold: Decimal
    persistence_max_periods: int
    basis_cap: Decimal
    volume_lookback_days: int
    volume_decline_ratio: Decimal
    weight_rate_level: Decimal
    weight_trend: Decimal
    weight_persistence: Decimal
    weight_basis: Decimal

    @property
    def weights(self) -> tuple[Decimal, ...]:
        """Weights of rate level, trend, persistence and basis."""
        return self.weight_rate_level, self.weight_trend, self.weight_persistence, self.weight_basis


@dataclass(frozen=True, slots=True)
class Signal:
    """A score from 0 to 1 and the sub-scores it is made of."""

    score: Decimal
    rate_level: Decimal
    trend: Decimal
    persistence: Decimal
    basis: Decimal


class _PairState:
    __slots__ = ("average", "streak")

    def __init__(self, span: int) -> None:
        self.average = RateAverage(span)
        self.streak = 0


class SignalEngine:
    """Remembers what the signals need of each pair; every settlement costs the same."""

    def __init__(self, params: SignalParams) -> None:
        self._params = params
        self._weights = whole_weights(params.weights)
        self._pairs: dict[str, _PairState] = {}

    @property
    def past_settlements(self) -> int:
        """Number of settlements after which a score no longer depends on where it began.

        By then the moving average has forgotten its beginning to its last place.
        """
        return max(_SPANS_TO_FORGET * (self._params.trend_ema_span + 1), self._params.persistence_max_periods)

    @property
    def past_candles(self) -> int:
        """Number of hourly candles that the volume condition looks back on."""
        return 2 * self._params.volume_lookback_days * CANDLES_PER_DAY

    def observe(self, funding: FundingRate) -> None:
        """Take in a settlement; call for each one of a pair, in order."""
        state = self._pairs.get(funding.symbol)
        if state is None:
            state = self._pairs[funding.symbol] = _PairState(self._params.trend_ema_span)
        state.average.add(funding.rate_8h)
        state.streak = next_streak(state.streak, funding.rate_8h, self._params.persistence_threshold)

    def forget(self, symbol: str) -> None:
        """Drop what is remembered of a pair."""
        self._pairs.pop(symbol, None)

    def signal(self, view: SettlementView) -> Signal:
        """Return the signal at a settlement that has been observed, with fresh prices."""
        params, state = self._params, self._pairs[view.funding.symbol]
        spot, perp = view.ticker.spot, view.ticker.perp
        if spot is None or perp is None:
            raise ValueError(f"{view.funding.symbol} has no prices to score")
        parts = (
            rate_level_score(view.funding.rate_8h, params.rate_cap).quantize(_PLACES_8),
            trend_score(state.average.change, params.trend_stable_threshold).quantize(_PLACES_8),
            persistence_score(state.streak, params.persistence_max_periods).quantize(_PLACES_8),
            basis_score(spot, perp, params.basis_cap).quantize(_PLACES_8),
        )
        score = weighted_score(self._weights, tuple(int(part.scaleb(SUB_SCORE_PLACES)) for part in parts))
        return Signal(Decimal(score).scaleb(-SCORE_PLACES), *parts)

    def volume_holds(self, view: SettlementView) -> bool:
        """Return whether the pair's volume has not fallen too far."""
        params = self._params
        return volume_holds(view.volumes, params.volume_lookback_days, params.volume_decline_ratio)
