"""Results of the kernel as the columns in which results of trials are stored."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.kernel.layouts import LEDGER_BYTES
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.numbering import occurring
from bot.statistics.daily_returns import DailyReturns, first_day_of
from bot.statistics.growth import annualized_return
from bot.statistics.metrics import Calendar, finite
from bot.statistics.trial_columns import MetricColumn, TrialColumns
from bot.statistics.trial_metrics import USUAL_METRICS, is_real

_KINDS = [(name, is_real(name)) for name in USUAL_METRICS]


@dataclass(frozen=True, slots=True, eq=False)
class BatchResults:
    """Results of the runs of one call; the kernel writes them.

    Run i has those of the run `sources[i]`: of runs that decide alike one is replayed. `metrics` has a row
    for each of `USUAL_METRICS`. `fits` masks runs all of whose numbers stayed in the range where they are
    exact, `grows` those whose annualized return is certain.
    """

    metrics: IntArray
    fits: BoolArray
    grows: BoolArray
    ledgers: npt.NDArray[np.uint8]
    sources: IntArray
    days: DailyReturns

    @classmethod
    def of(cls, hold_of: IntArray, holds: int, calendar: Calendar) -> "BatchResults":
        """Return room for the results of runs with these hold baselines."""
        count, days = len(hold_of), len(calendar.day_ends)
        sources = np.empty(count, dtype=np.int64)
        returns = np.empty((count, days)), np.empty((holds, days))
        fits, grows = np.empty((2, count), dtype=np.bool_)
        return cls(
            np.empty((len(USUAL_METRICS), count), dtype=np.int64),
            fits,
            grows,
            np.empty((count, LEDGER_BYTES), dtype=np.uint8),
            sources,
            DailyReturns(first_day_of(calendar), returns[0], sources, returns[1], hold_of),
        )

    def columns(self, capitals: IntArray, elapsed_ms: int) -> TrialColumns:
        """Return the results of all runs; `capitals` are those of all accounts, in units."""
        reals = self.metrics.view(np.float64)
        columns: dict[str, MetricColumn] = {
            name: (reals if real else self.metrics)[row] for row, (name, real) in enumerate(_KINDS)
        }
        if not self.grows.all():
            self._grow(columns, capitals, elapsed_ms)
        return TrialColumns(columns, self.ledgers, {})

    def _grow(self, columns: dict[str, MetricColumn], capitals: IntArray, elapsed_ms: int) -> None:
        """Work out the annualized returns that are not certain, and what follows from them."""
        doubtful = self.fits & ~self.grows
        for place in occurring(self.sources[doubtful]).tolist():
            capital, final = int(capitals[self.days.hold_of[place]]), int(columns["final_equity"][place])
            growth, share = annualized_return(capital, final, elapsed_ms), columns["max_drawdown_pct"][place]
            calmar = None if growth is None or not share else finite(growth / float(share))
            alike = self.sources == place
            columns["annualized_return"][alike] = np.nan if growth is None else growth
            columns["calmar"][alike] = np.nan if calmar is None else calmar
