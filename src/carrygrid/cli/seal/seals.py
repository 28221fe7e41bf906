"""Seals and looks of the service, in a shell."""

import json
from collections.abc import Mapping
from typing import Any

from api.presentation.later_days import later_days
from bot.notation import ABSENT
from bot.plurals import counted
from carrygrid.cli.client import service
from carrygrid.cli.printing import console, plain_table, showable


def show(*, as_json: bool) -> None:
    """Print every seal with its looks."""
    with service() as client:
        seals = client.seals()
    if as_json:
        print(json.dumps({"seals": seals}))
        return
    if not seals:
        print("nothing is sealed; carrygrid seal set EXCHANGE DAY seals an exchange from a day on")
    for seal in seals:
        print(_line(seal))
        for look in seal["looks"]:
            print(f"  {_look_line(look)}")


def make(exchange: str, day: str, *, insist: bool, as_json: bool) -> None:
    """Set a seal and print it."""
    with service() as client:
        seal = client.seal(exchange, day, insist=insist)
    print(json.dumps(seal) if as_json else _line(seal))


def take_look(seal_id: int, sweep_id: int, trial: int, *, as_json: bool) -> None:
    """Take a look and print it."""
    with service() as client:
        look = client.look(seal_id, sweep_id, trial)
    print(json.dumps(look) if as_json else _look_line(look))


def end(seal_id: int, *, as_json: bool) -> None:
    """Open a seal and print it."""
    with service() as client:
        seal = client.open_seal(seal_id)
    print(json.dumps(seal) if as_json else _line(seal))


def print_looks(exchange: str | None, *, as_json: bool) -> None:
    """Print every look."""
    with service() as client:
        looks = client.looks(exchange)
    if as_json:
        print(json.dumps({"looks": looks}))
        return
    if not looks:
        print("nothing has been looked at yet")
        return
    table = plain_table("kind", "exchange", "symbols", "first", "last", numbers=("runs", "new", "worth"))
    for look in looks:
        worth = ABSENT if look["independent"] is None else f"{look['independent']:.1f}"
        days = look["first"], look["last"]
        symbols = ", ".join(look["symbols"][:3]) + (" ..." if len(look["symbols"]) > 3 else "")
        texts = (look["kind"], look["exchange"], symbols)
        table.add_row(*map(showable, texts), *days, f"{look['runs']:,}", f"{look['new']:,}", worth)
    console().print(table)


def _line(seal: Mapping[str, Any]) -> str:
    tainted = ", tainted" if seal["tainted"] else ""
    looks = counted(len(seal["looks"]), "look")
    return f"seal {seal['id']}: {seal['exchange']} from {seal['from']} on, {seal['state']}{tainted}, {looks}"


def _look_line(look: Mapping[str, Any]) -> str:
    told = later_days(look["first"], look)
    return f"{look['look']}: trial {look['trial']} of sweep {look['sweep']}: {told}"
