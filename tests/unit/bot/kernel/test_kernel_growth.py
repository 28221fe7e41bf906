import math
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from bot.kernel.loading import Library
from bot.models import DAY_MS
from bot.statistics.growth import annualized_return

finals = st.integers(-(10**15), 10**15) | st.integers(10**12 - 10**7, 10**12 + 10**7)


def certain_growths(
    library: Library, initial: list[int], finals: list[int], elapsed_ms: int
) -> Iterator[tuple[int, float | None]]:
    for place, (growth, certain) in enumerate(library.growths(initial, finals, elapsed_ms)):
        if certain:
            yield place, None if math.isnan(growth) else growth


@given(
    st.lists(finals, min_size=4, max_size=4),
    st.lists(st.sampled_from((10**12, 10**12 + 7, 3)), min_size=4, max_size=4),
    st.integers(0, 10**12),
)
def test_growths_that_the_kernel_is_certain_of_have_the_bits_of_exact_growth(
    library: Library, drawn: list[int], initial: list[int], elapsed_ms: int
) -> None:
    for place, growth in certain_growths(library, initial, drawn, elapsed_ms):
        assert growth == annualized_return(initial[place], drawn[place], elapsed_ms)


def test_the_kernel_is_certain_of_a_year_of_every_small_gain(library: Library) -> None:
    drawn = list(range(10**12 - 3 * 10**9, 10**12 + 3 * 10**9, 10**6 + 7))
    for at in range(0, len(drawn) - 4, 4):
        found = dict(certain_growths(library, [10**12] * 4, drawn[at : at + 4], 364 * DAY_MS))
        assert found == {
            place: annualized_return(10**12, drawn[at + place], 364 * DAY_MS) for place in range(4)
        }


def test_the_kernel_does_not_round_a_growth_beyond_the_whole_floats_twice(library: Library) -> None:
    final = 10**12 + 153_535  # grows by 66,437,304,368,121,019.4, and floats are eight apart there
    found = dict(certain_growths(library, [10**12] * 4, [final] * 4, 125))
    assert found == dict.fromkeys(range(4), 66_437_304_368_121_016.0)


def test_the_kernel_is_not_certain_of_a_growth_half_way_between_two_floats(library: Library) -> None:
    initial, final = 2**27, 2**27 + 2**25 + 1  # its square less 1 has 54 bits
    assert not dict(certain_growths(library, [initial] * 4, [final] * 4, 365 * DAY_MS // 2))
