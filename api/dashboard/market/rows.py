"""Market data as its pages show it: symbols with their lanes, jobs with their outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from api.dashboard.market.timeline import Axis, Lane, Tick, series_label
from bot.market_store.listing import ExchangeListing, RecordListing, SeriesListing, SymbolListing
from bot.plurals import counted
from bot.timestamps import iso
from sweeps.jobs.jobs import JobKind, JobState, JobView

PAIR_PATH = "/dashboard/data/pair"


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """Rows recorded beside candles and funding: their kind, how many, and the days of the outermost."""

    kind: str
    rows: int
    first: str
    last: str
    source: str

    @classmethod
    def of(cls, records: RecordListing) -> Self:
        """Return what a page says of them."""
        first, last = _day(records.first_ms), _day(records.last_ms)
        return cls(records.kind, records.rows, first, last, records.source)


def _day(from_ms: int) -> str:
    return iso(from_ms)[:10] if from_ms else "always"


@dataclass(frozen=True, slots=True)
class SymbolCard:
    """A symbol of the coverage page."""

    exchange: str
    symbol: str
    synthetic: bool
    address: str
    has_funding: bool
    lanes: tuple[Lane, ...]
    first_ms: int
    end_ms: int
    rows: int
    missing: int
    gaps: int
    findings: int
    records: tuple[RecordFacts, ...] = ()

    @property
    def label(self) -> str:
        """Return the picture in words, for screen readers."""
        lanes = ", ".join(lane.label for lane in self.lanes)
        missing = f"{counted(self.missing, 'row')} missing in {counted(self.gaps, 'gap')}"
        holes = missing if self.missing else "no row missing"
        return f"{self.exchange} {self.symbol}: {lanes}; {holes}"


@dataclass(frozen=True, slots=True)
class ExchangeCards:
    """The symbols of an exchange on the coverage page, and what is recorded of all of them together."""

    exchange: str
    cards: tuple[SymbolCard, ...]
    records: tuple[RecordFacts, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Everything held over one axis of time."""

    axis: Axis
    ticks: list[Tick]
    exchanges: list[ExchangeCards]
    hours: list[int]


def coverage_of(listing: Sequence[ExchangeListing], days: int) -> Coverage:
    """Return the picture of what is held, or of its newest `days`."""
    series = [one for exchange in listing for symbol in exchange.symbols for one in symbol.series]
    axis = Axis.over(series, days)
    exchanges = [
        ExchangeCards(
            exchange.exchange,
            tuple(_card(axis, exchange.exchange, symbol) for symbol in exchange.symbols),
            tuple(map(RecordFacts.of, exchange.records)),
        )
        for exchange in listing
    ]
    hours = sorted({span.hours for one in series for span in one.intervals}, reverse=True)
    return Coverage(axis, axis.ticks(), exchanges, hours)


def pair_address(exchange: str, symbol: str, **query: object) -> str:
    """Return the address of a pair's page."""
    return f"{PAIR_PATH}?{urlencode({'exchange': exchange, 'symbol': symbol, **query})}"


def _card(axis: Axis, exchange: str, symbol: SymbolListing) -> SymbolCard:
    series = symbol.series
    recorded = [at for one in symbol.records for at in (one.first_ms, one.last_ms) if at]
    return SymbolCard(
        exchange=exchange,
        symbol=symbol.symbol,
        synthetic=symbol.synthetic,
        address=pair_address(exchange, symbol.symbol),
        has_funding=any(one.intervals for one in series),
        lanes=tuple(axis.lane(one) for one in series),
        first_ms=min([one.first_ms for one in series] or recorded or [0]),
        end_ms=max([one.end_ms for one in series] or recorded or [0]),
        rows=sum(one.rows for one in series),
        missing=sum(one.missing for one in series),
        gaps=sum(len(one.gaps) for one in series),
        findings=sum(len(one.findings) for one in series),
        records=tuple(map(RecordFacts.of, symbol.records)),
    )


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """A series of one symbol with its lane, for the symbol's page."""

    label: str
    listing: SeriesListing


def series_facts(symbol: SymbolListing) -> list[SeriesFacts]:
    """Return the series of a symbol with their names."""
    return [SeriesFacts(series_label(one), one) for one in symbol.series]


@dataclass(frozen=True, slots=True)
class JobRow:
    """An import or a download as the list shows it."""

    view: JobView
    title: str
    share: float
    step: str

    @property
    def open(self) -> bool:
        """True until it has ended."""
        return self.view.state in {JobState.QUEUED, JobState.RUNNING}

    @property
    def counts(self) -> dict[str, int] | None:
        """Return the counts of rows by outcome, None before there is one."""
        result = self.view.result
        if result is None:
            return None
        if self.view.kind is JobKind.IMPORT:
            # Older jobs have no count of replaced rows.
            replaced = ("replaced",) if result.get("replaced") else ()
            names = ("rows_read", "new", *replaced, "already_there", "refused")
            return {name.replace("_", " "): result[name] for name in names}
        return {name: sum(one[name] for one in result["series"]) for name in ("new", "refused")}

    @property
    def refusals(self) -> list[str]:
        """Return the reasons of the first refused rows."""
        result = self.view.result or {}
        if self.view.kind is JobKind.IMPORT:
            return [f"line {one['line']}: {one['reason']}" for one in result.get("refusals", [])]
        series: list[dict[str, Any]] = result.get("series", [])
        return [f"{one['symbol']} {one['kind']}: {reason}" for one in series for reason in one["refusals"]]

    @property
    def notes(self) -> list[str]:
        """Return further notes on the outcome."""
        result = self.view.result or {}
        return [*result.get("notes", []), *result.get("remarks", [])]


def job_row(view: JobView) -> JobRow:
    """Return an import or a download as a row."""
    request, progress = view.request, view.progress or {}
    if view.kind is JobKind.IMPORT:
        title = f"{request['name']} into {request['exchange']}"
    else:
        symbols = request["symbols"]
        named = ", ".join(symbols[:3]) + (f" and {len(symbols) - 3} more" if len(symbols) > 3 else "")
        title = f"{named} from {request['exchange']} since {request['since'][:10]}"
    return JobRow(view, title, progress.get("share", 0.0), progress.get("step", ""))
