"""The command `sweep promote`: a trial's parameters as the file that `paper` and `backtest` take."""

import json
from pathlib import Path
from typing import Any

from api.cli.client import ApiClient
from api.settings import Settings
from bot.errors import InvalidInputError
from sweeps.trial import TrialState


def promote(sweep_id: int, number: int, output: Path | None, *, force: bool) -> None:
    """Print the configuration of a trial, or write it to `output`.

    Raises: InvalidInputError if the trial has no result, or the file is there and `force` is not given.
    """
    with ApiClient(Settings()) as api:
        trial = api.trial(sweep_id, number)
    text = json.dumps(promoted(sweep_id, trial), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        print(text, end="")
    else:
        _write(output, text, force=force)
        print(f"trial {number} of sweep {sweep_id}: {output}")


def promoted(sweep_id: int, trial: dict[str, Any]) -> dict[str, Any]:
    """Return every parameter of a trial that is set, exactly as it ran, its window included."""
    if trial["state"] != TrialState.COMPLETED:
        reason = f": {trial['error']}" if trial["error"] else ""
        raise InvalidInputError.of(
            "TRIAL", f"trial {trial['number']} of sweep {sweep_id} is {trial['state']}, not completed{reason}"
        )
    return _set(trial["config"])


def _set(values: dict[str, Any]) -> dict[str, Any]:
    nested = ((name, _set(value) if isinstance(value, dict) else value) for name, value in values.items())
    return {name: value for name, value in nested if value is not None}


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InvalidInputError.of("--output", f"{path} is there already; --force replaces it") from None
    except OSError as error:
        raise InvalidInputError.of("--output", f"{path}: {error.strerror or error}") from None
