"""Sub-scores by column have the bits of the signals that score one settlement at a time."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.numbers.columns import DecimalColumn
from bot.numbers.money import ZERO, exact
from bot.signals import columns
from bot.signals.basis import basis_score
from bot.signals.persistence import next_streak, persistence_score
from bot.signals.rate_level import rate_level_score
from bot.signals.score import SUB_SCORE_PLACES
from bot.signals.trend import RateAverage, trend_score

THIRD = Decimal(1) / 3
UNIT = Decimal(1).scaleb(-SUB_SCORE_PLACES)
rates = st.lists(
    st.decimals("-0.02", "0.02", places=8)
    | st.sampled_from([THIRD, Decimal("0.0000000005"), Decimal(0)])
    | st.integers(-50, 50).map(lambda whole: Decimal(whole) / 10_000),
    min_size=1,
    max_size=40,
)
caps = st.decimals("0.00000001", "3", places=8) | st.sampled_from(
    [Decimal("0.0003"), Decimal(16), Decimal(10**20)]
)
thresholds = st.sampled_from([Decimal(0), Decimal("0.00005"), Decimal("0.0000000000015")])


def units(scores: list[Decimal]) -> list[int]:
    return [int(score.quantize(UNIT).scaleb(SUB_SCORE_PLACES)) for score in scores]


@given(rates, caps)
def test_rate_levels_are_those_of_each_rate(drawn: list[Decimal], cap: Decimal) -> None:
    with exact():
        found = columns.rate_levels(DecimalColumn.from_decimals(drawn), cap)
        assert found is None or found.tolist() == units([rate_level_score(rate, cap) for rate in drawn])
        assert found is not None or cap > 10**10 or THIRD in drawn


prices = st.lists(
    st.tuples(
        st.decimals("0.0001", "90000", places=4), st.decimals("-0.01", "0.02", places=6), st.booleans()
    ),
    min_size=1,
    max_size=30,
)


@given(prices, caps)
def test_bases_are_those_of_each_pair_of_prices(
    drawn: list[tuple[Decimal, Decimal, bool]], cap: Decimal
) -> None:
    with exact():
        perps = [(spot * (1 + premium)).quantize(Decimal("0.0001")) for spot, premium, _ in drawn]
        spots, priced = [spot for spot, _, _ in drawn], [fresh for _, _, fresh in drawn]
        found = columns.bases(
            DecimalColumn.from_decimals(spots), DecimalColumn.from_decimals(perps), np.array(priced), cap
        )
        expected = [
            basis_score(spot, perp, cap) if fresh else ZERO
            for spot, perp, fresh in zip(spots, perps, priced, strict=True)
        ]
        assert found is None or found.tolist() == units(expected)


@given(rates, st.integers(1, 12), thresholds)
def test_trends_are_those_of_settlements_one_by_one(
    drawn: list[Decimal], span: int, threshold: Decimal
) -> None:
    with exact():
        average, expected = RateAverage(span), []
        for rate in drawn:
            average.add(rate)
            expected.append(trend_score(average.change, threshold))
        known = columns.averages(DecimalColumn.from_decimals(drawn), span)
        assert (known is None) == (THIRD in drawn)
        assert known is None or columns.trends(known, span, threshold).tolist() == units(expected)


@given(rates, st.sampled_from([Decimal(0), Decimal("0.0003")]), st.integers(1, 9))
def test_persistences_are_those_of_settlements_one_by_one(
    drawn: list[Decimal], threshold: Decimal, most: int
) -> None:
    with exact():
        streak, expected = 0, []
        for rate in drawn:
            streak = next_streak(streak, rate, threshold)
            expected.append(persistence_score(streak, most))
        high = np.array([rate >= threshold for rate in drawn])
        assert columns.persistences(columns.streaks(high), most).tolist() == units(expected)


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.booleans()), min_size=1),
    st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1), Decimal("1.0000000000000000000001")]),
)
def test_volume_holds_where_the_newer_half_has_its_share(
    drawn: list[tuple[int, int, bool]], ratio: Decimal
) -> None:
    older, newer, known = (np.array(column) for column in zip(*drawn, strict=True))
    with exact():
        expected = [not has or new >= ratio * old for old, new, has in drawn]
        assert columns.volumes_hold(older, newer, known, ratio).tolist() == expected
