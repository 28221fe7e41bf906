"""Expected errors: each has a stable code and a message that a person can act on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

MOST_ERRORS = 20
"""Most refused fields that one error names; of more it gives the number."""

_LONGEST_FIELD = 200
_LONGEST_MESSAGE = 1_000


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused field: its dotted path and a sentence that names the value."""

    field: str
    message: str


class BotError(Exception):
    """Base of all expected errors; `code` is stable, the message is for people."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SessionError(BotError):
    """A paper session that cannot go on as asked."""

    code = "paper_session"


class NotForHedgesError(BotError):
    """Something that is told of spot against a perp alone is asked of other hedges."""

    code = "not_for_hedges"


class InvalidNumberError(BotError, ValueError):
    """A text that is no finite decimal number."""

    code = "invalid_number"


class FloatMoneyError(InvalidNumberError, TypeError):
    """A binary float or a bool where exact money is asked for."""

    code = "float_money"


class InvalidInputError(BotError):
    """Input with one or more refused fields."""

    code = "invalid_input"

    def __init__(self, errors: Sequence[FieldError], more: int = 0) -> None:
        """Take the refused fields, of which the first are kept, and how many `more` are not among them."""
        self.errors = tuple(map(_bounded, errors[:MOST_ERRORS]))
        self.more = more + len(errors) - len(self.errors)
        told = [f"{error.field}: {error.message}" for error in self.errors]
        super().__init__("; ".join([*told, f"and {self.more:,} more"] if self.more else told))

    @classmethod
    def of(cls, field: str, message: str) -> "InvalidInputError":
        """Return the error of a single field."""
        return cls([FieldError(field, message)])

    def renamed(self, rename: Callable[[FieldError], FieldError]) -> Self:
        """Return this error with other words for the same fields."""
        return type(self)([rename(error) for error in self.errors], self.more)


class FieldErrors:
    """Refused fields as they are found: the first `MOST_ERRORS` are kept, the others only counted."""

    def __init__(self) -> None:
        self._kept: list[FieldError] = []
        self._more = 0

    def __bool__(self) -> bool:
        return bool(self._kept)

    def add(self, *errors: FieldError) -> None:
        """Count refused fields."""
        if len(self._kept) < MOST_ERRORS:
            self.take(InvalidInputError(errors))
        else:
            self._more += len(errors)

    def take(self, error: InvalidInputError) -> None:
        """Count the fields of an error that was raised about a part of the input."""
        room = MOST_ERRORS - len(self._kept)
        self._kept += error.errors[:room]
        self._more += error.more + len(error.errors[room:])

    def after(self, error: InvalidInputError) -> InvalidInputError:
        """Return `error` with these fields behind its own."""
        return type(error)([*error.errors, *self._kept], error.more + self._more)

    def raise_if_any(self) -> None:
        """Do nothing if no field was refused; raises InvalidInputError."""
        if self:
            raise InvalidInputError(self._kept, self._more)


def _bounded(error: FieldError) -> FieldError:
    return FieldError(cut(error.field, _LONGEST_FIELD), cut(error.message, _LONGEST_MESSAGE))


def cut(text: str, longest: int) -> str:
    """Return `text`, of a longer one the beginning and its length."""
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text):,} characters)"


class UnknownExchangeError(InvalidInputError):
    """An exchange that the store does not hold, or none named where several are held."""

    code = "unknown_exchange"


class UnknownSymbolError(InvalidInputError):
    """A symbol that the store does not hold."""

    code = "unknown_symbol"


class InsufficientDataError(InvalidInputError):
    """A window that the stored history does not cover.

    `common_window` is one, start and end as a user writes them, that everything asked for can be run on.
    """

    code = "insufficient_data"

    def __init__(
        self, errors: Sequence[FieldError], more: int = 0, common_window: tuple[str, str] | None = None
    ) -> None:
        super().__init__(errors, more)
        self.common_window = common_window

    def renamed(self, rename: Callable[[FieldError], FieldError]) -> Self:
        """Return this error with other words for the same fields."""
        return type(self)([rename(error) for error in self.errors], self.more, self.common_window)


class SealedError(InvalidInputError):
    """A run, or a reading of history, that reaches days which are sealed."""

    code = "sealed"


class DataImportError(BotError):
    """A file that cannot be imported at all."""

    code = "import_refused"


class NoMarketDataError(DataImportError):
    """A file that is in none of the known formats, or holds no rows."""


class UnmodelledContractError(DataImportError):
    """A market whose contract nothing here models: coin-margined, dated, an option."""

    code = "contract_not_modelled"


class UndecidedContractError(DataImportError):
    """A market whose name does not say which contract it is."""


class SymbolNotAskedError(DataImportError):
    """A file of a market that is none of those asked for."""


class MissingExtraError(BotError):
    """A feature whose optional package is not installed."""

    code = "missing_extra"


class FetchError(BotError):
    """An exchange that does not answer, or not as it should."""

    code = "fetch_failed"


class ExchangeOfflineError(FetchError):
    """An exchange that has given no usable answer for a while; it may well do so later."""

    code = "exchange_offline"


class DamagedFileError(DataImportError):
    """A file with lines that cannot be read; nothing of it was imported."""


class StoreError(BotError):
    """A database that cannot be used: damaged, newer than this program, or not there."""

    code = "store_unusable"


class ExecutionError(BotError):
    """An order that could not be filled."""

    code = "execution_failed"
