"""Walk-forward as one account lives it: the stitched run of its folds, beside holding over the same days."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Self

from bot.backtest.baseline import held_throughout
from bot.backtest.stitched import Seam, StitchedFacts
from bot.config.run_config import RunConfig
from bot.models import DAY_MS
from bot.numbers.money import plain
from bot.selection.walk_forward import Fold, Stitched

Stitch = Callable[[int, Sequence[Seam]], StitchedFacts]


@dataclass(frozen=True, slots=True, eq=False)
class WalkForwardRun:
    """The stitched run of folds from the first test day on, and holding over the same days.

    `pnl` are the net P&L of the folds, which add up to that of the run: the last one lasts to its end, days
    included that are too few for a fold.
    """

    run: StitchedFacts
    hold: StitchedFacts
    pnl: list[Decimal]

    @classmethod
    def of(
        cls,
        first_day: date,
        folds: Sequence[Fold],
        config_of: Callable[[int], RunConfig],
        stitched: Stitch,
    ) -> Self | None:
        """Return the run of folds whose days count from `first_day`, None if they never choose a trial.

        `config_of` returns the parameters of a trial, `stitched` the run from a moment on of parameters that
        change at seams; their errors pass.
        """
        begins = [_midnight_ms(first_day) + fold.days.test[0] * DAY_MS for fold in folds]
        seams = [
            Seam(begin, config_of(fold.trial))
            for begin, fold in zip(begins, folds, strict=True)
            if fold.trial is not None
        ]
        if not seams:
            return None
        run = stitched(begins[0], seams)
        held = [Seam(seam.from_ms, held_throughout(seam.config)) for seam in seams]
        end_ms = int(run.curve.calendar.times_ms[-1]) + 1
        return cls(run, stitched(begins[0], held), run.pnl_between([*begins, end_ms]))

    @property
    def figures(self) -> Stitched:
        """Metrics of the run and of holding, and the P&L of the folds."""
        net_pnl = [plain(pnl) for pnl in self.pnl]
        return Stitched(self.run.metrics_document(), self.hold.metrics_document(), net_pnl)

    def curves(self) -> dict[str, Any]:
        """Return exact equity of the run and of holding, seams and trades, as JSON values; times in ms."""
        times = self.run.curve.calendar.moments
        return {
            "equity": self.run.curve.document(),
            "hold": self.hold.curve.document(),
            "seams": [times[stage.first] for stage in self.run.stages],
            "trades": list(map(self.run.trade_document, self.run.trades)),
        }


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
