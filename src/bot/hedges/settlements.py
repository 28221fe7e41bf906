"""Settlements of the hedges of a window: what is known of each whatever the parameters of a run."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from bot.hedges.contracts import Contract
from bot.hedges.markets import Carry, HedgeMarket, Pair
from bot.models import FundingRate, Instrument, SettlementView, Ticker


class Settlement:
    """A hedge that settles at `t_ms` while both legs have a contract. Read it inside `exact_products()`.

    `carry` is None where it has none, `age_ms` the age of the older of both prices, None before the first.
    `begun_ms` is when the younger contract began, `end_announced` whether an end of one is known.
    `begins` is True if the history of its perp legs is another than that of the settlement before.
    """

    def __init__(self, market: HedgeMarket, pair: Pair, t_ms: int, before: "Settlement | None") -> None:
        self.name = market.name
        self.pair = pair
        self.t_ms = t_ms
        self.carry = market.carry(pair, t_ms)
        ages = [contract.trades.age_ms(t_ms) for contract in pair]
        self.age_ms = None if None in ages else max(age for age in ages if age is not None)
        self.begun_ms = max(contract.from_ms for contract in pair)
        self.end_announced = any(contract.end_announced(t_ms) for contract in pair)
        self.begins = before is None or not market.is_same_history(before.pair, pair)
        self._after_ms = -1 if before is None or self.begins else before.t_ms
        self._market = market

    @property
    def funding(self) -> FundingRate | None:
        """The carry as a funding rate of the hedge, None where it has none."""
        return None if self.carry is None else _funding(self.name, self.carry, self.t_ms)

    def decides(self, max_age_ms: Decimal) -> bool:
        """Return whether it has a carry, and prices no older than that."""
        return self.carry is not None and self.age_ms is not None and self.age_ms <= max_age_ms

    def pays(self, rate_8h: Decimal | None) -> bool:
        """Return whether it has a carry, at or above a rate per 8 hours unless that is None."""
        return self.carry is not None and (rate_8h is None or self.carry.rate_8h >= rate_8h)

    @cached_property
    def observed(self) -> tuple[FundingRate, ...]:
        """The history since the settlement before, or all of it where it begins, oldest first."""
        times = self._market.settled_until(self.pair, self._after_ms, self.t_ms)
        carries = ((at_ms, self._market.carry(self.pair, at_ms)) for at_ms in times)
        return tuple(_funding(self.name, carry, at_ms) for at_ms, carry in carries if carry is not None)

    @cached_property
    def views(self) -> tuple[SettlementView, ...]:
        """The hedge as a strategy is handed it, with the volumes of each of its perp legs."""
        market, pair, t_ms = self._market, self.pair, self.t_ms
        if self.carry is None:
            raise ValueError(f"{self.name} has no carry at {t_ms}")
        funding = _funding(self.name, self.carry, t_ms)
        long, short = pair.long.known_price(t_ms), pair.short.known_price(t_ms)
        rules = Instrument(spot_active=market.spot_active)
        found = []
        for leg, contract in zip(market.legs, pair, strict=True):
            if leg.kind.is_perp:
                prices = long, short, contract.mark(t_ms)
                volume = contract.day_turnover(t_ms)
                ticker = Ticker(self.name, t_ms, *prices, fresh=True, volume_24h=volume)
                found.append(SettlementView(funding, ticker, rules, _Volumes(contract, t_ms)))
        return tuple(found)


class Settlements:
    """Settlements of hedges by event. Make it inside `exact_products()`."""

    def __init__(self, markets: Iterable[HedgeMarket], events: Iterable[int]) -> None:
        times = set(events)
        self._at: dict[int, list[Settlement]] = {}
        for market in markets:
            before = None
            for t_ms in sorted(times.intersection(market.settled_ms)):
                pair = market.contracts_at(t_ms)
                if pair is not None and market.settles(t_ms):
                    before = Settlement(market, pair, t_ms, before)
                    self._at.setdefault(t_ms, []).append(before)

    def __iter__(self) -> Iterator[Settlement]:
        """Yield all of them, event by event."""
        for t_ms in sorted(self._at):
            yield from self._at[t_ms]

    def at(self, t_ms: int) -> Sequence[Settlement]:
        """Return those at an event, in the order of the hedges."""
        return self._at.get(t_ms, ())


class _Volumes(NamedTuple):
    """Volumes of a contract as of a moment."""

    contract: Contract
    t_ms: int

    def base_volume(self, newest: int, skip: int) -> Decimal | None:
        """Return the volume of `newest` closed candles before the `skip` newest, None if fewer."""
        return self.contract.base_volume(self.t_ms, newest, skip)


def _funding(name: str, carry: Carry, t_ms: int) -> FundingRate:
    return FundingRate(name, t_ms, carry.rate, carry.interval_hours, None, carry.rate_8h)
