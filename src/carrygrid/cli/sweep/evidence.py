"""The command `sweep trial`: bands, random entries and regimes of one trial."""

import json
import math
from decimal import Decimal
from typing import Any

from api.presentation.formats import shown
from bot.plurals import counted
from carrygrid.cli.client import found_sweep
from carrygrid.cli.printing import console, plain_table

_DAYS_PER_YEAR = 365


def print_evidence(sweep_id: int, number: int, *, as_json: bool) -> None:
    """Print the evidence on one trial; Sharpe ratios a year, as everywhere they are shown."""
    with found_sweep(sweep_id) as sweep:
        trial = sweep.trial(number)
        found: dict[str, Any] = {
            "bands": sweep.bands(number),
            "random_entries": sweep.random_entries(number),
            "regimes": sweep.regimes(number),
            "years": sweep.years(number),
        }
    if as_json:
        print(json.dumps(found))
        return
    settings = ", ".join(f"{name} {value}" for name, value in trial.params.items() if value is not None)
    net, sharpe = trial.metrics.get("net_pnl"), trial.metrics.get("sharpe")
    print(f"trial {number} of sweep {sweep_id}: {settings}")
    print(f"net P&L {_figure(net)}, Sharpe {shown(sharpe, 'ratio')}")
    _print_bands(found["bands"])
    _print_random(found["random_entries"])
    _print_regimes(found["regimes"])
    _print_years(found["years"])


def _print_bands(document: dict[str, Any]) -> None:
    print("\nbands: 1,000 draws of its own days in another order")
    bands = document["bands"]
    if bands is None:
        print(f"  none: {document['missing']}")
        return
    table = plain_table("of the draws", numbers=tuple(f"{percent} %" for percent in bands["equity"]))
    table.add_row("final equity", *(_figure(equity[-1]) for equity in bands["equity"].values()))
    table.add_row("total return", *(_percent(one) for one in bands["total_return"].values()))
    table.add_row("Sharpe", *(_annual(one) for one in bands["sharpe"].values()))
    table.add_row("max drawdown", *(_percent(one) for one in bands["max_drawdown_pct"].values()))
    console().print(table)
    print(f"{_percent(bands['p_loss'])} of them end below the initial capital")


def _print_random(document: dict[str, Any]) -> None:
    print("\nrandom entries: as many trips, each as long, at other settlements")
    if document["p"] is None:
        print(f"  none: {document['missing']}")
        return
    trips = sum(own["trips"] for own in document["symbols"].values())
    drawn = document["drawn"]
    print(f"its {counted(trips, 'trip')}, one slot each, earn {_figure(document['net_pnl'])}")
    print(f"random ones earn {_figure(drawn[49])} to {_figure(drawn[949])} in nine of ten placements")
    print(f"{_percent(document['p'])} chance that random ones earn as much")


def _print_regimes(regimes: list[dict[str, Any]]) -> None:
    print("\nregimes: days by the mean rate per 8 h of the 30 days before")
    table = plain_table("regime", numbers=("days", "net P&L", "Sharpe", "trades", "their net P&L"))
    for one in regimes:
        figures = (_figure(one["net_pnl"]), _annual(one["sharpe"]), f"{one['trades']:,}")
        table.add_row(one["regime"], f"{one['days']:,}", *figures, _figure(one["trades_net_pnl"]))
    console().print(table)


def _print_years(years: list[dict[str, Any]]) -> None:
    print("\nyears: change of equity in each UTC year, beside holding")
    table = plain_table("year", numbers=("net P&L", "of equity", "holding", "of its equity"))
    for one in years:
        own, hold = ((_figure(one[f"{name}net_pnl"]), one[f"{name}share"]) for name in ("", "hold_"))
        table.add_row(one["name"], own[0], shown(own[1], "share"), hold[0], shown(hold[1], "share"))
    console().print(table)


def _figure(value: Any) -> str:
    return shown(None if value is None else Decimal(value), "money")


def _annual(daily: float | None) -> str:
    return shown(None if daily is None else daily * math.sqrt(_DAYS_PER_YEAR), "ratio")


def _percent(share: float) -> str:
    return shown(share, "share")
