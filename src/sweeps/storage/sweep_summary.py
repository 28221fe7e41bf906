"""Summary of a sweep for lists and pages, kept beside it, so that no list compiles a search space."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.config.run_config import load_json
from bot.config.strategy_registry import strategy_plugin
from bot.errors import InvalidInputError
from bot.market.records.kinds import RecordKind
from bot.numbers.money import plain
from bot.selection.guard import Guard
from bot.selection.settings import USUAL
from sweeps.errors import UnreadableSweepError
from sweeps.spec.read_pairs import Pair
from sweeps.spec.spec import SweepSpec
from sweeps.spec.spec_fields import Curves, Objective, Validation


class SweepSummary(BaseModel):
    """The summary of a sweep: objective, data it reads, strategies, names of its axes.

    `start_ms` and `end_ms` are the earliest start and the latest end of any trial; `initial_capital` is None
    where it varies. `ends_dead` says that every trial closes at the end of a contract what it holds of it.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    objective: Objective
    read_symbols: tuple[str, ...]
    read_exchanges: tuple[str | None, ...]
    start_ms: int
    end_ms: int
    strategies: tuple[str, ...]
    initial_capital: str | None
    axes: tuple[str, ...]
    ends_dead: bool = False
    read_kinds: tuple[RecordKind, ...] = ()
    read_pairs: tuple[Pair, ...] = ()
    """Pairs of markets, none where they are all symbols on all exchanges."""

    @classmethod
    def of(cls, spec: SweepSpec) -> "SweepSummary":
        """Return the summary of a compiled sweep."""
        start_ms, end_ms = spec.window()
        axes = tuple(axis.name for axis in spec.axes)
        usual = {*product(spec.exchanges(), spec.symbols())}
        capital = None if "initial_capital" in axes else plain(spec.base_config.initial_capital)
        return cls(
            name=spec.name,
            objective=spec.objective,
            read_symbols=spec.symbols(),
            read_exchanges=spec.exchanges(),
            start_ms=start_ms,
            end_ms=end_ms,
            strategies=spec.strategies(),
            initial_capital=capital,
            axes=axes,
            ends_dead=all(spec.values_of("end_dead_markets")),
            read_kinds=tuple(sorted(spec.reads())),
            read_pairs=() if {*spec.pairs()} == usual else spec.pairs(),
        )

    @classmethod
    def of_text(cls, text: str) -> "SweepSummary":
        """Return the summary kept as JSON; raises UnreadableSweepError if a strategy is not installed."""
        summary = cls.model_validate_json(text)
        _require_installed(summary.strategies)
        return summary

    def symbols(self) -> tuple[str, ...]:
        """Return every symbol that some trial trades."""
        return self.read_symbols

    def exchanges(self) -> tuple[str | None, ...]:
        """Return the data sets that trials read; None stands for the only one held."""
        return self.read_exchanges

    def pairs(self) -> tuple[Pair, ...]:
        """Return the pairs of markets that trials read, under their exchanges."""
        return self.read_pairs or tuple(product(self.read_exchanges, self.read_symbols))

    def reads(self) -> frozenset[RecordKind]:
        """Return the kinds of recorded rows beside candles and funding that some trial reads."""
        return frozenset(self.read_kinds)

    def window(self) -> tuple[int, int]:
        """Return the earliest start and the latest end of any trial, ms UTC."""
        return self.start_ms, self.end_ms


@dataclass(frozen=True, slots=True)
class StoredRanking:
    """Objective of a sweep, the trials that keep their curves, and how its selection is judged."""

    objective: Objective
    curves: Curves
    validation: Validation

    @property
    def guard(self) -> Guard:
        """Guard that decides which trials are eligible."""
        return Guard.of(self.validation)


class _Ranking(BaseModel):
    objective: Objective
    curves: Curves
    validation: Validation = USUAL


@lru_cache(maxsize=64)
def stored_ranking(text: str) -> StoredRanking:
    """Return objective, curves and validation of the sweep stored as `text`, without its space.

    Raises: UnreadableSweepError if this installation does not know them.
    """
    try:
        found = _Ranking.model_validate(load_json(text))
    except (ValidationError, InvalidInputError) as error:
        raise UnreadableSweepError(f"this installation cannot read the sweep: {error}") from None
    return StoredRanking(found.objective, found.curves, found.validation)


def _require_installed(strategies: Sequence[str]) -> None:
    try:
        for name in strategies:
            strategy_plugin(name)
    except InvalidInputError as error:
        raise UnreadableSweepError(f"this installation cannot read the sweep: {error.message}") from None
