"""Numbers with what they count."""

import pytest

from bot.plurals import counted


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("trial",), "0 trials"),
        (1, ("trial",), "1 trial"),
        (1200, ("trial",), "1,200 trials"),
        (1, ("process", "processes"), "1 process"),
        (2, ("process", "processes"), "2 processes"),
    ],
)
def test_only_one_of_a_thing_is_counted_in_the_singular(
    number: int, words: tuple[str, ...], text: str
) -> None:
    assert counted(number, *words) == text
