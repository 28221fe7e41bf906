"""Costs of orders leg by leg: fee rates, flat or recorded, and fills with slippage and market impact."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from bot.config.run_config import RunConfig
from bot.errors import InsufficientDataError
from bot.hedges.arithmetic import root
from bot.hedges.markets import LegMarket
from bot.market.records.fee_rows import FeeTable
from bot.market.records.recorded_fees import fee_row
from bot.models import DAY_MS, CloseReason, Leg
from bot.numbers.money import ONE, ZERO

_VOLUME_MS = 30 * DAY_MS


class OrderCosts:
    """Fee rates and fills of the orders of one account.

    `fills` are the notionals that count towards tiers with their times, by exchange and kind of market; an
    account `counts` them if its fees are recorded ones.

    Source: docs/domain.md, section 4.
    """

    def __init__(self, config: RunConfig, schedules: Mapping[str, FeeTable | None]) -> None:
        self._own = {
            (True, False): config.long_taker,
            (True, True): config.long_maker,
            (False, False): config.short_taker,
            (False, True): config.short_maker,
        }
        self._flat = {
            ("spot", False): config.spot_taker,
            ("spot", True): config.spot_maker,
            ("perp", False): config.perp_taker,
            ("perp", True): config.perp_maker,
        }
        self._schedules = schedules
        self._recorded = self.counts = config.fee_model == "recorded"
        self._tier, self._base_volume = config.fee_tier, config.fee_base_volume
        self.fills: dict[tuple[str, str], list[tuple[int, Decimal]]] = defaultdict(list)
        self._slippage = config.slippage
        self._maker_slippage = config.maker_slippage_bps.scaleb(-4)
        self._impact = config.impact_bps.scaleb(-4)
        self._style = config.style
        share = ONE if config.max_participation is None else config.max_participation
        self._assumed = {maker: self.adverse(share, ONE, maker=maker) for maker in (False, True)}

    def opens_as_maker(self, leg: LegMarket) -> bool:
        """Return whether a leg is opened by a maker order."""
        return self._style.opens(_styled(leg))

    def closes_as_maker(self, leg: LegMarket, reason: CloseReason) -> bool:
        """Return whether a leg is closed by a maker order when its hedge ends for a reason."""
        return self._style.closes(_styled(leg), reason)

    def fee_rate(self, leg: LegMarket, t_ms: int, *, maker: bool) -> Decimal:
        """Return the fee rate of a fill, a fraction of its notional; negative is a rebate.

        Raises: InsufficientDataError without a recorded rate.
        """
        own = self._own[leg.side > 0, maker]
        if own is not None:
            return own
        if not self._recorded:
            return self._flat["perp" if leg.kind.is_perp else "spot", maker]
        table, market = self._schedules.get(leg.exchange), leg.kind.fee_market
        if table is None:
            raise InsufficientDataError.of(
                "fee_model", f"no fee schedule of {leg.exchange} is held (fees.json)"
            )
        row = fee_row(table, market, self._tier, self._base_volume + self._traded(leg, t_ms), t_ms)
        return row.maker if maker else row.taker

    def note(self, leg: LegMarket, t_ms: int, notional: Decimal) -> None:
        """Count the booked notional of a fill of the account."""
        if self.counts:
            insort(self.fills[leg.exchange, leg.kind.fee_market], (t_ms, notional))

    def adverse(self, quantity: Decimal, volume: Decimal, *, maker: bool) -> Decimal:
        """Return how far a fill moves against the account, of a quantity among a day's volume.

        It is a share of 1 at most, and 1 of no volume.
        """
        if maker:
            return self._maker_slippage
        if not self._impact:
            return self._slippage
        return self._slippage + self._impact * (root(quantity, volume) if quantity < volume else ONE)

    def assumed_adverse(self, leg: LegMarket) -> Decimal:
        """Return how far an entry moves against the account at the largest share that is allowed."""
        return self._assumed[self.opens_as_maker(leg)]

    def leaving(self, leg: LegMarket, t_ms: int) -> Decimal:
        """Return fee and slippage of closing a leg on a signal, per unit of notional, without impact."""
        maker = self.closes_as_maker(leg, CloseReason.SIGNAL)
        return self.fee_rate(leg, t_ms, maker=maker) + (self._maker_slippage if maker else self._slippage)

    def _traded(self, leg: LegMarket, t_ms: int) -> Decimal:
        fills = self.fills[leg.exchange, leg.kind.fee_market]
        first, end = (bisect_left(fills, (moment,)) for moment in (t_ms - _VOLUME_MS, t_ms))
        return sum((notional for _, notional in fills[first:end]), ZERO)


def _styled(leg: LegMarket) -> Leg:
    """Return what a leg is to an order style, which knows the long leg as spot and the short one as perp."""
    return Leg.SPOT if leg.side > 0 else Leg.PERP


def fill_price(price: Decimal, adverse: Decimal, *, buys: bool) -> Decimal:
    """Return the fill of an order, not rounded."""
    return price * (ONE + adverse if buys else ONE - adverse)
