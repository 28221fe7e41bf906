"""What the API, the command line and the local stack take from the environment; read only here."""

import os
from collections.abc import Mapping

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from sweeps.settings import ENVIRONMENT_PREFIX, ServiceSettings


class Settings(ServiceSettings, BaseSettings):
    """The variables named CARRYGRID_...; an empty one counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    api_token: SecretStr | None = None
    flower_url: str | None = None


def child_environment(additions: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `additions`, for the processes it starts."""
    return {**os.environ, **additions}
