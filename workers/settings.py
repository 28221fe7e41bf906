"""Settings of worker processes and of the dispatcher, from the environment."""

from functools import cache

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from sweeps.settings import ENVIRONMENT_PREFIX, ServiceSettings
from sweeps.watch import MAX_TRIAL_TIMEOUT_S, TRIAL_TIMEOUT_S

_AROUND_A_TRIAL_S = 600
_SOFT_TIME_LIMIT_S = MAX_TRIAL_TIMEOUT_S + _AROUND_A_TRIAL_S
_HARD_TIME_LIMIT_S = _SOFT_TIME_LIMIT_S + 60
_VISIBILITY_TIMEOUT_S = 3 * _HARD_TIME_LIMIT_S


class WorkerSettings(ServiceSettings, BaseSettings):
    """Settings of a worker, read from variables named CARRYGRID_...

    Times in seconds. `trial_timeout_s` is how long a trial may take whose sweep does not say. The limits of
    the task queue follow from the longest that any sweep may ask for: they are but the last resort, behind
    the limits that a worker keeps itself. `worker_memory_mib` caps the address space of each replaying
    process, 0 for no cap.
    A dispatcher or worker that waits for the database longer than `stall_limit_s` ends, to be started anew.
    `exchange_api_url` (http://host:port) takes the place of the exchanges' own addresses in downloads.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    trial_timeout_s: int = Field(default=TRIAL_TIMEOUT_S, ge=1, le=MAX_TRIAL_TIMEOUT_S)
    visibility_timeout_s: int = _VISIBILITY_TIMEOUT_S
    soft_shutdown_s: int = 15
    worker_memory_mib: int = 2048
    republish_s: float = 30
    lease_s: float = 30
    stall_limit_s: float = 120
    exchange_api_url: str | None = None

    @property
    def soft_time_limit_s(self) -> int:
        """Longest task: what a trial may take at most, and what is done around it."""
        return _SOFT_TIME_LIMIT_S

    @property
    def hard_time_limit_s(self) -> int:
        """Time after which the task queue kills the process of a task."""
        return _HARD_TIME_LIMIT_S


@cache
def worker_settings() -> WorkerSettings:
    """Return the settings, read once per process."""
    return WorkerSettings()
