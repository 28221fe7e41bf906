"""Capital that results can hold: what is refused before any trial runs."""

from bot.errors import FieldError, InvalidInputError
from bot.numbers.money import plain
from sweeps.spec.spec import SweepSpec
from sweeps.storage.columns import LARGEST_AMOUNT


def refuse_unstorable_capital(spec: SweepSpec) -> None:
    """Raise InvalidInputError naming every `initial_capital` that is more than a result can hold.

    A run that does not trade ends with the very capital it began with, so more than that is never stored, and
    exactly that much can be. Larger amounts that come of trading depend on prices, leverage and compounding;
    they fail the one trial, once it is replayed.
    """
    limit = plain(LARGEST_AMOUNT)
    errors = [
        FieldError(path, f"{plain(capital)} is more than the results of a sweep can hold, at most {limit}")
        for path, capital in spec.written_values("initial_capital").items()
        if capital > LARGEST_AMOUNT
    ]
    if errors:
        raise InvalidInputError(errors)
