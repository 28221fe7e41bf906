"""The command `sweep promote`: a trial's parameters as the file that `paper` and `backtest` take."""

import json
import sys
from pathlib import Path
from typing import Any

from carrygrid.cli.client import found_sweep
from carrygrid.cli.files import output
from carrygrid.cli.streams import json_text
from carrygrid.whole_files import whole


def promote(
    sweep_id: int, number: int, path: Path | None, override: str | None, *, force: bool, as_json: bool
) -> None:
    """Print the configuration of a trial, or write it to a file; warn of what does not speak for it.

    Raises: ProblemError if the trial has no result or is not validated, InvalidInputError if the file is
    there.
    """
    if path is None:
        config = _promoted(sweep_id, number, override)
        _warn(config["evidence"])
        print(json_text(config, indent=2))
        return
    with output(path, force=force):  # before the promotion, which is written down for good
        config = _promoted(sweep_id, number, override)
        with whole(path) as file:
            file.write(f"{json.dumps(config, indent=2, ensure_ascii=False)}\n".encode())
    _warn(config["evidence"])
    told = {"sweep": sweep_id, "trial": number, "path": str(path)}
    print(json.dumps(told) if as_json else f"trial {number} of sweep {sweep_id}: {path}")


def _promoted(sweep_id: int, number: int, override: str | None) -> dict[str, Any]:
    with found_sweep(sweep_id) as sweep:
        return sweep.promote(number, override=override)


def _warn(evidence: dict[str, Any]) -> None:
    for one in evidence["conditions"]:
        if not one["met"]:
            print(f"warning: {one['name']}: {one['detail']}", file=sys.stderr)
