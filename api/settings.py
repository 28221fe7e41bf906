"""What the API, the command line and the local stack take from the environment; read only here."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The variables that start with CARRYGRID_; an empty one counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix="CARRYGRID_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    home: Path = Path("var")
    database_url: str | None = None
    broker_url: str | None = None
    api_token: SecretStr | None = None
    api_url: str = "http://127.0.0.1:8000"
    flower_url: str | None = None

    @property
    def database(self) -> str:
        """Return the URL of the database: the one named, else the private file in the home folder."""
        return self.database_url or f"sqlite:///{self.home.resolve() / 'carrygrid.db'}"


def child_environment(additions: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `additions`, for the processes it starts."""
    return {**os.environ, **additions}
