"""The commands `sweep mark` and `sweep marks`: names, notes and pins of trials."""

import json
from dataclasses import asdict

from carrygrid.cli.client import found_sweep
from carrygrid.cli.printing import console, plain_table, showable


def mark(
    sweep_id: int,
    number: int,
    *,
    name: str | None,
    note: str | None,
    pinned: bool | None,
    as_json: bool,
) -> None:
    """Replace the marks on a trial that are given, and print what it has then."""
    with found_sweep(sweep_id) as sweep:
        found = sweep.mark(number, name=name, note=note, pinned=pinned)
    if as_json:
        print(json.dumps(asdict(found)))
        return
    pin = ", pinned" if found.pinned else ""
    print(showable(f"trial {number}{pin}: {found.name or 'without a name'}"))
    if found.note:
        print(showable(found.note))


def print_marks(sweep_id: int, *, as_json: bool) -> None:
    """Print the marks on all trials of a sweep that have any."""
    with found_sweep(sweep_id) as sweep:
        marks = sweep.marks()
    if as_json:
        print(json.dumps([asdict(one) for one in marks]))
        return
    if not marks:
        print("no trial has a name, a note or a pin")
        return
    table = plain_table("trial", "pin", "name", "note")
    for one in marks:
        pin = "pinned" if one.pinned else ""
        table.add_row(str(one.number), pin, showable(one.name), showable(" ".join(one.note.split())))
    console().print(table)
