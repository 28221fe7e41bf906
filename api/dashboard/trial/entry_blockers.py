"""Entry blockers of a trial that did not trade, with advice on the parameter to change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_AT_MOST = "With {gate} at {nearest} or below, the nearest one would have been let in."
_ADVICE = {
    "min_funding_rate": _AT_MOST,
    "min_volume_24h": _AT_MOST,
    "entry_threshold": _AT_MOST,
    "min_holding_periods": (
        "Over min_holding_periods settlements the nearest rate earns {nearest} of the notional, the fees of "
        "a round trip take {needed}: hold longer (a larger min_holding_periods), or trade cheaper."
    ),
    "positive_rate": "This strategy enters only while the rate is positive: choose another window or symbol.",
    "volume_decline_ratio": "Volume was falling: a smaller volume_decline_ratio lets in, 0 ignores volume.",
    "spot_active": "The spot market is stored as closed: import its current rules, or leave the symbol out.",
    "size": (
        "The affordable quantity was below the instrument's limits: more initial_capital or allocation, "
        "fewer slots, or a smaller min_notional."
    ),
}
_ACCOUNT = {
    "strategy": "The strategy did not want in, and names no condition (its method blocking_gate could).",
    "slots": "Other pairs held every slot: a larger max_simultaneous_positions splits the capital further.",
    "delisted": "The contract had ended (end_dead_markets): nothing follows; end the window there.",
    "just_closed": "A hedge of this pair had just been closed; the next settlement may open one again.",
}
_STALE = (
    "The nearest prices were {nearest} h old, {needed} h are allowed: import the missing candles, or raise "
    "max_price_age_hours."
)
_NO_PRICES = "No candle of both legs had closed yet: import earlier candles, or start later."
_OTHERS = "This condition belongs to the strategy; its description says which parameter moves it."


@dataclass(frozen=True, slots=True)
class BlockedRow:
    """A condition that was the first to keep entries out, and what to do about it."""

    gate: str
    blocked: int
    needed: str | None
    nearest: str | None
    symbol: str
    at_ms: int
    advice: str


def blocked_rows(reports: Sequence[Mapping[str, Any]]) -> list[BlockedRow]:
    """Return the reports of `blocked_entries` as the pages print them, the most frequent first."""
    return [
        BlockedRow(
            report["gate"],
            report["blocked"],
            report["needed"],
            report["nearest"],
            report["symbol"],
            report["at"],
            _advice(report),
        )
        for report in reports
    ]


def _advice(report: Mapping[str, Any]) -> str:
    """Return advice on the parameter to change, with the caveats about its data."""
    note = report.get("note")
    return f"{_change(report)} {note[:1].upper()}{note[1:]}." if note else _change(report)


def _change(report: Mapping[str, Any]) -> str:
    if report["gate"] == "fresh_prices":
        return (_NO_PRICES if report["nearest"] is None else _STALE).format(**report)
    return (_ADVICE | _ACCOUNT).get(report["gate"], _OTHERS).format(**report)
