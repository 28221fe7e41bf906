"""The commands `sweep ...` that check, list, change, copy and delete sweeps over HTTP."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.table import Table

from bot.errors import InvalidInputError
from bot.notation import quoted, text_of
from bot.plurals import counted
from carrygrid import ServiceError, Sweep
from carrygrid.cli.client import found_sweep, renamed, service
from carrygrid.cli.confirmation import is_agreed
from carrygrid.cli.printing import console, showable
from carrygrid.cli.runs import read_body
from carrygrid.cli.sweep.failed_trials import reason_in_brief, state_words
from carrygrid.cli.sweep.follow import change, tell
from sweeps.storage.states import SweepState

_MEBIBYTE = 1024 * 1024
_MOST_COINS = 3
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}


def print_plan(path: Path, *, as_json: bool) -> None:
    """Print what the sweep in a file would be."""
    with service() as client:
        plan = client.plan(read_body(path))
    if as_json:
        print(json.dumps(plan))
        return
    # Where axes are conditional most combinations are none: a parameter stands there that does not apply.
    conditional = any(axis["conditional"] for axis in plan["axes"])
    cells = "" if conditional else f" of {counted(plan['cells'], 'combination')}"
    print(f"trials      {plan['trials']:,}{cells}")
    asked = plan["spec"]["sampler"].get("n", 0)
    if asked > plan["trials"]:
        print(f"sample      {asked:,} asked for: the sampler finds no more different trials")
    for axis in plan["axes"]:
        print(f"  {axis['name']}  {_extent(axis)}{_bonds(axis)}")
    for found in plan["rejected"]:
        print(f"left out    {found['cells']:,} by {found['constraint']}")
    if plan["duplicates"]:
        repeated = counted(plan["duplicates"], "differs", "differ")
        print(f"repeated    {repeated} only in parameters that their runs do not read")
    for axis in plan["unread"]:
        print(f"unread      {axis['message']}")
    estimate = plan["estimate"]
    processes = counted(max(estimate["workers"], 1), "process", "processes")
    print(f"time        {_duration(estimate['seconds'])} with {processes}, {estimate['basis']}")
    print(f"space       {estimate['bytes'] / _MEBIBYTE:,.1f} MiB")
    if estimate["warning"]:
        print(f"SLOW        {estimate['warning']}")


def print_notification(sweep_id: int, *, again: bool, as_json: bool) -> None:
    """Print the notification of a sweep's end and whether it was delivered; `again` sends it once more."""
    with found_sweep(sweep_id) as sweep:
        told = sweep.notification(again=again)
    if as_json:
        print(json.dumps(told))
        return
    words = {"completed": f"told at {told['delivered_at']}", "failed": "not told", "running": "being told"}
    why = f": {told['error']}" if told["error"] else ""
    print(f"{showable(told['host'])} {words.get(told['state'], 'is notified once it has ended')}{why}")


class ListFilter(NamedTuple):
    """Sweeps to be listed: in one state, with one outcome or tag; None is any, or the usual order."""

    state: str | None
    outcome: str | None
    tag: str | None
    sort: str | None


def print_sweeps(limit: int, chosen: ListFilter, *, as_json: bool) -> None:
    """Print sweeps."""
    with service() as client:
        found = client.sweeps(**chosen._asdict(), limit=limit)
        if as_json:
            print(json.dumps([sweep.document for sweep in found]))
            return
        reasons = {sweep.id: reason_in_brief(sweep) for sweep in found}
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("sweep", "name", "market, window"):
        table.add_column(heading)
    table.add_column("state", no_wrap=True)
    for heading in ("done", "failed"):
        table.add_column(heading)
    for heading in ("% a year", "minus holding"):
        table.add_column(heading, justify="right")
    table.add_column("tags")
    for sweep in (one.document for one in found):
        table.add_row(*map(showable, _cells(sweep, reasons[sweep["id"]])))
    console().print(table)


def _cells(sweep: dict[str, Any], reason: str) -> list[str]:
    done, total, failed = (f"{sweep[f'trials_{what}']:,}" for what in ("done", "total", "failed"))
    state = state_words(sweep) + (", data changed" if sweep["data_changed"] else "")
    candidate = sweep["candidate"] or {"annualized_return": None, "net_pnl_over_hold": None}
    window = f"{sweep['start'][:10]} to {sweep['end'][:10]}"
    yearly, lead = candidate["annualized_return"], candidate["net_pnl_over_hold"]
    return [
        str(sweep["id"]),
        sweep["name"],
        f"{_coins(sweep['symbols'])} {', '.join(sweep['exchanges'])}, {window}",
        state,
        done if done == total else f"{done} of {total}",
        f"{failed}{reason}",
        "-" if yearly is None else f"{yearly:.2%}",
        "-" if lead is None else f"{Decimal(lead):,.2f}",
        ", ".join(sweep["tags"]),
    ]


def _coins(symbols: Sequence[str]) -> str:
    coins = list(dict.fromkeys(symbol.partition("/")[0] for symbol in symbols))
    more = len(coins) - _MOST_COINS
    return ", ".join(coins[:_MOST_COINS]) + (f" and {more} more" if more > 0 else "")


def retry(sweep_id: int, *, as_json: bool) -> None:
    """Run the failed trials of a sweep again, and say how many there are."""
    with found_sweep(sweep_id) as sweep:
        failed = sweep.document["trials_failed"]
        sweep.retry()
        if not as_json:
            none = f"no trial of sweep {sweep_id} has failed: there is nothing to retry"
            print(_retried(failed, sweep) if failed else none)
        tell(sweep, as_json=as_json)


def _retried(failed: int, sweep: Sweep) -> str:
    """Return in words how many failed trials run again, and when; those of a chunk in work are left."""
    left = sweep.document["trials_failed"]
    again = f"{counted(failed - left, 'failed trial runs', 'failed trials run')} again"
    if sweep.state == SweepState.PAUSED:
        again += f" once sweep {sweep.id} is resumed"
    return (
        f"{again}; those of chunks in work ({left:,}) can be retried once these are done" if left else again
    )


def delete(sweep_id: int, *, yes: bool, as_json: bool) -> None:
    """Remove a sweep once the user agrees."""
    with found_sweep(sweep_id) as sweep:
        name, trials = sweep.document["name"], counted(sweep.document["trials_total"], "trial")
        deleted = is_agreed(f"Delete sweep {sweep_id} ({showable(name)}) with its {trials}?", yes=yes)
        if deleted:
            sweep.delete()
    if as_json:
        print(json.dumps({"deleted": sweep_id if deleted else None}))
    else:
        print(f"sweep {sweep_id} is deleted" if deleted else "nothing was deleted")


def extend(sweep_id: int, add: Sequence[str], to: str | None, samples: int | None, *, as_json: bool) -> None:
    """Extend a sweep by values, a later end, or more samples."""
    if not add and to is None and samples is None:
        raise InvalidInputError.of("extend", "nothing to extend by: give --add, --to or --samples")
    values = _values(add)

    def grow(sweep: Sweep) -> Sweep:
        _refuse_other_extension(sweep, samples, by_values=bool(add) or to is not None)
        try:
            return sweep.extend(values, to=to, samples=samples)
        except ServiceError as error:
            raise renamed(error, _option) from None

    change(sweep_id, grow, as_json=as_json)


def _option(field: str) -> str:
    """Return a field of an extension as the option that it is given by, with the part of it."""
    head, _, part = field.partition(".")
    option = {"add_values": "--add", "extend_to": "--to", "n": "--samples"}.get(head, head)
    return f"{option} {part}" if part else option


def _refuse_other_extension(sweep: Sweep, samples: int | None, *, by_values: bool) -> None:
    """Raise InvalidInputError for a grid to be extended by samples, or a sample by values or nothing."""
    sampler = sweep.document["spec"]["sampler"]
    kind = sampler["kind"]
    known = counted(sweep.document["trials_total"], "trial")
    if kind == "grid" and samples is not None:
        asked = f"{counted(samples, 'trial')} asked for"
        grid = f"sweep {sweep.id} is a grid of {known}, which is extended by --add NAME=VALUE,... or --to"
        raise InvalidInputError.of("--samples", f"{asked}, but {grid}")
    if kind != "grid" and by_values:
        sample = f"sweep {sweep.id} is a {kind} sample of {known}, which is extended by --samples"
        raise InvalidInputError.of("--add, --to", f"values asked for, but {sample}")
    if samples is not None and samples <= sampler["n"]:
        raise InvalidInputError.of(
            "--samples", f"{samples} is not more than the {sampler['n']} asked for already"
        )


def label(sweep_id: int, tags: Sequence[str] | None, note: str | None, *, as_json: bool) -> None:
    """Replace tags, note, or both."""
    if tags is None and note is None:
        raise InvalidInputError.of("tag", "nothing to replace: give --tag or --note")
    change(sweep_id, lambda sweep: sweep.label(tags=tags, note=note), as_json=as_json)


def clone(sweep_id: int, changes: Path | None, *, as_json: bool) -> None:
    """Submit a copy of a sweep."""
    body = b"{}" if changes is None else read_body(changes)
    change(sweep_id, lambda sweep: sweep.clone(body), as_json=as_json)


def _values(add: Sequence[str]) -> dict[str, list[object]]:
    values: dict[str, list[object]] = {}
    for text in add:
        name, equals, written = text.partition("=")
        if not (name and equals and written):
            raise InvalidInputError.of("--add", f"{quoted(text)} is not NAME=VALUE,VALUE")
        values.setdefault(name, []).extend(_WORDS.get(word, word) for word in written.split(","))
    return values


def _extent(axis: dict[str, Any]) -> str:
    ends = [text_of(axis[end]) for end in ("first", "last")[: axis["size"]]]
    return ", ".join([counted(axis["size"], "value"), *([" to ".join(ends)] if ends else [])])


def _bonds(axis: dict[str, Any]) -> str:
    linked = f", linked with {', '.join(axis['linked'])}" if axis["linked"] else ""
    return linked + (", conditional" if axis["conditional"] else "")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
