"""Runs of either engine: the window that a run asks for, and its replay over it.

Spot against a linear perp of one exchange, at the defaults of all other parameters and without recorded lives
of its markets, is replayed by the engine that was made for it, everything else as hedges.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from bot.backtest import Baselines, ReplayWindow, RunExplanation, RunResult, explain, replay, replays
from bot.backtest.probe import ProbeReport, probe
from bot.config.hedge_checks import needs_hedge_engine
from bot.config.run_config import RunConfig
from bot.errors import NotForHedgesError
from bot.hedges.blockers import blocked_hedges
from bot.hedges.engine import hedge_replays, replay_hedges
from bot.hedges.probe import probe_hedges
from bot.hedges.result import HedgeRun
from bot.hedges.window import HedgeWindow
from bot.market.hedge_data import HedgeData, PairKey, wanted_pairs
from bot.market.records.kinds import RecordKind
from bot.market.records.recorded_fees import kinds_read
from bot.market.series import MarketData

AnyWindow = ReplayWindow | HedgeWindow
AnyRun = RunResult | HedgeRun


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
    named, data = _load(config, store, beyond_seals=beyond_seals)
    return HedgeWindow.build(named, data) if isinstance(data, HedgeData) else ReplayWindow.build(named, data)


def probe_run(config: RunConfig, store: MarketStore, *, cuts: int = 8, seed: int = 0) -> ProbeReport:
    """Return the findings of the look-ahead probe at so many drawn moments of a run.

    Raises: BotError where the store does not hold what the run reads.
    """
    named, data = _load(config, store)
    if isinstance(data, HedgeData):
        return probe_hedges(named, data, cuts=cuts, seed=seed)
    return probe(named, data, cuts=cuts, seed=seed)


def _load(
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
    named = config.model_copy(update={"exchange": store.resolve_exchange(config.exchange)})
    wanted = wanted_pairs(named.hedges)
    data = store.load_hedges(str(named.exchange), wanted, config.end, config.start, beyond_seals=beyond_seals)
    return named, data


def pairs_only(window: AnyWindow, name: str) -> ReplayWindow:
    """Return a window of spot against perps, for something of this `name` that is told of those alone.

    Raises: NotForHedgesError for a window of hedges.
    """
    if isinstance(window, HedgeWindow):
        raise NotForHedgesError(f"{name}: not told of hedges yet, only of spot against a perp at defaults")
    return window


def replay_run(config: RunConfig, window: AnyWindow) -> AnyRun:
    """Return the run of `config` over a window built for it."""
    return replay_hedges(config, window) if isinstance(window, HedgeWindow) else replay(config, window)


def replay_runs(configs: Sequence[RunConfig], window: AnyWindow) -> Iterator[AnyRun]:
    """Yield `replay_run` of each of `configs`."""
    if isinstance(window, HedgeWindow):
        yield from hedge_replays(configs, window)
    else:
        yield from replays(configs, window)


def baselines_of(window: AnyWindow) -> Baselines:
    """Return the hold baselines of a window."""
    if isinstance(window, HedgeWindow):
        return Baselines(window, hedge_replays)
    return Baselines(window, replays)


def explain_run(result: AnyRun, window: AnyWindow, baselines: Baselines) -> RunExplanation:
    """Return the explanation of a run over a window built for it."""
    if isinstance(window, HedgeWindow) and isinstance(result, HedgeRun):
        blocked = () if result.trades else tuple(blocked_hedges(result, window))
        return RunExplanation(baselines.of(result.config), baselines.compare(result), blocked)
    if isinstance(window, HedgeWindow) or isinstance(result, HedgeRun):
        raise TypeError("a run is explained over a window of its own engine")
    return explain(result, window, baselines)
