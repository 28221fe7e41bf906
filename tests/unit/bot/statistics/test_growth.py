from decimal import Decimal

import pytest

from bot.models import DAY_MS, HOUR_MS
from bot.statistics.growth import annualized_return


def test_annualized_return_compounds_over_365_days() -> None:
    grown = annualized_return(Decimal(100), Decimal(121), 2 * 365 * DAY_MS)
    assert grown == pytest.approx(0.1, rel=1e-15)
    assert annualized_return(Decimal(100), Decimal(101), 365 * DAY_MS) == 0.01


@pytest.mark.parametrize(
    ("final", "elapsed_ms"), [("100", 0), ("0", DAY_MS), ("-1", DAY_MS), ("100000", 1), ("1e30", HOUR_MS)]
)
def test_annualized_return_is_undefined_where_it_makes_no_sense(final: str, elapsed_ms: int) -> None:
    assert annualized_return(Decimal(100), Decimal(final), elapsed_ms) is None
