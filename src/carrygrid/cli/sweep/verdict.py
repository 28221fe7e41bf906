"""The command `sweep verdict`: the candidate of a sweep, its badges, and the funnel of its trials."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from api.presentation.formats import shown
from carrygrid.cli.client import found_sweep
from carrygrid.cli.printing import console, plain_table, showable

_FUNNEL = {
    "trials": "trials",
    "finished": "completed",
    "distinct": "distinct",
    "traded": "traded",
    "beat_holding": "beat holding",
    "safe": "never liquidated",
    "eligible": "eligible",
}


def print_verdict(sweep_id: int, *, as_json: bool) -> None:
    """Print the verdict on a sweep as a sentence and figures, or all of it as JSON."""
    with found_sweep(sweep_id) as sweep:
        found = sweep.verdict()
    if as_json:
        print(json.dumps(found))
        return
    _say(found["sentence"])
    if found["candidate"] is not None:
        _print_candidate(found["candidate"])
    if found["missing"]:
        _say(f"no figures by year: {found['missing']}")
    steps = (f"{words} {found['funnel'][name]:,}" for name, words in _FUNNEL.items())
    _say(" > ".join(steps))


def _print_candidate(candidate: Mapping[str, Any]) -> None:
    for badge in candidate["badges"]:
        _say(f"{badge['title']}: {badge['detail']}. {badge['rule']}")
    yearly = candidate["yearly"]
    if yearly is None:
        return
    title = f"Trial {candidate['trial']['number']} by year"
    table = plain_table("year", numbers=("net P&L", "of equity", "holding", "of its equity"), title=title)
    for year in (*yearly["years"], yearly["last_year"]):
        table.add_row(
            year["name"],
            shown(Decimal(year["net_pnl"]), "money"),
            shown(year["share"], "share"),
            shown(Decimal(year["hold_net_pnl"]), "money"),
            shown(year["hold_share"], "share"),
        )
    console().print(table)


def _say(text: str) -> None:
    console().print(showable(text), soft_wrap=True)
