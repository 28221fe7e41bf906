"""Markets of a file: what its name or its rows say, held against the symbols that were asked for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from bot.errors import DataImportError, SymbolNotAskedError, UnmodelledContractError
from bot.market.contracts import COIN_MARGINED, Contract, ContractKind, Venue, contract_of
from bot.market.records.kinds import RecordKind
from bot.market.rows import SeriesKind
from bot.market.rules import RowRefusedError
from bot.market.symbols import inverse_symbol
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.files.text_lines import RefusalLog
from bot.market_store.importers.import_options import OPTIONS_EXAMPLE, ImportOptions
from bot.market_store.importers.parsing import Parsed
from bot.notation import quoted
from bot.plurals import counted

T = TypeVar("T")
MAX_MARKETS = 2000
_SHOWN_SYMBOLS = 5


@dataclass(frozen=True, slots=True)
class RefusedMarket:
    """A market of a file of which no row was taken: its name there, its first line and how many, and why."""

    name: str
    kind: SeriesKind
    line: int
    lines: int
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedRecords:
    """Rows of a kind beside candles and funding; `symbol` is empty for what holds for a whole exchange.

    `places` say of each row where it stands in the file, as in "row 3".
    """

    symbol: str
    kind: RecordKind
    rows: tuple[Any, ...]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Content of a file: one part for each series in it, and the markets that were refused.

    `records` are rows of other kinds than series.
    """

    parts: tuple[Parsed, ...]
    refused: tuple[RefusedMarket, ...] = ()
    records: tuple[ParsedRecords, ...] = ()


@dataclass(slots=True)
class MarketRecords(Generic[T]):
    """Records of one market with their lines; `refusals` takes what is wrong with them."""

    name: str
    symbol: str
    refusals: RefusalLog
    records: list[tuple[int, T]] = field(default_factory=list)


def all_of(source: Source, symbol: str, rows: Iterable[T]) -> MarketRecords[T]:
    """Return all rows of a file as those of one market, numbered from 1."""
    return MarketRecords(symbol, symbol, source.lines.refusals, list(enumerate(rows, start=1)))


def recorded(
    markets: Sequence[MarketRecords[T]],
    refused: Sequence[RefusedMarket],
    parse: Callable[[MarketRecords[T]], Parsed],
    kind: SeriesKind = SeriesKind.FUNDING,
) -> Recorded:
    """Return each market as `parse` reads it; of several, one that cannot be parsed is refused alone.

    Raises: DataImportError if none can be.
    """
    if len(markets) == 1:
        return Recorded((parse(markets[0]),), tuple(refused))
    parts: list[Parsed] = []
    dropped: list[RefusedMarket] = []
    first: DataImportError | None = None
    for one in markets:
        try:
            parts.append(parse(one))
        except DataImportError as error:
            first = first or error
            line = one.records[0][0]
            dropped.append(RefusedMarket(one.name, kind, line, len(one.records), error.message))
    if first is not None and not parts:
        raise first
    return Recorded(tuple(parts), (*refused, *dropped))


def canonical_symbol(
    source: Source, options: ImportOptions, name: str | None, *, of_spot: bool = False
) -> str:
    """Return the symbol of a canonical file as `named_symbol` does; inverse markets have one as well.

    Their volumes are in coins. `of_spot` says that the file is about a spot market, which they are not.
    """
    symbol = None if name is None else inverse_symbol(name)
    if symbol is None:
        return named_symbol(source, options, name, Venue.DECLARED)
    if of_spot:
        raise DataImportError(
            f"{source.name}: {name} is an inverse perp, spot markets are named as in BTCUSDT"
        )
    if options.symbols and symbol not in options.symbols:
        raise SymbolNotAskedError(
            f"{source.name}: the file says symbol {symbol}, which is not among --symbol"
        )
    return symbol


def named_symbol(
    source: Source, options: ImportOptions, name: str | None, venue: Venue = Venue.UNKNOWN
) -> str:
    """Return the symbol of a file whose name says market `name`, None if it says none; --symbol corrects it.

    Raises: UnmodelledContractError, which nothing corrects; SymbolNotAskedError; DataImportError if nothing
    says the symbol, or several options could.
    """
    contract = contract_of(name, venue) if name is not None else None
    if contract is not None and (contract.refusal or not options.symbols):
        return contract.symbol()
    if contract is not None and contract.kind is ContractKind.UNKNOWN:
        return _in_place_of(source, contract, options)
    if contract is None:
        if options.symbol is None:
            more = f": {counted(len(options.symbols), 'symbol')} could be meant" if options.symbols else ""
            raise DataImportError(
                f"{source.name} does not say its symbol{more}; add {OPTIONS_EXAMPLE} as needed"
            )
        return _corrected(source, options.symbol)
    chosen = _asked(contract, options)
    if chosen is not None:
        return chosen
    if options.selecting or options.symbol is None:
        raise SymbolNotAskedError(f"{_said(source, contract)}, which is not among --symbol")
    symbol = _corrected(source, options.symbol)
    source.notes.append(f"the file's name says {contract.name}, --symbol says {symbol}")
    return symbol


def stated_symbol(source: Source, options: ImportOptions, name: str, venue: Venue) -> str:
    """Return the symbol of a file whose content says that all of it is of market `name`.

    Raises: UnmodelledContractError; DataImportError if another market was asked for.
    """
    contract = contract_of(name, venue)
    if contract.refusal or not options.symbols:
        return contract.symbol()
    if contract.kind is ContractKind.UNKNOWN:
        return _in_place_of(source, contract, options)
    chosen = _asked(contract, options)
    if chosen is not None:
        return chosen
    said = f"{_said(source, contract)}, but --symbol says {', '.join(options.symbols[:_SHOWN_SYMBOLS])}"
    raise (SymbolNotAskedError if options.selecting else DataImportError)(said)


def by_market(
    source: Source,
    options: ImportOptions,
    records: Iterable[tuple[int, T]],
    market_of: Callable[[T], str],
    *,
    venue: Venue,
    kind: SeriesKind,
) -> tuple[list[MarketRecords[T]], list[RefusedMarket]]:
    """Return the records of each market, those that --symbol names if it names any, and the markets refused.

    Raises: DataImportError if no market is left.
    """
    names: dict[str, list[tuple[int, T]]] = {}
    for numbered in records:
        try:
            names.setdefault(market_of(numbered[1]), []).append(numbered)
        except RowRefusedError as refusal:
            source.lines.refusals.add_error(numbered[0], refusal)
        if len(names) > MAX_MARKETS:
            raise DataImportError(f"{source.name} holds more than {MAX_MARKETS:,} markets; split it")
    if len(names) == 1:
        ((name, taken),) = names.items()
        symbol = stated_symbol(source, options, name, venue)
        return [MarketRecords(name, symbol, source.lines.refusals, taken)], []
    return _chosen(source, options, names, venue, kind) if names else ([], [])


def _chosen(
    source: Source,
    options: ImportOptions,
    names: dict[str, list[tuple[int, T]]],
    venue: Venue,
    kind: SeriesKind,
) -> tuple[list[MarketRecords[T]], list[RefusedMarket]]:
    markets: dict[str, MarketRecords[T]] = {}
    refused: list[RefusedMarket] = []
    first: DataImportError | None = None
    for name, taken in names.items():
        contract = contract_of(name, venue)
        try:
            symbol = _asked(contract, options) if options.symbols else contract.symbol()
        except DataImportError as error:
            first = first or error
            refused.append(RefusedMarket(contract.name, kind, taken[0][0], len(taken), error.message))
            continue
        if symbol is not None:
            # What belongs to no market in particular is told with the first of them.
            log = RefusalLog() if markets else source.lines.refusals
            markets.setdefault(symbol, MarketRecords(name, symbol, log)).records.extend(taken)
    if absent := [symbol for symbol in options.symbols if symbol not in markets]:
        if not (options.selecting and markets):
            held = ", ".join(contract_of(name).name for name in [*names][:_SHOWN_SYMBOLS])
            more = f" and {len(names) - _SHOWN_SYMBOLS} more" if len(names) > _SHOWN_SYMBOLS else ""
            raise (SymbolNotAskedError if options.selecting else DataImportError)(
                f"{source.name} holds nothing of {', '.join(absent)}: it holds {held}{more}"
            )
    elif not markets and first is not None:
        others = f" and {len(refused) - 1} more like it" if len(refused) > 1 else ""
        raise type(first)(f"{first.message}{others}")
    if left_out := len(names) - len(markets) - len(refused):
        source.notes.append(f"{counted(left_out, 'other market')} in it, not asked for")
    return [*markets.values()], refused


def _in_place_of(source: Source, contract: Contract, options: ImportOptions) -> str:
    """Return the symbol asked for in place of a name that means nothing, if one file is spoken of."""
    if options.selecting or options.symbol is None:
        return contract.symbol()
    return _corrected(source, options.symbol)


def _corrected(source: Source, symbol: str) -> str:
    """Return what --symbol says in place of a file; raises UnmodelledContractError for an inverse market."""
    if inverse_symbol(symbol) is not None:
        raise UnmodelledContractError(f"{source.name}: {COIN_MARGINED}: {quoted(symbol)}")
    return symbol


def _asked(contract: Contract, options: ImportOptions) -> str | None:
    """Return the symbol of those asked for that a contract is, None if it is none of them."""
    if contract.kind is ContractKind.UNDECIDED:
        fitting = [symbol for symbol in options.symbols if contract.may_be(symbol)]
        return fitting[0] if len(fitting) == 1 else None
    if contract.kind is not ContractKind.LINEAR:
        return None
    return contract.symbol() if contract.symbol() in options.symbols else None


def _said(source: Source, contract: Contract) -> str:
    symbol = contract.symbol() if contract.kind is ContractKind.LINEAR else contract.name
    return f"{source.name}: the file says symbol {symbol}"
