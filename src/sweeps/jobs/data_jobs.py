"""Jobs that bring market data into the store: uploaded files, and downloads from exchanges."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import sqlalchemy as sa

from bot.clock import Clock
from bot.market.rows import SeriesKey, SeriesKind
from bot.market.symbols import exchange_name
from bot.market_store.fetch.exchange_calls import ExchangeCalls
from bot.market_store.fetch.exchanges import open_client
from bot.market_store.fetch.fetch_request import FetchRequest
from bot.market_store.fetch.fetching import Fetcher, FetchReport
from bot.market_store.import_reports import FileReport
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importing import import_file
from bot.market_store.store import HistoricalDataStore
from sweeps.jobs.job_reports import JobReport
from sweeps.jobs.jobs import JobClaim, JobKind
from sweeps.storage.uploads import checked_name, write_upload

DATA_JOBS = (JobKind.IMPORT, JobKind.FETCH)
_REFUSALS_SHOWN = 100
_LEGS = (SeriesKind.FUNDING, SeriesKind.PERP, SeriesKind.MARK, SeriesKind.SPOT)
"""Legs in the order in which a fetch takes them."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A file that was sent: the data set it belongs to, its name, and what it does not say itself.

    `symbol` may be several, with commas.
    """

    exchange: str
    name: str
    kind: str | None = None
    symbol: str | None = None
    timeframe: str | None = None
    time_zone: str | None = None
    keep_readable: bool = False
    replace: bool = False

    def check(self) -> None:
        """Raise InvalidInputError naming the field of what cannot be meant."""
        exchange_name(self.exchange)
        checked_name(self.name)
        self.options()

    def options(self) -> ImportOptions:
        """Return the import options stated beside the file; raises InvalidInputError."""
        return ImportOptions.parse(
            kind=self.kind,
            symbol=self.symbol,
            timeframe=self.timeframe,
            time_zone=self.time_zone,
            keep_readable=self.keep_readable,
            replace=self.replace,
            alone=True,
        )


def import_document(
    engine: sa.Engine, store: HistoricalDataStore, claim: JobClaim, report: JobReport
) -> dict[str, Any]:
    """Import the file of a job and return what became of it."""
    request = ImportRequest(**claim.request)
    with TemporaryDirectory(prefix="carrygrid-import-") as folder:
        path = Path(folder) / checked_name(request.name)
        with engine.connect() as connection:
            write_upload(connection, claim.id, path)
        done = import_file(
            store,
            path,
            request.exchange,
            lambda read, total: report.tell({"share": read / total if total else 1.0, "step": "reading"}),
            request.options(),
        )
    _prepare_pages(store, report)
    return _import_report(done)


def fetch_document(
    store: HistoricalDataStore, claim: JobClaim, report: JobReport, clock: Clock, api_url: str | None
) -> dict[str, Any]:
    """Go on with the download of a job and return what has come, in this turn and in those before.

    Raises: SliceOverError if it is to be gone on with later; FetchError, UnknownSymbolError.
    """
    request = FetchRequest.parse(claim.request)
    calls = ExchangeCalls(open_client(request.exchange, api_url=api_url, inverse=request.has_inverse))
    fetcher = Fetcher(store, request.exchange, calls, clock)
    earlier = _Turns.of(claim.progress)
    todo = [symbol for symbol in request.symbols if symbol not in earlier.finished]
    whole_ms = (request.until_ms or clock.now_ms()) - request.since_ms

    def told(key: SeriesKey, done_ms: int, total_ms: int) -> None:
        left = min(1.0, (total_ms - done_ms) / whole_ms) if whole_ms > 0 else 0.0
        symbol = len(earlier.finished) + len(fetcher.report.rules) - 1
        share = (symbol + (_LEGS.index(key.kind) + 1 - left) / len(_LEGS)) / len(request.symbols)
        turns = earlier.and_then(fetcher.report, [*fetcher.report.rules][:-1])
        step = f"{key.symbol} {key.kind.value}"
        report.tell({"share": min(share, 1.0), "step": step, **asdict(turns)}, at_once=True)
        # A turn without a new row would be no step ahead, however long it took.
        if any(one.new for one in fetcher.report.series):
            report.check_slice()

    report.tell(
        {"share": 0.0, "step": f"asking {request.exchange} for its markets", **(claim.progress or {})}
    )
    done = fetcher.fetch(todo, request.since_ms, request.until_ms, request.timeframe, told)
    _prepare_pages(store, report)
    turns = earlier.and_then(done, [])
    return {"series": turns.series, "rules": turns.rules, "remarks": turns.remarks}


@dataclass(frozen=True, slots=True)
class _Turns:
    """Results of a download's turns so far, as JSON values; `finished` symbols are not taken again."""

    finished: list[str] = field(default_factory=list)
    series: list[dict[str, Any]] = field(default_factory=list)
    rules: dict[str, dict[str, str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, progress: Mapping[str, Any] | None) -> Self:
        """Return the results of earlier turns kept in a job's progress."""
        known = progress or {}
        return cls(**{name: known[name] for name in cls.__slots__ if name in known})

    def and_then(self, report: FetchReport, finished: Sequence[str]) -> "_Turns":
        """Return these turns with another one."""
        latest = report.document()
        return _Turns(
            [*self.finished, *finished],
            _added(self.series, latest["series"]),
            {**self.rules, **latest["rules"]},
            list(dict.fromkeys([*self.remarks, *latest["remarks"]])),
        )


def _prepare_pages(store: HistoricalDataStore, report: JobReport) -> None:
    # What the pages of market data show is worked out here, so that nobody waits for it there.
    report.tell({"share": 1.0, "step": "working out coverage and figures"}, at_once=True)
    store.listing()
    store.pairs(0)


def _import_report(done: FileReport) -> dict[str, Any]:
    document = done.document()
    return {**document, "refusals": document["refusals"][:_REFUSALS_SHOWN]}


def _added(earlier: Sequence[dict[str, Any]], latest: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the counts of two turns of a download as one, by series."""
    total: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in (*earlier, *latest):
        name = one["symbol"], one["kind"], one["timeframe_ms"]
        before = total.setdefault(name, {**one, "pages": 0, "new": 0, "refused": 0, "refusals": []})
        for count in ("pages", "new", "refused"):
            before[count] += one[count]
        before["refusals"] = (before["refusals"] + one["refusals"])[:_REFUSALS_SHOWN]
    return list(total.values())
