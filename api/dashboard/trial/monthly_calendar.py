"""The months of a run as a table: a year a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.backtest.baseline import FinishedRun
from bot.backtest.periods.monthly import Month, months
from bot.numbers.money import ZERO, exact

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SHADES = 4


@dataclass(frozen=True, slots=True)
class MonthCell:
    """A month and how strongly it is coloured: -SHADES for the worst loss to SHADES for the best gain."""

    month: Month
    shade: int


@dataclass(frozen=True, slots=True)
class YearRow:
    """A year: a cell or None a month, and the sums of the months that are there."""

    year: int
    cells: Sequence[MonthCell | None]
    change: Decimal
    funding: Decimal


def year_rows(result: FinishedRun) -> list[YearRow]:
    """Return the years of a run, oldest first."""
    with exact():
        found = months(result.equity, result.config.initial_capital, result.payments, result.trades)
        most = max(abs(month.change) for month in found)
        rows = []
        for year in range(found[0].year, found[-1].year + 1):
            own = {
                month.month: MonthCell(month, _shade(month.change, most))
                for month in found
                if month.year == year
            }
            change = sum((cell.month.change for cell in own.values()), ZERO)
            funding = sum((cell.month.funding for cell in own.values()), ZERO)
            rows.append(YearRow(year, [own.get(number) for number in range(1, 13)], change, funding))
    return rows


def _shade(change: Decimal, most: Decimal) -> int:
    if not change:
        return 0
    strength = max(1, round(SHADES * abs(change) / most))
    return strength if change > 0 else -strength
