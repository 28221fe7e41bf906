"""Promotion of a trial to the configuration of a run."""

from collections.abc import Mapping
from typing import Any

from carrygrid.errors import ServiceError

_COMPLETED = "completed"


def promoted(sweep_id: int, trial: Mapping[str, Any]) -> dict[str, Any]:
    """Return every parameter of a trial that is set, exactly as it ran, its window included.

    Raises: ServiceError if the trial has no result.
    """
    if trial["state"] != _COMPLETED:
        reason = f": {trial['error']}" if trial["error"] else ""
        detail = f"trial {trial['number']} of sweep {sweep_id} is {trial['state']}, not completed{reason}"
        raise ServiceError("trial_not_completed", 409, detail)
    return _set(trial["config"])


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    nested = ((name, _set(value) if isinstance(value, dict) else value) for name, value in values.items())
    return {name: value for name, value in nested if value is not None}
