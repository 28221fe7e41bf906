"""Read-only links to a sweep, by its service."""

import json
from dataclasses import asdict

from carrygrid.cli.client import found_sweep
from carrygrid.cli.printing import console, plain_table, showable


def make(sweep_id: int, *, name: str, view: str, days: int | None, as_json: bool) -> None:
    """Make a link and print it; `view` may be a whole address of the sweep's page."""
    with found_sweep(sweep_id) as sweep:
        made = sweep.share(name=name, view=view.partition("?")[2] if "?" in view else view, days=days)
    print(json.dumps(asdict(made)) if as_json else made.address)


def show(sweep_id: int, *, as_json: bool) -> None:
    """Print every link to a sweep without what it is."""
    with found_sweep(sweep_id) as sweep:
        held = sweep.shares()
    if as_json:
        told = [{key: value for key, value in asdict(one).items() if key != "address"} for one in held]
        print(json.dumps(told))
        return
    if not held:
        print(f"no links yet; carrygrid sweep share create {sweep_id} makes one")
        return
    table = plain_table("link", "name", "made", "holds until", "view")
    for one in held:
        until = one.expires_at or "it is revoked"
        table.add_row(str(one.id), showable(one.name), one.created_at, until, showable(one.view))
    console().print(table)


def drop(sweep_id: int, link: int) -> None:
    """End a link."""
    with found_sweep(sweep_id) as sweep:
        sweep.revoke_share(link)
    print(f"link {link} to sweep {sweep_id} revoked")
