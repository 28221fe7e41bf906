"""Contracts: what a ticker meant from when to when, with prices and volumes in one unit of the coin."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from tests.reference.hedges.files import Candle, Files, Settlement

DAY_OF_CANDLES = 24


@dataclass(frozen=True)
class Epoch:
    """A stretch of a ticker's life, from `from_ms` on and before `to_ms`; `units` are coins in one of it."""

    from_ms: int | None
    to_ms: int | None
    announced_ms: int | None
    settle_price: Fraction | None
    units: Fraction
    stem: str
    carried: bool

    def owns(self, first: int, last: int) -> bool:
        """Tell whether what begins and ends at these moments lies within."""
        return (self.from_ms is None or self.from_ms <= first) and (self.to_ms is None or last <= self.to_ms)

    def owns_settlement(self, t: int) -> bool:
        """Tell whether a settlement is one of this stretch."""
        return (self.from_ms is None or self.from_ms <= t) and (self.to_ms is None or t < self.to_ms)


class Series:
    """Candles of one contract, oldest first, in the unit of a hedge."""

    def __init__(self, candles: Sequence[tuple[Candle, Fraction]]) -> None:
        self.closed_at = [candle.closes_at for candle, _ in candles]
        self._candles = candles
        self._read: dict[int, tuple[Fraction, Fraction, Fraction, Fraction]] = {}

    def count(self, t: int) -> int:
        """Return how many candles have closed by `t`."""
        return bisect_right(self.closed_at, t)

    def high(self, index: int) -> Fraction:
        """Return the highest price of a candle."""
        return self._figures(index)[0]

    def low(self, index: int) -> Fraction:
        """Return the lowest price of a candle."""
        return self._figures(index)[1]

    def close(self, index: int) -> Fraction:
        """Return the last price of a candle."""
        return self._figures(index)[2]

    def volume(self, index: int) -> Fraction:
        """Return the volume of a candle."""
        return self._figures(index)[3]

    def _figures(self, index: int) -> tuple[Fraction, Fraction, Fraction, Fraction]:
        """Return high, low, close and volume in the unit of the hedge, worked out once."""
        if index not in self._read:
            candle, factor = self._candles[index]
            high, low, close = (Fraction(price) * factor for price in (candle.high, candle.low, candle.close))
            self._read[index] = high, low, close, Fraction(candle.volume) / factor
        return self._read[index]

    def closing_at(self, u: int) -> int | None:
        """Return the index of the candle that closes at `u`, None if none does."""
        index = bisect_left(self.closed_at, u)
        return index if index < len(self.closed_at) and self.closed_at[index] == u else None

    def closes_from(self, u: int) -> int | None:
        """Return when the first candle that closes at or after `u` does, None if none does."""
        index = bisect_left(self.closed_at, u)
        return self.closed_at[index] if index < len(self.closed_at) else None

    def nth_close_after(self, t: int, n: int) -> int | None:
        """Return when the `n`-th candle to close after `t` does, None if there are fewer."""
        index = self.count(t) + n - 1
        return self.closed_at[index] if index < len(self.closed_at) else None

    def volumes(self, first: int, last: int) -> Fraction:
        """Return the volume of the candles from index `first` to before `last`."""
        return sum((self.volume(index) for index in range(max(first, 0), last)), Fraction(0))

    def volume_of_day(self, t: int) -> Fraction:
        """Return the volume of the 24 newest closed candles."""
        return self.volumes(self.count(t) - DAY_OF_CANDLES, self.count(t))

    def turnover_of_day(self, t: int) -> Fraction:
        """Return the sum of volume times close of the 24 newest closed candles."""
        newest = range(max(self.count(t) - DAY_OF_CANDLES, 0), self.count(t))
        return sum((self.volume(index) * self.close(index) for index in newest), Fraction(0))


class Contract:
    """Epochs that continue each other, with the candles and settlements that they own."""

    def __init__(
        self,
        epochs: Sequence[Epoch],
        unit: Fraction,
        trades: Series,
        marks: Series | None,
        settlements: Sequence[Settlement],
    ) -> None:
        self.epochs = epochs
        self.unit = unit
        self.trades = trades
        self.marks = trades if marks is None else marks
        self.settlements = settlements
        self.from_ms, self.to_ms = epochs[0].from_ms, epochs[-1].to_ms
        self.first_row: int | None = None

    def is_in_force(self, t: int) -> bool:
        """Tell whether the contract is alive at `t`."""
        return (self.from_ms is None or self.from_ms <= t) and (self.to_ms is None or t < self.to_ms)

    def end_is_announced(self, t: int) -> bool:
        """Tell whether it is known at `t` that the contract ends."""
        announced = self.epochs[-1].announced_ms
        return self.to_ms is not None and announced is not None and announced <= t

    def factor(self, t: int) -> Fraction:
        """Return what prices of `t` are multiplied by to be prices of the hedge's unit."""
        begun = [epoch for epoch in self.epochs if epoch.from_ms is None or epoch.from_ms <= t]
        return self.unit / (begun or self.epochs[:1])[-1].units

    @property
    def settle_price(self) -> Fraction | None:
        """Return the price that the exchange settles the contract at, None if it is not recorded."""
        last = self.epochs[-1]
        return None if last.settle_price is None else last.settle_price * self.unit / last.units

    def age_ms(self, t: int) -> int:
        """Return how old the contract is, by its life or else by its first stored row."""
        born = self.from_ms if self.from_ms is not None else self.first_row
        return 0 if born is None else t - born

    def price(self, t: int) -> Fraction | None:
        """Return the newest closed price, None before the first."""
        count = self.trades.count(t)
        return self.trades.close(count - 1) if count else None

    def known_price(self, t: int) -> Fraction:
        """Return the newest closed price, which has to be there."""
        price = self.price(t)
        assert price is not None
        return price

    def is_fresh(self, t: int, max_age_ms: Fraction) -> bool:
        """Tell whether the newest price is young enough to decide on."""
        count = self.trades.count(t)
        return count > 0 and t - self.trades.closed_at[count - 1] <= max_age_ms

    def mark(self, t: int) -> Fraction:
        """Return the newest mark price, the newest trade price before there is one."""
        count = self.marks.count(t)
        return self.marks.close(count - 1) if count else self.known_price(t)

    @cached_property
    def settled_at(self) -> dict[int, Settlement]:
        """Settlements by their times."""
        return {record.t: record for record in self.settlements}

    @cached_property
    def settlement_times(self) -> list[int]:
        """Times of all settlements."""
        return [record.t for record in self.settlements]

    def newest_settlement(self, t: int) -> Settlement | None:
        """Return the newest settlement by `t`, None before the first."""
        count = bisect_right(self.settlement_times, t)
        return self.settlements[count - 1] if count else None

    def settlement_mark(self, record: Settlement) -> Fraction:
        """Return the mark price that a settlement is paid at."""
        if record.mark is None:
            return self.mark(record.t)
        return Fraction(record.mark) * self.factor(record.t)


def epochs_of(rows: Sequence[Mapping[str, Any]] | None, market: str, stem: str, units: str) -> list[Epoch]:
    """Return the epochs of a market of a life file, oldest first; without any, one for ever.

    `units` are the coins in one of the market where the file does not say.
    """
    own = sorted((row for row in rows or [] if row["market"] == market), key=lambda row: int(row["from_ms"]))
    if not own:
        return [Epoch(None, None, None, None, Fraction(units), stem, carried=False)]
    return [
        Epoch(
            from_ms=int(row["from_ms"]),
            to_ms=None if row.get("to_ms") is None else int(row["to_ms"]),
            announced_ms=None if row.get("announced_ms") is None else int(row["announced_ms"]),
            settle_price=None if row.get("settle_price") is None else Fraction(str(row["settle_price"])),
            units=Fraction(str(row.get("units") or units)),
            stem=row.get("stem") or stem,
            carried=bool(row.get("carried", False)),
        )
        for row in own
    ]


def contracts_of(
    files: Files, exchange: str, market: str, epochs: Sequence[Epoch], unit: Fraction
) -> list[Contract]:
    """Return the contracts of a market (`spot` or `perp`), oldest first, in units of `unit` coins each."""
    chains: list[list[Epoch]] = []
    for epoch in epochs:
        if epoch.carried and chains:
            chains[-1].append(epoch)
        else:
            chains.append([epoch])
    return [_contract(files, exchange, market, chain, unit) for chain in chains]


def _contract(files: Files, exchange: str, market: str, chain: list[Epoch], unit: Fraction) -> Contract:
    def owned(kind: str) -> list[tuple[Candle, Fraction]]:
        return [
            (candle, unit / epoch.units)
            for epoch in chain
            for candle in files.candles(exchange, epoch.stem, kind)
            if epoch.owns(candle.opens_at, candle.closes_at)
        ]

    is_perp = market == "perp"
    trades, marks = owned(market), owned("mark") if is_perp else []
    settlements = [
        record
        for epoch in chain
        if is_perp
        for record in files.funding(exchange, epoch.stem)
        if epoch.owns_settlement(record.t)
    ]
    contract = Contract(chain, unit, Series(trades), Series(marks) if marks else None, settlements)
    rows = [candle.opens_at for candle, _ in [*trades, *marks]] + [record.t for record in settlements]
    contract.first_row = min(rows, default=None)
    return contract
