"""Promotion of a trial to the configuration of a run."""

from collections.abc import Mapping
from typing import Any


def promoted(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return every parameter of a promoted trial that is set, exactly as it ran, and the evidence for it."""
    evidence = answer["evidence"]
    parameters = {name: value for name, value in answer.items() if name != "evidence"}
    return {**_set(parameters), "evidence": evidence}


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    nested = ((name, _set(value) if isinstance(value, dict) else value) for name, value in values.items())
    return {name: value for name, value in nested if value is not None}
