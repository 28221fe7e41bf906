"""The store of recorded market data, behind one object for synchronous callers."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from bot.market.hedge_data import HedgeData, PairKey
from bot.market.merging import MergeResult
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market.rows import Rows, SeriesKey
from bot.market.series import MarketData
from bot.market_store import sql
from bot.market_store.database import is_full, write_transaction
from bot.market_store.deleting import Removal, Selection, preview_removal, remove_rows
from bot.market_store.listing import ExchangeListing, list_coverage
from bot.market_store.loading import load_hedges, load_market, resolve_exchange
from bot.market_store.pair_figures.pairs import ANY_DATES, Dates, Pair, PairSeries, list_pairs, pair_series
from bot.market_store.provenance import Provenance, record
from bot.market_store.records import RecordsMerged, merge_records, read_rows, records_of
from bot.market_store.sql import PublishedFees
from bot.market_store.summaries import Summary, keep_summaries
from bot.market_store.writing import merge_series
from bot.models import Instrument


class HistoricalDataStore:
    """Recorded funding and candles by exchange and perp symbol; the tables must exist."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def merge(
        self,
        key: SeriesKey,
        rows: Rows,
        *,
        synthetic: bool = False,
        provenance: Provenance | None = None,
        replace_held: bool = False,
    ) -> MergeResult:
        """Add rows to a series in one transaction; those that contradict or overlap held ones are refused.

        With `replace_held` rows take the place of held ones that they contradict. `provenance` is stored with
        them, completed by the counts of the result.
        Raises: DataImportError for recorded rows among generated ones, or the reverse.
        """
        with write_transaction(self.engine) as connection:
            merged = merge_series(connection, key, rows, synthetic=synthetic, replace_held=replace_held)
            if provenance is not None and (merged.new or merged.replaced):
                series = sql.lock_series(connection, key, synthetic=synthetic)
                refused = provenance.refused + merged.refused
                done = replace(provenance, rows_new=merged.new, refused=refused, replaced=merged.replaced)
                record(connection, series, done)
            return merged

    def merge_records(
        self, key: RecordKey, rows: Sequence[Any], source: str, *, replace_held: bool = False
    ) -> RecordsMerged:
        """Add recorded rows of a kind in one transaction, all of them or none; raises as `merge_records`."""
        with write_transaction(self.engine) as connection:
            return merge_records(connection, key, rows, source, replace_held=replace_held)

    def records(self, key: RecordKey) -> list[Any]:
        """Return the recorded rows of a kind by part and time; raises StoreError if they are damaged."""
        with self.engine.connect() as connection:
            held = records_of(connection, key.exchange, key.symbol, [key.kind])
            return read_rows(connection, held[key.kind]) if held else []

    def preview_removal(self, selection: Selection) -> Removal:
        """Return the removal that `remove` would make; raises as it does."""
        with self.engine.connect() as connection:
            return preview_removal(connection, selection)

    def remove(self, selection: Selection) -> Removal:
        """Remove the rows that are meant, in one transaction.

        Raises: UnknownExchangeError, UnknownSymbolError; StoreError if stored rows are damaged.
        """
        with write_transaction(self.engine, durable=True) as connection:
            return remove_rows(connection, selection)

    def put_instrument(self, exchange: str, symbol: str, rules: Instrument) -> None:
        """Store the trading rules of a symbol in place of those held."""
        with write_transaction(self.engine) as connection:
            sql.put_instrument(connection, exchange, symbol, rules)

    def add_instrument(self, exchange: str, symbol: str, rules: Instrument) -> None:
        """Store the trading rules of a symbol unless some are held."""
        with write_transaction(self.engine) as connection:
            if not sql.instruments(connection, exchange, [symbol]):
                sql.put_instrument(connection, exchange, symbol, rules)

    def put_fees(self, exchange: str, symbol: str, fees: PublishedFees) -> None:
        """Store the published fees of a symbol in place of those held."""
        with write_transaction(self.engine) as connection:
            sql.put_fees(connection, exchange, symbol, fees)

    def load(
        self,
        exchange: str | None,
        symbols: Sequence[str],
        end_ms: int,
        start_ms: int | None = None,
        *,
        beyond_seals: bool = False,
        reads: Collection[RecordKind] = (),
    ) -> MarketData:
        """Return the whole history of `symbols` that is visible at `end_ms`.

        Where a leg is held in several timeframes, the one that suits the window from `start_ms` on is taken.
        Of what is recorded beside series, the kinds in `reads` come with it and enter the fingerprints.
        Raises: UnknownExchangeError, UnknownSymbolError; SealedError if it ends in sealed days, unless it is
        the look at a holdout (`beyond_seals`); StoreError if stored rows are damaged.
        """
        with self.engine.connect() as connection:
            return load_market(
                connection, exchange, symbols, end_ms, start_ms, beyond_seals=beyond_seals, reads=reads
            )

    def load_hedges(
        self,
        exchange: str,
        wanted: Collection[PairKey],
        end_ms: int,
        start_ms: int | None = None,
        *,
        beyond_seals: bool = False,
    ) -> HedgeData:
        """Return what is held up to `end_ms` of the pairs of several exchanges; `exchange` is the run's own.

        Everything recorded beside their series comes with it, and so do pairs that recorded lives name.
        Raises: SealedError as `load` does, for any of the exchanges; InsufficientDataError while funding
        intervals are not known; StoreError if stored rows are damaged.
        """
        with self.engine.connect() as connection:
            return load_hedges(connection, exchange, wanted, end_ms, start_ms, beyond_seals=beyond_seals)

    def extent(self, key: SeriesKey) -> tuple[int, int] | None:
        """Return the times of the first and last row held of a series, None if there are none."""
        with self.engine.connect() as connection:
            held = [one for one in sql.held_series(connection, key.exchange) if one.key == key]
            return next(iter(sql.extents(connection, held, beyond_seals=True).values()), None)

    def resolve_exchange(self, exchange: str | None) -> str:
        """Return the data set meant: the one named, or else the only one held."""
        with self.engine.connect() as connection:
            return resolve_exchange(connection, exchange)

    def exchanges(self) -> list[str]:
        """Return the names of all data sets, sorted."""
        with self.engine.connect() as connection:
            return sql.exchanges(connection)

    def listing(self) -> list[ExchangeListing]:
        """Return the listing of held series, by exchange and symbol, with gaps and findings."""
        with self.engine.connect() as connection:
            listing, fresh = list_coverage(connection)
        self._keep(fresh)
        return listing

    def pairs(self, days: int) -> list[Pair]:
        """Return the figures of all pairs over their newest `days`; raises InvalidInputError for others."""
        with self.engine.connect() as connection:
            pairs, fresh = list_pairs(connection, days)
        self._keep(fresh)
        return pairs

    def pair_series(self, exchange: str, symbol: str, days: int, dates: Dates = ANY_DATES) -> PairSeries:
        """Return the settlements of a pair over its newest `days` or between `dates`, with the basis at each.

        Raises: UnknownSymbolError; InvalidInputError.
        """
        with self.engine.connect() as connection:
            return pair_series(connection, exchange, symbol, days, dates)

    def _keep(self, summaries: Sequence[Summary]) -> None:
        """Store summaries, or leave them to be made again where the disk is full: they only save time."""
        if not summaries:
            return
        try:
            with write_transaction(self.engine) as connection:
                keep_summaries(connection, summaries)
        except sa.exc.DBAPIError as error:
            if not is_full(error.orig):
                raise
