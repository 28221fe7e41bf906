"""Coverage of a window by the recorded markets of hedges, and the check that it is enough to run on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from bot.config.run_config import RunConfig
from bot.errors import InsufficientDataError, InvalidInputError
from bot.market.coverage import (
    NO_CANDLES,
    NOT_ASKED,
    Coverage,
    LegCoverage,
    coverage,
    refusal,
    too_few_settlements,
)
from bot.market.hedge_data import HedgeData
from bot.market.hedge_names import Hedge, Market
from bot.market.records.contract_life import Epoch
from bot.market.records.recorded_fees import check_fee_rows
from bot.market.series import SymbolData
from bot.market.symbols import market_symbol
from bot.market_names import multiplied
from bot.timestamps import iso

_LEGS = ("spot", "perp")


def hedge_coverage(hedges: Sequence[Hedge], data: HedgeData, config: RunConfig) -> Mapping[str, Coverage]:
    """Return the coverage of the window by the markets of hedges, in their order, within recorded lives.

    Both markets of one pair are one entry under the perp's symbol, a spot market alone is one under its own;
    off the run's own exchange names end in `@exchange`. What no hedge trades of a pair is not expected.
    Raises: InsufficientDataError naming symbol, ranges held and range asked, if less than `min_coverage` of
    the settlements of a perp are recorded, or no candle of a leg, no borrow rate, bracket or fee row where
    one is asked for.
    """
    found = {}
    for markets in _by_pair(hedges):
        name, pair = _name(markets, data), _PairCoverage(markets, data, config)
        found[name] = pair.checked(name)
    check_hedge_records(hedges, data, config)
    return found


def check_hedge_records(hedges: Iterable[Hedge], data: HedgeData, config: RunConfig) -> None:
    """Check that what the parameters ask for beside candles and settlements is recorded.

    Raises: InsufficientDataError naming parameter and symbol if a borrow rate, bracket or fee row is lacking.
    """
    for hedge in hedges:
        for leg in hedge.legs:
            _LegRecords(hedge, leg, data, config).check()


def _by_pair(hedges: Iterable[Hedge]) -> Iterable[list[Market]]:
    """Return the distinct markets of each pair, pairs in order of appearance, long legs first."""
    found: dict[tuple[str, str], dict[Market, None]] = {}
    for hedge in hedges:
        for leg in hedge.legs:
            found.setdefault((leg.exchange, leg.pair), {})[leg] = None
    return [[*markets] for markets in found.values()]


def _name(markets: Sequence[Market], data: HedgeData) -> str:
    """Return the name of markets of one pair in messages and reports."""
    named = next((market for market in markets if market.kind != "spot"), markets[0])
    return named.symbol if named.exchange == data.exchange else f"{named.symbol}@{named.exchange}"


def _leg(market: Market) -> str:
    return "spot" if market.kind == "spot" else "perp"


class _PairCoverage:
    """Coverage of a window by those markets of one pair that hedges trade."""

    def __init__(self, markets: Sequence[Market], data: HedgeData, config: RunConfig) -> None:
        self._exchange, pair = markets[0].exchange, markets[0].pair
        self._held = data.pairs.get((self._exchange, pair))
        in_capitals = pair if multiplied(pair) else pair.upper()
        self._hint = "" if pair == in_capitals else f" (names are in upper case: {in_capitals})"
        self._legs = sorted({_leg(market) for market in markets}, key=_LEGS.index)
        self._data = data
        self._start_ms, self._end_ms = config.start, config.end
        self._min_coverage: Decimal = config.min_coverage

    def checked(self, name: str) -> Coverage:
        """Return the coverage; raises InsufficientDataError if it is too small."""
        held = self._held
        if held is None:
            raise _lacks(name, f"nothing of it is held{self._hint}", self._start_ms, self._end_ms, None)
        found = self._coverage(held)
        lacking = "no contract of it lives" if found is None else self._lacking(found, held)
        if found is None or lacking is not None:
            raise _lacks(name, str(lacking), self._start_ms, self._end_ms, held)
        return found

    def _lacking(self, found: Coverage, held: SymbolData) -> str | None:
        """Return in words what is lacking of the pair, None if nothing is."""
        lacking = too_few_settlements(found.funding, self._min_coverage) if "perp" in self._legs else None
        candles = {"spot": (found.spot, held.spot), "perp": (found.perp, held.perp)}
        missing = [leg for leg in self._legs if not candles[leg][0].has_candles(len(candles[leg][1]))]
        return NO_CANDLES.format(missing[0]) if lacking is None and missing else lacking

    def _coverage(self, held: SymbolData) -> Coverage | None:
        """Return the coverage, None where no contract of a leg lives in the window."""
        lives = held.recorded.lives()
        if lives.keys().isdisjoint(self._legs):
            return coverage(held, self._start_ms, self._end_ms, self._legs)
        parts: list[Coverage] = []
        for leg in self._legs:
            life = lives.get(leg)
            epochs = [Epoch(leg, self._start_ms)] if life is None else life.epochs
            of_leg = [*self._parts(leg, epochs, held)]
            if not of_leg:
                return None
            parts += of_leg
        return _joined(parts)

    def _parts(self, leg: str, epochs: Iterable[Epoch], held: SymbolData) -> Iterator[Coverage]:
        """Yield the coverage of a leg within each of its epochs that the window meets."""
        for epoch in epochs:
            start_ms, end_ms, settled_ms = max(self._start_ms, epoch.from_ms), self._end_ms, self._end_ms
            if epoch.to_ms is not None:
                end_ms, settled_ms = min(end_ms, epoch.to_ms), min(settled_ms, epoch.to_ms - 1)
            if start_ms <= settled_ms:
                yield coverage(self._rows(epoch, held), start_ms, end_ms, [leg], settled_ms)

    def _rows(self, epoch: Epoch, held: SymbolData) -> SymbolData:
        """Return the rows that an epoch names, none where they are not held."""
        if epoch.stem is None:
            return held
        named = self._data.pairs.get((self._exchange, market_symbol(epoch.stem)))
        return held.emptied() if named is None else named


class _LegRecords:
    """Recorded rows beside series that a leg of a hedge asks for."""

    def __init__(self, hedge: Hedge, leg: Market, data: HedgeData, config: RunConfig) -> None:
        self._hedge, self._leg, self._data, self._config = hedge, leg, data, config
        self._held = data.pairs[leg.exchange, leg.pair]

    def check(self) -> None:
        """Raise InsufficientDataError if a borrow rate, a bracket or a fee row is lacking."""
        if self._leg.kind == "spot":
            if self._leg == self._hedge.short:
                self._check_borrowing()
        elif self._config.margin_model == "brackets":
            self._check_brackets()
        if self._config.fee_model == "recorded":
            self._check_fees()

    def _check_borrowing(self) -> None:
        if self._config.borrow_rate_hourly is None and not len(self._held.recorded.borrow_rates()):
            raise self._lacks("borrow_rate_hourly", "no borrow rate is recorded")

    def _check_brackets(self) -> None:
        rules = self._config.instrument
        if rules is not None and rules.margin_brackets is not None:
            return
        candles, history = self._held.perp, self._held.recorded.brackets()
        since_ms = self._config.start
        if len(candles):
            since_ms = max(since_ms, int(candles.open_ms[0]) + candles.timeframe_ms)
        if not len(history):
            raise self._lacks("margin_model", "no margin brackets are recorded")
        if history.in_force(since_ms) is None:
            raise self._lacks("margin_model", f"no margin brackets are in force at {iso(since_ms)}")

    def _check_fees(self) -> None:
        config, side = self._config, "long" if self._leg == self._hedge.long else "short"
        if None not in {getattr(config, f"{side}_taker"), getattr(config, f"{side}_maker")}:
            return
        schedules = self._data.exchanges.get(self._leg.exchange)
        table = None if schedules is None else schedules.fees()
        if table is None:
            raise self._lacks("fee_model", f"no fee schedule of {self._leg.exchange} is recorded (fees.json)")
        try:
            check_fee_rows(
                table, self._leg.kind, config.fee_tier, config.fee_base_volume, config.start, config.end
            )
        except InsufficientDataError as error:
            raise self._lacks("fee_tier", error.errors[0].message) from None

    def _lacks(self, field: str, lacking: str) -> InvalidInputError:
        name = _name([self._leg], self._data)
        return _lacks(name, lacking, self._config.start, self._config.end, self._held, field)


def _lacks(
    name: str, lacking: str, start_ms: int, end_ms: int, held: SymbolData | None, field: str = "symbols"
) -> InvalidInputError:
    ranges = () if held is None else held.held
    return InsufficientDataError.of(field, refusal(name, lacking, start_ms, end_ms, ranges))


def _joined(parts: Sequence[Coverage]) -> Coverage:
    """Return the coverage of all parts together: of several epochs, or of two legs."""
    known = [part for part in parts if part.first_ms is not None]
    marks = [part.mark for part in parts if part.mark is not None]
    return Coverage(
        first_ms=min((part.first_ms for part in known if part.first_ms is not None), default=None),
        last_ms=max((part.last_ms for part in known if part.last_ms is not None), default=None),
        funding=_sum(part.funding for part in parts),
        spot=_sum(part.spot for part in parts),
        perp=_sum(part.perp for part in parts),
        mark=_sum(marks) if marks else None,
        timeframes_ms={leg: ms for part in parts for leg, ms in part.timeframes_ms.items()},
        findings=tuple(finding for part in parts for finding in part.findings),
        jumps=tuple(sorted((jump for part in parts for jump in part.jumps), key=lambda one: one.before_ms)),
    )


def _sum(parts: Iterable[LegCoverage]) -> LegCoverage:
    found, expected, gaps = NOT_ASKED.found, NOT_ASKED.expected, NOT_ASKED.gaps
    for part in parts:
        found, expected, gaps = found + part.found, expected + part.expected, gaps + part.gaps
    return LegCoverage(found, expected, gaps)
