"""Numbers with their nouns, as messages say them."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with what it counts: `1 trial`, `1,200 trials`; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
