"""Settings of the service: its data and its servers; subclasses read the environment."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from bot.errors import FieldError, InvalidInputError
from bot.notation import quoted
from bot.validation import field_errors
from sweeps.log_format import LogFormat

ENVIRONMENT_PREFIX = "CARRYGRID_"
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
DEFAULT_BROKER_URL = "redis://127.0.0.1:6379/0"


class ServiceSettings(BaseModel):
    """Settings that workers, dispatcher and API share."""

    home: Path = Path("var")
    database_url: str | None = None
    broker_url: str | None = None
    log_level: LogLevel = "INFO"
    log_format: LogFormat = LogFormat.TEXT

    def __init__(self, **values: Any) -> None:
        """Read the environment, where a subclass does; raises InvalidInputError naming its variables."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InvalidInputError([_of_variable(found) for found in field_errors(error)]) from None

    @property
    def database(self) -> str:
        """URL of the database: the one named, else the private file in the home folder."""
        return self.database_url or f"sqlite:///{_in_url(self.home.resolve() / 'carrygrid.db')}"

    @property
    def broker(self) -> str:
        """URL of the broker: the one named, else a Redis on this machine's usual port."""
        return self.broker_url or DEFAULT_BROKER_URL

    def make_home(self) -> None:
        """Create the home folder if the database lives there; raises InvalidInputError if that fails."""
        if self.database_url is not None:
            return
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInputError.of(
                "CARRYGRID_HOME", f"{quoted(str(self.home))}: {error.strerror}"
            ) from None


def _in_url(path: Path) -> str:
    """Return a path as a URL of a database holds it, where these characters mean something else."""
    return str(path).replace("%", "%25").replace("?", "%3F").replace("#", "%23")


def _of_variable(error: FieldError) -> FieldError:
    return FieldError(f"{ENVIRONMENT_PREFIX}{error.field.upper()}", error.message)
