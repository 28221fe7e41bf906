"""Sweeps whose trials ask for hedges that the store does not hold: refused as each trial would be."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from bot.config.hedge_checks import asks_for_hedges
from bot.config.run_config import RunConfig
from bot.errors import FieldError, InvalidInputError, UnknownExchangeError
from bot.hedges.window import covered_hedges
from bot.market.hedge_data import HedgeData, wanted_pairs
from bot.market_store.loading import load_hedges, resolve_exchange
from sweeps.spec.read_pairs import MARKETS
from sweeps.spec.spec import SweepSpec

_FEES = ("fee_tier", "fee_base_volume", "long_taker", "long_maker", "short_taker", "short_maker")
ASKING = (*MARKETS, "margin_model", "instrument")
"""Parameters by which a run asks for data that spot against a perp of one exchange does not."""
_ASKED = (
    *("exchange", "start", "end", "min_coverage", "borrow_rate_hourly", "fee_model"),
    *(*_FEES, *ASKING),
)
"""Parameters that the data which hedges ask for follow from; of a run of others nothing is asked here."""

_ASKED_WITHOUT_FEES = tuple(name for name in _ASKED if name not in _FEES)

_MOST_READ = 60
"""Most pairs of markets that are read, some 40 ms each, so that the answer comes while somebody types."""

Paths = Mapping[str, Mapping[str, Any]]


def refuse_missing_hedges(connection: sa.Connection, spec: SweepSpec, *, first: int = 0) -> None:
    """Raise InsufficientDataError if the store lacks what hedges of trials from number `first` on ask for.

    It names the fields at fault, with the words of a single run. Of very many windows the first are read;
    trials of the others are refused one by one. What parameters of a trial contradict each other about is
    left to the trial. Raises UnknownExchangeError and SealedError as well.
    """
    recorded_fees = "recorded" in spec.values_of("fee_model")
    if not (spec.asks_for_hedges or recorded_fees):
        return
    paths = {name: spec.written_values(name) for name in _ASKED}
    refused: list[InvalidInputError] = []
    held = _HeldHedges(connection)
    for config in _distinct(spec, first, _ASKED if recorded_fees else _ASKED_WITHOUT_FEES):
        if held.pairs_read > _MOST_READ:
            break
        try:
            held.check(config)
        except InvalidInputError as error:
            refused.append(error.renamed(partial(_written, config=config, paths=paths)))
    if refused:
        kind = type(refused[0])
        raise kind(list(dict.fromkeys(item for one in refused if type(one) is kind for item in one.errors)))


def refuse_missing_hedges_of(connection: sa.Connection, config: RunConfig) -> None:
    """Raise InsufficientDataError if the store lacks what the hedges of a run ask for.

    Raises UnknownExchangeError and SealedError as well.
    """
    if _reads_more(config):
        _HeldHedges(connection).check(config)


def _distinct(spec: SweepSpec, first: int, names: Sequence[str]) -> Iterator[RunConfig]:
    """Yield a run for each of the data that hedges of trials ask for by the parameters `names`."""
    known: set[tuple[Any, ...]] = set()
    for values in spec.space.combinations(names, first).values():
        config = spec.base_config.model_copy(update=values)
        fees = [getattr(config, name) for name in _FEES] if config.fee_model == "recorded" else []
        told = (getattr(config, name) for name in ("exchange", "start", "end", "min_coverage", *MARKETS))
        key = (*told, config.margin_model, config.borrow_rate_hourly is None, config.fee_model, *fees)
        if key not in known and config.start <= config.end and _reads_more(config):
            known.add(key)
            if _fits(config):
                yield config


def asks_for_hedge_data(config: RunConfig) -> bool:
    """Return whether a run asks for other data than spot against a perp of one exchange."""
    return any(asks_for_hedges(name, getattr(config, name)) for name in ASKING)


def _reads_more(config: RunConfig) -> bool:
    """Return whether a run reads other markets than its pairs, or what is recorded beside them."""
    return asks_for_hedge_data(config) or config.fee_model == "recorded"


def _fits(config: RunConfig) -> bool:
    """Return whether names and structure fit each other."""
    try:
        return bool(config.hedges)
    except InvalidInputError:
        return False


class _HeldHedges:
    """Data of hedges as they are read, those of the last window kept."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._key: tuple[Any, ...] | None = None
        self._data: HedgeData | None = None
        self.pairs_read = 0

    def check(self, config: RunConfig) -> None:
        """Raise InvalidInputError if the data of a run are not held."""
        exchange = config.resolved_exchange(partial(resolve_exchange, self._connection))
        for name in ("long_exchange", "short_exchange"):
            if getattr(config, name) is not None:
                self._check_exchange(name, getattr(config, name))
        covered_hedges(config, self._read(config, exchange))

    def _check_exchange(self, name: str, value: str) -> None:
        try:
            resolve_exchange(self._connection, value)
        except UnknownExchangeError as error:
            raise error.renamed(lambda item: FieldError(name, item.message)) from None

    def _read(self, config: RunConfig, exchange: str) -> HedgeData:
        named = config.model_copy(update={"exchange": exchange})
        wanted = wanted_pairs(named.hedges)
        key = exchange, frozenset(wanted), config.start, config.end
        if self._data is None or key != self._key:
            self._data = load_hedges(self._connection, exchange, wanted, config.end, config.start)
            self._key, self.pairs_read = key, self.pairs_read + len(wanted)
        return self._data


def _written(item: FieldError, config: RunConfig, paths: Paths) -> FieldError:
    """Return an error about a parameter of a run with the path at which the sweep has its value."""
    written = paths.get(item.field, {})
    found = [path for path, value in written.items() if value == getattr(config, item.field)]
    return FieldError(found[0] if found else item.field, item.message)
