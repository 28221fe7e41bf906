"""Pairs of markets that trials of a sweep read, on one exchange or on several."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.config.hedge_checks import asks_for_hedges
from bot.config.run_config import RunConfig
from bot.errors import InvalidInputError
from bot.market.hedge_data import wanted_pairs
from bot.market.hedge_names import Market

MARKETS = ("symbols", "structure", "long_exchange", "short_exchange")
"""Parameters that decide, beside the exchange, which markets hedges are made of."""

Pair = tuple[str | None, str]
"""Exchange and perp symbol of a pair; None stands for the only exchange held."""


@dataclass(frozen=True, slots=True)
class ReadPairs:
    """Pairs that trials read, in order of appearance, and those of them whose perp they trade."""

    pairs: tuple[Pair, ...]
    perps: frozenset[Pair]

    @classmethod
    def of(cls, configs: Iterable[RunConfig]) -> "ReadPairs":
        """Return the pairs of runs, of which the markets are known at least.

        Those whose names and structure contradict each other read none.
        """
        pairs: dict[Pair, None] = {}
        perps: set[Pair] = set()
        for config in configs:
            if not any(asks_for_hedges(name, getattr(config, name)) for name in MARKETS):
                own = [(config.exchange, symbol) for symbol in config.symbols]
                pairs.update(dict.fromkeys(own))
                perps.update(own)
                continue
            try:
                hedges = config.hedges
            except InvalidInputError:
                continue
            pairs.update(dict.fromkeys((one or None, symbol) for one, symbol in sorted(wanted_pairs(hedges))))
            perps.update(_pair(leg) for hedge in hedges for leg in hedge.perps)
        return cls(tuple(pairs), frozenset(perps))


def _pair(market: Market) -> Pair:
    return market.exchange or None, market.pair


def exchanges_read(config: RunConfig) -> tuple[str | None, ...]:
    """Return the exchanges whose data a run reads, its own first."""
    read = (exchange for exchange, _ in ReadPairs.of([config]).pairs)
    return tuple(dict.fromkeys((config.exchange, *read)))
