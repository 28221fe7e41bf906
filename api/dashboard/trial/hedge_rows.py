"""Rows of a run of hedges for tables: transfers, interest, and what each leg of a hedge booked."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from itertools import accumulate, groupby

from bot.hedges.journal.ledger import LedgerEntry, ledger_entries
from bot.hedges.journal.records import InterestCharge, Journal, JournaledHedge, LegFacts, LegMove
from bot.models import DAY_MS
from bot.numbers.money import ZERO, exact, plain
from bot.timestamps import iso

_MOST_TRANSFERS = 200
_ACTIONS = {
    "open": "opened",
    "reduce": "reduced",
    "close": "closed",
    "take": "closed by the exchange",
    "liquidate": "liquidated",
}


@dataclass(frozen=True, slots=True)
class TransferRow:
    """Money moved to a margin or between wallets; `coin` is what it was moved in, None for quote currency."""

    t_ms: int
    due_ms: int
    source: str
    target: str
    amount: Decimal
    fee: Decimal
    coin: str | None = None


@dataclass(frozen=True, slots=True)
class Transfers:
    """The first transfers of a run, by time, how many there were, and the sum of their fees."""

    rows: Sequence[TransferRow]
    count: int
    fees: Decimal


@dataclass(frozen=True, slots=True)
class InterestRow:
    """Interest of a UTC day: hours charged, lowest and highest hourly rate, amount and sum so far."""

    day_ms: int
    hours: int
    lowest: Decimal
    highest: Decimal
    amount: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class BorrowedRow:
    """Interest on one borrowed market over a run."""

    market: str
    hours: int
    lowest: Decimal
    highest: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class MoveRow:
    """Booking of a leg in words, with its market."""

    move: LegMove
    facts: LegFacts
    done: str


def transfers_of(journal: Journal) -> Transfers:
    """Return the transfers of a run, oldest first."""
    found = [
        TransferRow(one.t_ms, one.due_ms, f"wallet {one.source}", f"wallet {one.target}", one.amount, one.fee)
        for one in journal.transfers
    ]
    for hedge in journal.hedges:
        for one in hedge.top_ups:
            facts = hedge.facts(one.leg)
            target = f"{one.leg} leg {facts.market}"
            coin = facts.symbol.partition("/")[0] if one.in_coins else None
            source = "its spare coins" if one.in_coins else f"free cash {facts.exchange}"
            found.append(TransferRow(one.t_ms, one.due_ms, source, target, one.amount, one.fee, coin))
    found.sort(key=lambda row: row.t_ms)
    with exact():
        fees = sum((row.fee for row in found), ZERO)
    return Transfers(found[:_MOST_TRANSFERS], len(found), fees)


def borrowed_of(journal: Journal) -> list[BorrowedRow]:
    """Return the interest of a run, market by market."""
    charges: dict[str, list[InterestCharge]] = {}
    for hedge in journal.hedges:
        if hedge.interest:
            borrowed = next(facts for facts in hedge.legs if facts.kind == "borrowed")
            charges.setdefault(borrowed.market, []).extend(hedge.interest)
    with exact():
        return [
            BorrowedRow(
                market,
                len(own),
                min(one.rate for one in own),
                max(one.rate for one in own),
                sum((one.amount for one in own), ZERO),
            )
            for market, own in charges.items()
        ]


def interest_rows(hedge: JournaledHedge) -> list[InterestRow]:
    """Return the interest of a hedge by the UTC days in which its hours began."""
    days = [(day, list(own)) for day, own in groupby(hedge.interest, key=lambda one: one.begun_ms // DAY_MS)]
    with exact():
        amounts = [sum((one.amount for one in own), ZERO) for _, own in days]
        return [
            InterestRow(
                day * DAY_MS,
                len(own),
                min(one.rate for one in own),
                max(one.rate for one in own),
                amount,
                total,
            )
            for (day, own), amount, total in zip(days, amounts, accumulate(amounts), strict=True)
        ]


def ledger_csv(journal: Journal) -> str:
    """Return the ledger of a run as CSV, amounts exact, times in ms UTC and as text."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time", *LedgerEntry._fields])
    for entry in ledger_entries(journal):
        writer.writerow([iso(entry.t_ms), *("" if v is None else _text(v) for v in entry)])
    return out.getvalue()


def _text(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def move_rows(hedge: JournaledHedge) -> list[MoveRow]:
    """Return what the legs of a hedge booked, oldest first, the long leg before the short."""
    return [MoveRow(move, hedge.facts(move.leg), _ACTIONS[move.action]) for move in hedge.moves]
