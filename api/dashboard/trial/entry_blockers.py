"""Entry blockers of a trial that did not trade, with advice on the parameter to change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.config.strategy_declaration import GateAdvice
from bot.config.strategy_registry import strategy_plugin

_ACCOUNT = {
    "size": (
        "The affordable quantity was below the instrument's limits: more initial_capital or allocation, "
        "fewer slots, or a smaller min_notional."
    ),
    "strategy": "The strategy gave no entry signal, and names no condition (its method blocking_gate could).",
    "slots": "Other pairs held every slot: a larger max_simultaneous_positions splits the capital further.",
    "delisted": "The contract had ended (end_dead_markets): end the window there.",
    "cooldown_hours": (
        "A hedge of this pair had ended {nearest} h before, {needed} h must pass: a shorter cooldown_hours."
    ),
    "max_round_trips": "The pair had been opened {nearest} times, all it may: a larger max_round_trips.",
    "carry": (
        "The newest settlement of a leg was two of its intervals old, or no borrow rate was in force: "
        "import what is missing."
    ),
    "min_contract_age_days": (
        "The younger contract was {nearest} days old, {needed} are asked for: a smaller "
        "min_contract_age_days."
    ),
    "end_announced": "The end of a contract was announced: nothing is entered from then on.",
    "market_in_use": "Another hedge held or waited for one of its markets, which one hedge uses at a time.",
    "just_closed": "A hedge of this pair had just been closed; the next settlement may open one again.",
}
_STALE = (
    "The nearest prices were {nearest} h old, {needed} h are allowed: import the missing candles, or raise "
    "max_price_age_hours."
)
_NO_PRICES = "No candle of both legs had closed yet: import earlier candles, or start later."
_OTHERS = GateAdvice("This condition belongs to the strategy; its description says which parameter sets it.")


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


def blocked_rows(reports: Sequence[Mapping[str, Any]], strategy: str) -> list[BlockedRow]:
    """Return the reports of `blocked_entries` as the pages print them, the most frequent first."""
    gates = strategy_plugin(strategy).gates
    return [
        BlockedRow(
            report["gate"],
            report["blocked"],
            report["needed"],
            report["nearest"],
            report["symbol"],
            report["at"],
            _advice(report, gates.get(report["gate"], _OTHERS)),
        )
        for report in reports
    ]


def _advice(report: Mapping[str, Any], own: GateAdvice) -> str:
    """Return advice on the parameter to change, with the caveats about its data."""
    change, note = _change(report, own), report.get("note")
    return f"{change} {note[:1].upper()}{note[1:]}." if note else change


def _change(report: Mapping[str, Any], own: GateAdvice) -> str:
    if report["gate"] == "fresh_prices":
        return (_NO_PRICES if report["nearest"] is None else _STALE).format(**report)
    return _ACCOUNT.get(report["gate"], own.text).format(**report)
