"""Settings of worker processes and of the dispatcher, from the environment."""

from functools import cache

from pydantic_settings import BaseSettings, SettingsConfigDict

from sweeps.settings import ENVIRONMENT_PREFIX, ServiceSettings


class WorkerSettings(ServiceSettings, BaseSettings):
    """What a worker reads from variables named CARRYGRID_...

    Times in seconds. `worker_memory_mib` caps the address space of each replaying process, 0 for no cap.
    A dispatcher or worker that waits for the database longer than `stall_limit_s` ends, to be started anew.
    `exchange_api_url` (http://host:port) takes the place of the exchanges' own addresses in downloads.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    soft_time_limit_s: int = 120
    hard_time_limit_s: int = 180
    visibility_timeout_s: int = 1800
    soft_shutdown_s: int = 15
    worker_memory_mib: int = 2048
    republish_s: float = 30
    lease_s: float = 30
    stall_limit_s: float = 120
    exchange_api_url: str | None = None


@cache
def worker_settings() -> WorkerSettings:
    """Return the settings, read once per process."""
    return WorkerSettings()
