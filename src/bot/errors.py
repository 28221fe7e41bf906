"""Everything that can go wrong for a reason a person can act on."""

from collections.abc import Sequence
from dataclasses import dataclass


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


class InvalidNumberError(BotError, ValueError):
    """A text that is no finite decimal number."""

    code = "invalid_number"


class FloatMoneyError(InvalidNumberError, TypeError):
    """A binary float or a bool where exact money is asked for."""

    code = "float_money"


class InvalidInputError(BotError):
    """Input with one or more refused fields."""

    code = "invalid_input"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = tuple(errors)

    @classmethod
    def of(cls, field: str, message: str) -> "InvalidInputError":
        """Return the error of a single field."""
        return cls([FieldError(field, message)])


class UnknownExchangeError(InvalidInputError):
    """An exchange that the store does not hold, or none named where several are held."""

    code = "unknown_exchange"


class UnknownSymbolError(InvalidInputError):
    """A symbol that the store does not hold."""

    code = "unknown_symbol"


class InsufficientDataError(InvalidInputError):
    """A window that the stored history does not cover."""

    code = "insufficient_data"


class DataImportError(BotError):
    """A file that cannot be imported at all."""

    code = "import_refused"


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
