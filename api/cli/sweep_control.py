"""The commands `sweep ...` that check, list, change, copy and delete sweeps over HTTP."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from api.cli.client import ApiClient
from api.cli.runs import read_text
from api.cli.sweeps import print_sweep
from api.settings import Settings
from bot.errors import InvalidInputError

_MEBIBYTE = 1024 * 1024
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}


def print_plan(path: Path, *, as_json: bool) -> None:
    """Print what the sweep in a file would be."""
    with ApiClient(Settings()) as api:
        plan = api.validate(read_text(path).encode())
    if as_json:
        print(json.dumps(plan))
        return
    print(f"trials      {plan['trials']:,} of {plan['cells']:,} combinations")
    for axis in plan["axes"]:
        print(f"  {axis['name']}  {axis['size']:,} values, {axis['first']} to {axis['last']}{_bonds(axis)}")
    for found in plan["rejected"]:
        print(f"left out    {found['cells']:,} by {found['constraint']}")
    if plan["duplicates"]:
        print(f"repeated    {plan['duplicates']:,} differ only in parameters their strategy does not read")
    estimate = plan["estimate"]
    basis = "as measured here" if estimate["measured"] else "a guess, nothing was measured here yet"
    print(
        f"time        {_duration(estimate['seconds'])} with {max(estimate['workers'], 1)} processes, {basis}"
    )
    print(f"space       {estimate['bytes'] / _MEBIBYTE:,.1f} MiB")


def print_sweeps(state: str | None, tag: str | None, limit: int, *, as_json: bool) -> None:
    """Print sweeps, newest first."""
    with ApiClient(Settings()) as api:
        sweeps = api.sweeps(state=state, tag=tag, limit=str(limit))
    if as_json:
        print(json.dumps(sweeps))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("sweep", "name", "state", "done", "of", "failed", "tags"):
        table.add_column(heading)
    for sweep in sweeps:
        counts = (f"{sweep[f'trials_{what}']:,}" for what in ("done", "total", "failed"))
        table.add_row(str(sweep["id"]), sweep["name"], sweep["state"], *counts, ", ".join(sweep["tags"]))
    Console(highlight=False, markup=False).print(table)


def delete(sweep_id: int) -> None:
    """Remove a sweep."""
    with ApiClient(Settings()) as api:
        api.delete(sweep_id)
    print(f"sweep {sweep_id} is deleted")


def extend(sweep_id: int, add: Sequence[str], to: str | None, samples: int | None, *, as_json: bool) -> None:
    """Let a sweep grow by values, a later end, or more samples."""
    changes = {"add_values": _values(add), "extend_to": to, "n": samples}
    _update(sweep_id, {name: value for name, value in changes.items() if value}, as_json=as_json)


def label(sweep_id: int, tags: Sequence[str] | None, note: str | None, *, as_json: bool) -> None:
    """Replace tags, note, or both."""
    changes = {"tags": tags, "note": note}
    _update(sweep_id, {name: value for name, value in changes.items() if value is not None}, as_json=as_json)


def clone(sweep_id: int, changes: Path | None, *, as_json: bool) -> None:
    """Submit a copy of a sweep."""
    body = b"{}" if changes is None else read_text(changes).encode()
    with ApiClient(Settings()) as api:
        sweep = api.clone(sweep_id, body)
        _tell(api, sweep, as_json=as_json)


def _update(sweep_id: int, changes: dict[str, Any], *, as_json: bool) -> None:
    with ApiClient(Settings()) as api:
        _tell(api, api.update(sweep_id, changes), as_json=as_json)


def _tell(api: ApiClient, sweep: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(sweep))
    else:
        print_sweep(api, sweep)


def _values(add: Sequence[str]) -> dict[str, list[object]]:
    values: dict[str, list[object]] = {}
    for text in add:
        name, equals, written = text.partition("=")
        if not (name and equals and written):
            raise InvalidInputError.of("--add", f"{text!r} is not NAME=VALUE,VALUE")
        values.setdefault(name, []).extend(_WORDS.get(word, word) for word in written.split(","))
    return values


def _bonds(axis: dict[str, Any]) -> str:
    linked = f", linked with {', '.join(axis['linked'])}" if axis["linked"] else ""
    return linked + (", conditional" if axis["conditional"] else "")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
