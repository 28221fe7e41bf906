"""Fees by the schedules that an exchange published, at the tier that an account has reached."""

from bisect import bisect_left, insort
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from bot.accounting import formulas
from bot.accounting.fees import FeeModel
from bot.config.parameters import AccountParameters
from bot.errors import InsufficientDataError
from bot.market.records.fee_rows import AUTO, FeeRow, FeeTable
from bot.market.records.kinds import RecordKind
from bot.models import DAY_MS, Leg
from bot.notation import quoted
from bot.numbers.money import ZERO
from bot.timestamps import iso

_VOLUME_MS = 30 * DAY_MS
_MARKETS = {Leg.SPOT: "spot", Leg.PERP: "linear"}


def kinds_read(config: AccountParameters) -> frozenset[RecordKind]:
    """Return the kinds of recorded rows that a run reads."""
    return kinds_of(config.fee_model)


def kinds_of(*fee_models: str) -> frozenset[RecordKind]:
    """Return the kinds of recorded rows that runs under these fee models read."""
    return frozenset({RecordKind.FEES} if "recorded" in fee_models else ())


class RecordedFees(FeeModel):
    """Fee rates of one account by recorded schedules; rates of `own` stand above them where they are set.

    `tier` is a name, or `auto`: that of `base_volume` and the notionals of the account's own fills in the 30
    days before, by kind of market.

    Source: docs/domain.md, section 4.
    """

    __slots__ = ("_base_volume", "_fills", "_own", "_table", "_tier")
    varies: ClassVar[bool] = True

    def __init__(
        self, table: FeeTable, tier: str, base_volume: Decimal, own: Mapping[tuple[Leg, bool], Decimal | None]
    ) -> None:
        self._table = table
        self._tier = tier
        self._base_volume = base_volume
        self._own = own
        self._fills: dict[Leg, list[tuple[int, Decimal]]] = {leg: [] for leg in Leg}

    def rate(self, leg: Leg, *, maker: bool, t_ms: int) -> Decimal:
        """Return the rate of a fill of `leg` at `t_ms`; raises InsufficientDataError without a schedule."""
        own = self._own[leg, maker]
        if own is not None:
            return own
        row = self._row(leg, t_ms)
        return row.maker if maker else row.taker

    def note(self, leg: Leg, quantity: Decimal, fill_price: Decimal, t_ms: int) -> None:
        """Count a fill of the account."""
        insort(self._fills[leg], (t_ms, formulas.notional(quantity, fill_price)))

    def check(self, start_ms: int, end_ms: int) -> None:
        """Check that both legs have a rate at any moment of a window.

        Raises: InsufficientDataError naming `fee_tier`.
        """
        for leg, market in _MARKETS.items():
            if None in (self._own[leg, False], self._own[leg, True]):
                check_fee_rows(self._table, market, self._tier, self._base_volume, start_ms, end_ms)

    def _row(self, leg: Leg, t_ms: int) -> FeeRow:
        return fee_row(
            self._table, _MARKETS[leg], self._tier, self._base_volume + self._traded(leg, t_ms), t_ms
        )

    def _traded(self, leg: Leg, t_ms: int) -> Decimal:
        """Return the booked notionals of fills in the 30 days before `t_ms`."""
        fills = self._fills[leg]
        first, end = (bisect_left(fills, (moment,)) for moment in (t_ms - _VOLUME_MS, t_ms))
        return sum((notional for _, notional in fills[first:end]), ZERO)


def fee_row(table: FeeTable, market: str, tier: str, volume: Decimal, t_ms: int) -> FeeRow:
    """Return the row in force of a kind of market: of a named tier, or under `auto` that of a volume traded.

    Raises: InsufficientDataError naming `fee_tier` without one.
    """
    row = table.of_volume(market, volume, t_ms) if tier == AUTO else table.of_tier(market, tier, t_ms)
    if row is None:
        raise InsufficientDataError.of(
            "fee_tier", f"no {market} fee row of tier {quoted(tier)} is in force at {iso(t_ms)}"
        )
    return row


def check_fee_rows(
    table: FeeTable, market: str, tier: str, base_volume: Decimal, start_ms: int, end_ms: int
) -> None:
    """Check that a kind of market has a row at any moment of a window; raises as `fee_row` does."""
    for t_ms in (start_ms, *table.changes(market)):
        if start_ms <= t_ms <= end_ms:
            fee_row(table, market, tier, base_volume, t_ms)


def recorded_fees(config: AccountParameters, table: FeeTable | None) -> RecordedFees:
    """Return the fees of an account by recorded schedules that reach over its window.

    Raises: InsufficientDataError naming `fee_model` or `fee_tier`.
    """
    if table is None:
        raise InsufficientDataError.of("fee_model", "no fee schedule of the exchange is held (fees.json)")
    fees = RecordedFees(table, config.fee_tier, config.fee_base_volume, config.own_fees)
    fees.check(config.start, config.end)
    return fees
