"""Answers of the service as Python values: amounts as Decimal, times as datetime in UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar, get_args, get_type_hints

from carrygrid.marks import TrialMark
from carrygrid.tables import Column, Kind, Table

_EPOCH_MS = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """Finding about the market data of a run that its numbers depend on.

    A `warning` is about P&L that may never have been there; `pnl` is the part of the net P&L that comes from
    it, None where unknown, `mainly` whether that is more than half. `windows` counts those of a sweep that
    show it. `symbol` and `leg` are None where it is about all of them.
    """

    symbol: str | None
    leg: str | None
    name: str
    count: int
    since: datetime | None
    until: datetime | None
    detail: str
    warning: bool
    pnl: Decimal | None = None
    mainly: bool = False
    windows: int = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial: `params` are the varied ones; without `metrics` if it failed, and `error` says why.

    `eligible` says whether it can be ranked first, None if the service does not say; `ineligible` why a
    completed one cannot. `p_luck` and `plateau` are known once its sweep is judged. `equal` counts the trials
    of equal results that it stands for, where they were asked for as one. `mark` is what readers left on it.
    """

    number: int
    state: str
    params: Mapping[str, Any]
    metrics: Mapping[str, Any]
    error: str | None
    run_key: str | None
    findings: Sequence[Finding] = ()
    eligible: bool | None = None
    ineligible: str | None = None
    p_luck: float | None = None
    plateau: float | None = None
    equal: int | None = None
    mark: TrialMark | None = None


class FailureReason(NamedTuple):
    """Reason for which `trials` trials failed; `message` is that of the trial `example`."""

    code: str
    message: str
    trials: int
    example: int


class EquityPoint(NamedTuple):
    """Equity at one moment, in the quote currency."""

    time: datetime
    equity: Decimal


class Trade(NamedTuple):
    """A round trip; prices are the unrounded fills, exits are None where an exchange took the leg away.

    Those of spot and of a perp are None of hedges of two perps.

    `long_pnl` and `short_pnl` sum to `price_pnl`.
    """

    symbol: str
    opened_at: datetime
    closed_at: datetime
    quantity: Decimal
    spot_entry: Decimal | None
    perp_entry: Decimal | None
    spot_exit: Decimal | None
    perp_exit: Decimal | None
    funding: Decimal
    fees: Decimal
    price_pnl: Decimal
    net_pnl: Decimal
    funding_payments: int
    reason: str
    long_entry: Decimal
    long_exit: Decimal | None
    short_entry: Decimal
    short_exit: Decimal | None
    long_pnl: Decimal
    short_pnl: Decimal
    borrow_cost: Decimal
    transfer_cost: Decimal
    top_ups: int
    reductions: int


_KINDS = {str: Kind.TEXT, datetime: Kind.TIME, Decimal: Kind.EXACT, int: Kind.WHOLE}
Row = TypeVar("Row", EquityPoint, Trade)


def equity_table(points: Sequence[Sequence[Any]]) -> Table[EquityPoint]:
    """Return an equity curve from its document."""
    curve = [EquityPoint(moment(time_ms), Decimal(equity)) for time_ms, equity in points]
    return _table(EquityPoint, curve)


def trade_table(documents: Sequence[Mapping[str, Any]]) -> Table[Trade]:
    """Return round trips from their documents."""
    columns = _columns(Trade)
    trades = [Trade(**{name: read(kind, document[name]) for name, kind in columns}) for document in documents]
    return _table(Trade, trades)


class WalkForwardCurves(NamedTuple):
    """Exact curves of a stitched run and of holding, its trades, and when its parameters changed."""

    equity: Table[EquityPoint]
    hold: Table[EquityPoint]
    seams: tuple[datetime, ...]
    trades: Table[Trade]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "WalkForwardCurves":
        """Return the curves from their document."""
        return cls(
            equity_table(document["equity"]),
            equity_table(document["hold"]),
            tuple(map(moment, document["seams"])),
            trade_table(document["trades"]),
        )


def finding(document: Mapping[str, Any]) -> Finding:
    """Return the finding of a run or a sweep from its document."""
    since_ms, until_ms = document["from_ms"], document["to_ms"]
    return Finding(
        symbol=document["symbol"],
        leg=document["leg"],
        name=document["name"],
        count=document["count"],
        since=None if since_ms is None else moment(since_ms),
        until=None if until_ms is None else moment(until_ms),
        detail=document["detail"],
        warning=document.get("warning", document.get("serious", False)),
        pnl=amount(document.get("pnl")),
        mainly=document.get("mainly", False),
        windows=document.get("windows", 1),
    )


def moment(time_ms: int) -> datetime:
    """Return the time of a timestamp in ms."""
    return datetime.fromtimestamp(time_ms / _EPOCH_MS, UTC)


def amounts(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return metrics by name, amounts as Decimal."""
    return {name: amount(value) for name, value in (values or {}).items()}


def amount(value: Any) -> Any:
    """Return a metric's value: amounts travel as text."""
    return Decimal(value) if isinstance(value, str) else value


def read(kind: Kind, value: Any) -> Any:
    """Return a JSON value as what its column holds."""
    return None if value is None else _READERS[kind](value)


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


_READERS: Mapping[Kind, Any] = {
    Kind.EXACT: Decimal,
    Kind.WHOLE: int,
    Kind.REAL: float,
    Kind.FLAG: bool,
    Kind.TEXT: _text,
    Kind.TIME: moment,
}


def _columns(row: type[Any]) -> list[Column]:
    hints = get_type_hints(row).items()
    return [Column(name, _KINDS[(get_args(hint) or (hint,))[0]]) for name, hint in hints]


def _table(row: type[Row], rows: Sequence[Row]) -> Table[Row]:
    return Table(rows, _columns(row), tuple)
