"""Settings of the API, the command line and the local stack from the environment; read only here."""

import os
from collections.abc import Mapping

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from sweeps.settings import ENVIRONMENT_PREFIX, ServiceSettings


class Settings(ServiceSettings, BaseSettings):
    """The variables named CARRYGRID_...; an empty one counts as not set.

    `allowed_hosts` are the names, with commas, under which the API may be called; if left out any with a
    token, those of this machine without. `trusted_proxies` are the addresses or networks, with commas, of
    proxies that are believed for whom they ask. `rate_limit` is what one client may ask a second in the long
    run, 0 for any number; `max_open_trials` is how many trials may wait; `max_streams` is how many clients
    may follow sweeps by server-sent events at a time, and `max_replays` how many requests may ask for runs
    that have to be replayed. `docs` says whether the API describes itself to
    callers, under /docs and /openapi.json.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    api_token: SecretStr | None = None
    allowed_hosts: str | None = None
    rate_limit: int = Field(default=100, ge=0)
    max_open_trials: int = Field(default=20_000_000, ge=1)
    max_streams: int = Field(default=500, ge=1)
    max_replays: int = Field(default=32, ge=1)
    trusted_proxies: str | None = None
    flower_url: str | None = None
    docs: bool = True


def child_environment(additions: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `additions`, for the processes it starts."""
    return {**os.environ, **additions}
