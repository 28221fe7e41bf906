"""One trial's Sharpe ratio with its standard error: the chance that it is above zero, and above luck."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.numbers.arrays import FloatArray
from bot.selection.sharpe import PowerSums

_ROOT_2 = math.sqrt(2)
_ERF = np.frompyfunc(math.erf, 1, 1)
_ONE_SIDED_95 = 1.6448536269514722


def error_square(n: int, sharpe: Any, skewness: Any, kurtosis: Any, t_eff: Any) -> Any:
    """Return the square of a daily Sharpe ratio's standard error, of one trial or of an array of them.

    Source: Bailey, Lopez de Prado, The Sharpe ratio efficient frontier, Journal of Risk 15 (2012), whose
    1/(n-1) is that of independent days.
    """
    shape = ((kurtosis - 1) / 4) * (sharpe * sharpe) - skewness * sharpe
    return 1 / t_eff + shape / (n - 1)


def chance_above(score: float) -> float:
    """Return the probability of a standard normal below `score`."""
    return float(chances_above(np.float64(score)))


def chances_above(scores: FloatArray | np.float64) -> FloatArray:
    """Return `chance_above` of each score."""
    return 0.5 * (1 + np.asarray(_ERF(scores / _ROOT_2), dtype=np.float64))


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """Daily Sharpe ratio over n days that are worth `t_eff` independent ones, with its moments."""

    n: int
    sharpe: float
    skewness: float
    kurtosis: float
    tau: float
    t_eff: float

    @classmethod
    def of(cls, sums: PowerSums, tau: float) -> "TrackRecord | None":
        """Return the record of power sums and the bootstrap deviation `tau` of the Sharpe ratio.

        `tau` is NaN of a trial whose drawn weeks are all alike, which is worth n-1 days. None where the
        returns do not vary.
        """
        ratio = sums.sharpe
        if ratio is None:
            return None
        days = sums.n - 1 if math.isnan(tau) else min(sums.n - 1, 1 / (tau * tau))
        return cls(sums.n, ratio, *sums.skewness_and_kurtosis(), tau, days)

    @property
    def standard_error(self) -> float | None:
        """Standard error for dependent days; None unless its square is positive."""
        square = error_square(self.n, self.sharpe, self.skewness, self.kurtosis, self.t_eff)
        return math.sqrt(square) if square > 0 else None

    def published_psr(self, benchmark: float) -> float | None:
        """Return the probabilistic Sharpe ratio as published, for independent days.

        Source: Bailey, Lopez de Prado, The deflated Sharpe ratio, Journal of Portfolio Management 40 (2014).
        """
        spread = 1 - self.skewness * self.sharpe + ((self.kurtosis - 1) / 4) * self.sharpe**2
        if spread <= 0:
            return None
        return chance_above((self.sharpe - benchmark) * math.sqrt(self.n - 1) / math.sqrt(spread))

    def psr(self, benchmark: float) -> float | None:
        """Return the probability that the true Sharpe ratio is above a daily `benchmark`."""
        error = self.standard_error
        return None if error is None else chance_above((self.sharpe - benchmark) / error)

    def min_track_days(self, benchmark: float) -> int | None:
        """Return the days after which the ratio is above `benchmark` at 95 %; None unless it is above it."""
        error = self.standard_error
        if error is None or not self.sharpe > benchmark:
            return None
        return math.ceil(self.n * (_ONE_SIDED_95 * error / (self.sharpe - benchmark)) ** 2)

    def document(self, luck: float, p_luck: float, published_sr0: float | None) -> dict[str, Any]:
        """Return the record as JSON values, beside the best Sharpe ratio expected by luck."""
        return {
            "sharpe": self.sharpe,
            "skewness": self.skewness,
            "kurtosis": self.kurtosis,
            "tau": None if math.isnan(self.tau) else self.tau,
            "t_eff": self.t_eff,
            "se": self.standard_error,
            "p_luck": p_luck,
            "psr": self.psr(0.0),
            "dsr": self.psr(luck),
            "min_track_days": self.min_track_days(0.0),
            "min_track_days_luck": self.min_track_days(luck),
            "published": {
                "psr": self.published_psr(0.0),
                "dsr": None if published_sr0 is None else self.published_psr(published_sr0),
            },
        }
