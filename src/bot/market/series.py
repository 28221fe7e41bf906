"""Recorded history of a pair as immutable columns, oldest first."""

from dataclasses import dataclass, field, replace

from bot.market.records.recorded import RecordedRows
from bot.models import Instrument
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.columns import DecimalColumn


@dataclass(frozen=True, slots=True, eq=False)
class CandleSeries:
    """n candles of one leg: open times in ms UTC, ascending and distinct; volume in base coin."""

    timeframe_ms: int
    open_ms: IntArray
    open: DecimalColumn
    high: DecimalColumn
    low: DecimalColumn
    close: DecimalColumn
    volume: DecimalColumn

    def __len__(self) -> int:
        return len(self.open_ms)

    def __getitem__(self, rows: slice) -> "CandleSeries":
        """Return the candles of `rows`."""
        columns = (self.open, self.high, self.low, self.close, self.volume)
        return CandleSeries(self.timeframe_ms, self.open_ms[rows], *(column[rows] for column in columns))


@dataclass(frozen=True, slots=True, eq=False)
class FundingSeries:
    """n settlements: times in ms UTC on full hours, ascending and distinct; rate is a fraction per interval.

    `marks[i]` is meaningful only where `has_mark[i]` is true (0 elsewhere).
    """

    t_ms: IntArray
    rates: DecimalColumn
    interval_hours: IntArray
    marks: DecimalColumn
    has_mark: BoolArray

    def __len__(self) -> int:
        return len(self.t_ms)

    def __getitem__(self, rows: slice) -> "FundingSeries":
        """Return the settlements of `rows`."""
        columns = (self.rates[rows], self.interval_hours[rows], self.marks[rows], self.has_mark[rows])
        return FundingSeries(self.t_ms[rows], *columns)


@dataclass(frozen=True, slots=True)
class HeldRange:
    """First and last row in the store of one series (`funding`, `spot`, ...), later ones included."""

    kind: str
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class SymbolData:
    """Everything held about one pair up to a moment; `mark` is None where no mark candles are held.

    `fingerprint` is a hex SHA-256 over the instrument and every row here, those of `recorded` too. `held` may
    name later times: it is for messages to people, and no number of a run depends on it. `spot` is in units
    of the perp, of which one is `spot_units` coins (multiplier contracts; 1 for all others). `marked_later`
    has the beginnings of the perp's recorded contracts whose mark candles are all later than the rows here.
    """

    symbol: str
    instrument: Instrument
    funding: FundingSeries
    spot: CandleSeries
    perp: CandleSeries
    mark: CandleSeries | None
    fingerprint: str
    synthetic: bool
    spot_units: int = 1
    held: tuple[HeldRange, ...] = ()
    recorded: RecordedRows = field(default_factory=RecordedRows)
    marked_later: frozenset[int] = frozenset()

    def emptied(self) -> "SymbolData":
        """Return the pair without any row of its series."""
        return replace(self, funding=self.funding[:0], spot=self.spot[:0], perp=self.perp[:0], mark=None)


@dataclass(frozen=True, slots=True, eq=False)
class MarketData:
    """The histories of a run's symbols, in the run's order, up to `end_ms` and nothing later.

    `recorded` is what holds for all markets of the exchange. `has_lives` says that a life is recorded which
    tells more than that a market has always been there: runs over such markets are replayed as hedges.
    """

    exchange: str
    end_ms: int
    symbols: tuple[SymbolData, ...]
    fingerprint: str
    recorded: RecordedRows = field(default_factory=RecordedRows)
    has_lives: bool = False
