"""Runs of either engine: the window that a run asks for, and its replay over it.

Spot against a linear perp of one exchange, at the defaults of all other parameters and without recorded lives
of its markets, is replayed by the engine that was made for it, everything else as hedges. The engine of
hedges is loaded by the first run that needs it: a short run takes a tenth longer with it.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, Union

from bot.backtest import (
    Baselines,
    ReplayWindow,
    RunExplanation,
    RunResult,
    blocked_entries,
    explain,
    replay,
    replays,
)
from bot.backtest.baseline import FinishedRun
from bot.config.hedge_checks import needs_hedge_engine
from bot.config.run_config import RunConfig
from bot.errors import FieldError, UnknownExchangeError
from bot.market.hedge_data import HedgeData, PairKey, wanted_pairs
from bot.market.records.kinds import RecordKind
from bot.market.records.recorded_fees import kinds_read
from bot.market.series import MarketData
from bot.strategies.gates import GateReport

if TYPE_CHECKING:
    from bot.hedges.journal.records import Journal
    from bot.hedges.result import HedgeRun
    from bot.hedges.window import HedgeWindow

AnyWindow: TypeAlias = Union[ReplayWindow, "HedgeWindow"]
AnyRun: TypeAlias = Union[RunResult, "HedgeRun"]

OTHER_ENGINE = "a run is explained over a window of its own engine"


class MarketStore(Protocol):
    """Source of recorded history."""

    def load(
        self,
        exchange: str | None,
        symbols: tuple[str, ...],
        end_ms: int,
        start_ms: int | None = None,
        *,
        beyond_seals: bool = False,
        reads: Collection[RecordKind] = (),
    ) -> MarketData:
        """Return the history of `symbols` visible at `end_ms`, in timeframes that suit the window.

        Of what is recorded beside it the kinds in `reads` come along. Sealed days are refused, unless it is
        the look at a holdout (`beyond_seals`).
        """

    def load_hedges(
        self,
        exchange: str,
        wanted: Collection[PairKey],
        end_ms: int,
        start_ms: int | None = None,
        *,
        beyond_seals: bool = False,
    ) -> HedgeData:
        """Return what is held up to `end_ms` of pairs of several exchanges; `exchange` is the run's own.

        Sealed days are refused as `load` does.
        """

    def resolve_exchange(self, exchange: str | None) -> str:
        """Return the data set meant: the one named, or else the only one held."""


def load_window(config: RunConfig, store: MarketStore, *, beyond_seals: bool = False) -> AnyWindow:
    """Return the window that a run asks for, in sealed days only for the look at a holdout.

    Raises: BotError where the store does not hold what it reads.
    """
    named, data = load_data(config, store, beyond_seals=beyond_seals)
    if isinstance(data, MarketData):
        return ReplayWindow.build(named, data)
    from bot.hedges.window import HedgeWindow

    return HedgeWindow.build(named, data)


def load_data(
    config: RunConfig, store: MarketStore, *, beyond_seals: bool = False
) -> tuple[RunConfig, MarketData | HedgeData]:
    """Return the data that a run reads, and its configuration; of hedges with the exchange named."""
    if not needs_hedge_engine(config):
        held = store.load(
            config.exchange,
            config.symbols,
            config.end,
            config.start,
            beyond_seals=beyond_seals,
            reads=kinds_read(config),
        )
        if not held.has_lives:
            return config, held
    named = config.model_copy(update={"exchange": config.resolved_exchange(store.resolve_exchange)})
    for name in ("long_exchange", "short_exchange"):
        if getattr(config, name) is not None:
            _check_exchange(store, name, getattr(config, name))
    wanted = wanted_pairs(named.hedges)
    data = store.load_hedges(str(named.exchange), wanted, config.end, config.start, beyond_seals=beyond_seals)
    return named, data


def names_of(config: RunConfig) -> tuple[str, ...]:
    """Return the names of what a run trades, as its trades are called: pairs, or hedges."""
    return tuple(hedge.name for hedge in config.hedges) if needs_hedge_engine(config) else config.symbols


def _check_exchange(store: MarketStore, name: str, exchange: str) -> None:
    try:
        store.resolve_exchange(exchange)
    except UnknownExchangeError as error:
        raise error.renamed(lambda item: FieldError(name, item.message)) from None


def replay_run(config: RunConfig, window: AnyWindow) -> AnyRun:
    """Return the run of `config` over a window built for it."""
    if isinstance(window, ReplayWindow):
        return replay(config, window)
    from bot.hedges.engine import replay_hedges

    return replay_hedges(config, window)


def replay_explained(config: RunConfig, window: AnyWindow) -> tuple[AnyRun, "Journal | None"]:
    """Return the run of `replay_run`, of hedges with its journal."""
    if isinstance(window, ReplayWindow):
        return replay(config, window), None
    from bot.hedges.engine import replay_with_journal

    return replay_with_journal(config, window)


def replay_runs(configs: Sequence[RunConfig], window: AnyWindow) -> Iterator[AnyRun]:
    """Yield `replay_run` of each of `configs`."""
    if isinstance(window, ReplayWindow):
        yield from replays(configs, window)
    else:
        from bot.hedges.engine import hedge_replays

        yield from hedge_replays(configs, window)


def baselines_of(window: AnyWindow) -> Baselines:
    """Return the hold baselines of a window."""
    if isinstance(window, ReplayWindow):
        return Baselines(window, replays)
    from bot.hedges.engine import hedge_replays

    return Baselines(window, hedge_replays)


def blocked_of(result: FinishedRun, window: AnyWindow) -> list[GateReport]:
    """Return the entry blockers of what a run did not hold, the most frequent first."""
    if isinstance(window, ReplayWindow):
        if not isinstance(result, RunResult):
            raise TypeError(OTHER_ENGINE)
        return blocked_entries(result, window)
    from bot.hedges.blockers import blocked_hedges
    from bot.hedges.result import HedgeRun

    if not isinstance(result, HedgeRun):
        raise TypeError(OTHER_ENGINE)
    return blocked_hedges(result, window)


def explain_run(result: AnyRun, window: AnyWindow, baselines: Baselines) -> RunExplanation:
    """Return the explanation of a run over a window built for it."""
    if isinstance(window, ReplayWindow) and isinstance(result, RunResult):
        return explain(result, window, baselines)
    blocked = () if result.trades else tuple(blocked_of(result, window))
    return RunExplanation(baselines.of(result.config), baselines.compare(result), blocked)
