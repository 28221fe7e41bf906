"""Recorded life of a market: epochs of its names and units, and the contracts that they make up."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from bot.errors import DataImportError
from bot.market.records.dated import DatedRows
from bot.market.records.fields import (
    RecordRefusedError,
    Values,
    beginning_ms,
    given,
    number_or_none,
    refuse_unknown_fields,
    time_or_none,
)
from bot.market.rules import RowRefusedError
from bot.market.symbols import market_symbol
from bot.notation import quoted
from bot.numbers.money import ONE, exact, plain

FIELDS = (
    "market",
    "from_ms",
    "to_ms",
    "announced_ms",
    "settle_price",
    "units",
    "stem",
    "carried",
)
MARKETS = ("perp", "spot")
_TRUTHS: dict[object, bool] = {None: False, False: False, True: True}


class Epoch(NamedTuple):
    """Epoch [from_ms, to_ms) of a market under one name and one number of coins in a unit.

    `to_ms` None: for ever. `units` None: not recorded. `stem` None: the market's own name. A `carried` epoch
    continues the contract of the one before. `announced_ms` is when the end became known, `settle_price` the
    price that the exchange settles a perp at.
    """

    market: str
    from_ms: int
    to_ms: int | None = None
    announced_ms: int | None = None
    settle_price: Decimal | None = None
    units: Decimal | None = None
    stem: str | None = None
    carried: bool = False

    def owns_settlement(self, t_ms: int) -> bool:
        """Return whether a settlement belongs to the epoch."""
        return self.from_ms <= t_ms and (self.to_ms is None or t_ms < self.to_ms)

    def factor(self, units: Decimal) -> Decimal:
        """Return what turns a price of the epoch into one of `units` coins: a power of ten."""
        with exact():
            return units / (ONE if self.units is None else self.units)


class RecordedContract(NamedTuple):
    """Contract of a market: its epochs, of which all but the first are carried."""

    epochs: tuple[Epoch, ...]

    @property
    def from_ms(self) -> int:
        """Return when it began: its age counts from there."""
        return self.epochs[0].from_ms

    @property
    def to_ms(self) -> int | None:
        """Return when it ends, None for never."""
        return self.epochs[-1].to_ms

    @property
    def settle_price(self) -> Decimal | None:
        """Return the price at which the exchange settles it, None where that is not recorded."""
        return self.epochs[-1].settle_price

    @property
    def units(self) -> Decimal | None:
        """Return the coins in one unit in its last epoch, None where that is not recorded."""
        return self.epochs[-1].units

    def end_announced(self, t_ms: int) -> bool:
        """Return whether its end is known at a time."""
        announced_ms = self.epochs[-1].announced_ms
        return announced_ms is not None and announced_ms <= t_ms


class ContractLife:
    """Contracts of one market (`perp` or `spot` of a pair), ascending; between two there may be none.

    Source: docs/domain.md, section 13.
    """

    __slots__ = ("_begun", "contracts", "epochs")

    def __init__(self, epochs: Iterable[Epoch]) -> None:
        self.epochs = tuple(epochs)
        self.contracts = _contracts(self.epochs)
        self._begun = DatedRows(self.epochs)

    def tells_more_than(self, first_ms: int) -> bool:
        """Return False for one contract for ever whose rows, from `first_ms` on, are all its own."""
        [first, *others] = self.epochs
        named = first.stem is not None or first.units is not None
        return bool(others) or named or first.to_ms is not None or first.from_ms > first_ms

    def epoch_at(self, t_ms: int) -> Epoch | None:
        """Return the epoch at a time, None between contracts and outside them."""
        found = self._begun.in_force(t_ms)
        return found if found is not None and found.owns_settlement(t_ms) else None

    def contract_at(self, t_ms: int) -> RecordedContract | None:
        """Return the contract that lives at a time, None if none does."""
        epoch = self.epoch_at(t_ms)
        return None if epoch is None else next(one for one in self.contracts if epoch in one.epochs)


def lives(epochs: Sequence[Epoch]) -> dict[str, ContractLife]:
    """Return the life of each market that is recorded."""
    found = {market: [one for one in epochs if one.market == market] for market in MARKETS}
    return {market: ContractLife(of_market) for market, of_market in found.items() if of_market}


def parse_epoch(values: object) -> Epoch:
    """Return a row of a file; raises RowRefusedError naming field and value."""
    row = refuse_unknown_fields(values, FIELDS)
    market, carried = given(row, "market") or MARKETS[0], row.get("carried")
    if market not in MARKETS:
        raise RowRefusedError(f"market {quoted(market)} is none of {', '.join(MARKETS)}")
    if not isinstance(carried, bool | None):
        raise RowRefusedError(f"carried {quoted(carried)} is neither true nor false")
    epoch = Epoch(
        market=market,
        from_ms=beginning_ms(row, "from_ms"),
        to_ms=time_or_none(row, "to_ms"),
        announced_ms=time_or_none(row, "announced_ms"),
        settle_price=number_or_none(row, "settle_price"),
        units=number_or_none(row, "units"),
        stem=_stem(given(row, "stem")),
        carried=_TRUTHS[carried],
    )
    _check(epoch)
    return epoch


def check_life(rows: Sequence[Epoch]) -> None:
    """Check that the epochs of each market follow each other; raises RecordRefusedError."""
    before: dict[str, Epoch] = {}
    for row, epoch in enumerate(rows):
        last = before.get(epoch.market)
        fault = _fault_after(last, epoch)
        if fault is not None:
            raise RecordRefusedError(row, fault)
        before[epoch.market] = epoch


def epoch_document(epoch: Epoch) -> Values:
    """Return a row as `parse_epoch` reads it, one text for each number; what is not recorded is left out."""
    values = {
        "market": epoch.market,
        "from_ms": str(epoch.from_ms),
        "to_ms": None if epoch.to_ms is None else str(epoch.to_ms),
        "announced_ms": None if epoch.announced_ms is None else str(epoch.announced_ms),
        "settle_price": None if epoch.settle_price is None else plain(epoch.settle_price),
        "units": None if epoch.units is None else plain(epoch.units),
        "stem": epoch.stem,
        "carried": True if epoch.carried else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _contracts(epochs: Iterable[Epoch]) -> tuple[RecordedContract, ...]:
    found: list[list[Epoch]] = []
    for epoch in epochs:
        if epoch.carried:
            found[-1].append(epoch)
        else:
            found.append([epoch])
    return tuple(RecordedContract(tuple(of_contract)) for of_contract in found)


def _check(epoch: Epoch) -> None:
    if epoch.to_ms is not None and epoch.to_ms <= epoch.from_ms:
        raise RowRefusedError(f"to_ms {epoch.to_ms} is not after from_ms {epoch.from_ms}")
    for name in ("announced_ms", "settle_price"):
        if epoch.to_ms is None and getattr(epoch, name) is not None:
            raise RowRefusedError(f"{name} {getattr(epoch, name)} belongs to an end, but there is no to_ms")
    if epoch.announced_ms is not None and epoch.to_ms is not None and epoch.announced_ms > epoch.to_ms:
        raise RowRefusedError(f"announced_ms {epoch.announced_ms} is after to_ms {epoch.to_ms}")
    if epoch.settle_price is not None and epoch.settle_price <= 0:
        raise RowRefusedError(f"settle_price {plain(epoch.settle_price)} is not positive")
    if epoch.units is not None and epoch.units != ONE.scaleb(epoch.units.adjusted()):
        raise RowRefusedError(f"units {plain(epoch.units)} is no power of ten")


def _fault_after(last: Epoch | None, epoch: Epoch) -> str | None:
    """Return what keeps an epoch from following the one before it, None if nothing does."""
    if last is None:
        return f"carried true of the first {epoch.market} epoch continues nothing" if epoch.carried else None
    if last.to_ms is None:
        return f"from_ms {epoch.from_ms} follows an epoch of {epoch.market} without to_ms, which never ends"
    if epoch.from_ms < last.to_ms:
        return f"from_ms {epoch.from_ms} overlaps the epoch before, which ends at to_ms {last.to_ms}"
    if epoch.carried and epoch.from_ms != last.to_ms:
        return f"from_ms {epoch.from_ms} leaves a gap after to_ms {last.to_ms}, but carried is true"
    return None


def _stem(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        market_symbol(text)
    except DataImportError as error:
        raise RowRefusedError(f"stem {quoted(text)}: {error.message}") from None
    return text
