"""Spells below a peak, one by one."""

from decimal import Decimal

import numpy as np

from bot.statistics.drawdown_spells import drawdown_spells
from bot.statistics.metrics import Calendar, money_units

HOUR = 3_600_000


def spells(*equity: str, initial: str = "100", most: int = 5) -> list[tuple[int, int, int | None, Decimal]]:
    units = np.array([money_units(Decimal(one)) for one in equity], dtype=np.int64)
    calendar = Calendar.of([place * HOUR for place in range(len(equity))])
    found = drawdown_spells(units, money_units(Decimal(initial)), calendar, most)
    return [
        (
            one.from_ms // HOUR,
            one.trough_ms // HOUR,
            None if one.recovered_ms is None else one.recovered_ms // HOUR,
            one.amount,
        )
        for one in found
    ]


def test_deepest_spell_comes_first_and_one_without_recovery_has_no_end() -> None:
    found = spells("110", "99.00000001", "104.5", "110", "120", "118", "119")
    assert found == [(0, 1, 3, Decimal("10.99999999")), (4, 5, None, Decimal(2))]


def test_spell_from_the_initial_capital_counts_from_the_first_event() -> None:
    assert spells("90", "95", "100", "101") == [(0, 0, 2, Decimal(10))]


def test_rising_curve_has_none_and_only_so_many_are_named() -> None:
    assert spells("100", "101", "101", "102") == []
    assert spells("99", "100", "98", "100", "97", "100", most=2) == [
        (3, 4, 5, Decimal(3)),
        (1, 2, 3, Decimal(2)),
    ]
