"""Panel: the trials of one sweep over the same days, with everything that judging them has in common."""

from dataclasses import dataclass
from functools import cached_property

from bot.numbers.arrays import FloatArray
from bot.selection.days.blocks import Blocks
from bot.selection.days.calendar import Calendar
from bot.selection.days.ranking import Ranking
from bot.selection.days.segments import Segments
from bot.selection.folds import FoldDays, folds_of
from bot.selection.settings import MONEY_OBJECTIVES, USUAL, ValidationSettings


@dataclass(frozen=True)
class Panel:
    """Days, objective and settings of a judgement."""

    calendar: Calendar
    objective: str
    settings: ValidationSettings = USUAL

    @cached_property
    def ranking(self) -> Ranking:
        """Order of trials within some of their days."""
        return Ranking(by_money=self.objective in MONEY_OBJECTIVES)

    @cached_property
    def blocks(self) -> Blocks:
        """Blocks of the days."""
        own = self.settings
        return Blocks(self.calendar.days, own.blocks, own.test_blocks, own.purge_days, own.embargo_days)

    @cached_property
    def folds(self) -> list[FoldDays]:
        """Folds of the walk-forward."""
        return folds_of(self.calendar.days, self.settings.walk_forward)

    @cached_property
    def segments(self) -> Segments:
        """Pieces of the days that block and fold sums are made of."""
        folds = {day for fold in self.folds for span in fold for day in span}
        return Segments.of(self.calendar.days, self.blocks.edges | folds)

    @cached_property
    def block_windows(self) -> FloatArray:
        """The blocks (rows) as 1 for each piece (column) inside."""
        return self.segments.blocks(self.blocks)
