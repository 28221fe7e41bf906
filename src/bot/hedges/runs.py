"""Runs of either engine: the window that a run asks for, and its replay over it.

Spot against a linear perp of one exchange, at the defaults of all other parameters and without recorded lives
of its markets, is replayed by the engine that was made for it, everything else as hedges.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Protocol

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
from bot.backtest.comparison import Comparison, compare
from bot.backtest.decision_trace import DecisionSnapshot, decision_snapshots
from bot.backtest.probe import ProbeReport, probe
from bot.backtest.random_runs import RandomEntries, random_entries
from bot.backtest.stitched import Seam, StitchedFacts, stitch, traded
from bot.config.hedge_checks import needs_hedge_engine
from bot.config.run_config import RunConfig
from bot.errors import FieldError, NotForHedgesError, UnknownExchangeError
from bot.hedges.arithmetic import exact_products
from bot.hedges.blockers import blocked_hedges, hedge_snapshots
from bot.hedges.engine import hedge_replays, replay_hedges, replay_with_journal
from bot.hedges.evidence.random_trips import random_hedges
from bot.hedges.evidence.stitched import stitch_hedges
from bot.hedges.journal.records import Journal
from bot.hedges.probe import probe_hedges
from bot.hedges.result import HedgeRun
from bot.hedges.window import HedgeWindow
from bot.market.hedge_data import HedgeData, PairKey, wanted_pairs
from bot.market.records.kinds import RecordKind
from bot.market.records.recorded_fees import kinds_read
from bot.market.series import MarketData
from bot.models import FundingRate, Trade
from bot.numbers.money import ZERO
from bot.strategies.gates import GateReport

AnyWindow = ReplayWindow | HedgeWindow
AnyRun = RunResult | HedgeRun
AnyWindowOf = Callable[[RunConfig], AnyWindow]


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
    named = config.model_copy(update={"exchange": config.resolved_exchange(store.resolve_exchange)})
    for name in ("long_exchange", "short_exchange"):
        if getattr(config, name) is not None:
            _check_exchange(store, name, getattr(config, name))
    wanted = wanted_pairs(named.hedges)
    data = store.load_hedges(str(named.exchange), wanted, config.end, config.start, beyond_seals=beyond_seals)
    return named, data


def settled_rates(config: RunConfig, window: AnyWindow) -> list[FundingRate]:
    """Return the settlements that a window shows, those of before it included, oldest first.

    Of hedges they are their carries.
    """
    if isinstance(window, HedgeWindow):
        with exact_products():
            found = [rate for one in window.settlements(config) for rate in one.observed]
    else:
        found = [*window.past, *(view.funding for event in window.events for view in event.settlements)]
    return sorted(found, key=attrgetter("t_ms"))


def settled_in(config: RunConfig, window: AnyWindow, name: str) -> list[FundingRate]:
    """Return the settlements of one pair or hedge in the window, oldest first; of a hedge its carries."""
    if isinstance(window, HedgeWindow):
        with exact_products():
            own = [one.funding for one in window.settlements(config) if one.name == name]
        return [rate for rate in own if rate is not None]
    views = (view for event in window.events for view in event.settlements)
    return [view.funding for view in views if view.funding.symbol == name]


def names_of(config: RunConfig) -> tuple[str, ...]:
    """Return the names of what a run trades, as its trades are called: pairs, or hedges."""
    return tuple(hedge.name for hedge in config.hedges) if needs_hedge_engine(config) else config.symbols


def _check_exchange(store: MarketStore, name: str, exchange: str) -> None:
    try:
        store.resolve_exchange(exchange)
    except UnknownExchangeError as error:
        raise error.renamed(lambda item: FieldError(name, item.message)) from None


def pairs_only(window: AnyWindow, name: str) -> ReplayWindow:
    """Return a window of spot against perps, for something of this `name` that is told of those alone.

    Raises: NotForHedgesError for a window of hedges.
    """
    if isinstance(window, HedgeWindow):
        raise NotForHedgesError(f"{name}: not told of hedges yet, only of spot against a perp at defaults")
    return window


def stitch_runs(start_ms: int, seams: Sequence[Seam], window_of: AnyWindowOf) -> StitchedFacts:
    """Return the run from `start_ms` on, from flat, of parameters that come into force at ascending seams.

    If some of them are replayed as hedges all are. Raises: BotError where the store does not hold what it
    reads.
    """
    if not any(needs_hedge_engine(seam.config) for seam in seams):
        whole = {"start": start_ms, "symbols": traded(seams), "min_coverage": ZERO}
        if isinstance(window_of(seams[0].config.varied(whole)), ReplayWindow):
            return stitch(start_ms, seams, lambda config: pairs_only(window_of(config), "a stitched run"))
    lenient = {"start": start_ms, "min_coverage": ZERO}
    if not all(isinstance(window_of(seam.config.varied(lenient)), HedgeWindow) for seam in seams):
        seams = [seam._replace(config=_as_hedges(seam.config)) for seam in seams]
    return stitch_hedges(start_ms, seams, lambda config: _of_hedges(window_of(config)))


def _as_hedges(config: RunConfig) -> RunConfig:
    """Return a run whose hedges of spot against a perp have full names, so that they are replayed as such."""
    if config.structure != "spot_perp":
        return config
    names = [
        f"{hedge.long.symbol}>{hedge.short.symbol}" if hedge.is_short_name else hedge.name
        for hedge in config.hedges
    ]
    return config.varied({"symbols": tuple(names)})


def _of_hedges(window: AnyWindow) -> HedgeWindow:
    if isinstance(window, ReplayWindow):
        raise TypeError(_OTHER_ENGINE)
    return window


def pair_trades(result: AnyRun) -> tuple[Trade, ...]:
    """Return the trades of a run of spot against perps."""
    if isinstance(result, HedgeRun):
        raise TypeError(_OTHER_ENGINE)
    return result.trades


def of_pairs(result: AnyRun, window: AnyWindow, name: str) -> tuple[RunResult, ReplayWindow]:
    """Return a run of spot against perps and its window, for something of this `name` for those alone.

    Raises: NotForHedgesError for a run of hedges.
    """
    own = pairs_only(window, name)
    if isinstance(result, HedgeRun):
        raise TypeError(_OTHER_ENGINE)
    return result, own


def random_entries_of(result: FinishedRun, window: AnyWindow) -> RandomEntries:
    """Return what the trips of a run earn, and what they do at settlements chosen at random."""
    if isinstance(window, HedgeWindow) and isinstance(result, HedgeRun):
        return random_hedges(result, window)
    if isinstance(window, ReplayWindow) and isinstance(result, RunResult):
        return random_entries(result, window)
    raise TypeError(_OTHER_ENGINE)


def replay_run(config: RunConfig, window: AnyWindow) -> AnyRun:
    """Return the run of `config` over a window built for it."""
    return replay_hedges(config, window) if isinstance(window, HedgeWindow) else replay(config, window)


def replay_explained(config: RunConfig, window: AnyWindow) -> tuple[AnyRun, Journal | None]:
    """Return the run of `replay_run`, of hedges with its journal."""
    if isinstance(window, HedgeWindow):
        return replay_with_journal(config, window)
    return replay(config, window), None


def blocked_of(result: FinishedRun, window: AnyWindow) -> list[GateReport]:
    """Return the entry blockers of what a run did not hold, the most frequent first."""
    if isinstance(window, HedgeWindow) and isinstance(result, HedgeRun):
        return blocked_hedges(result, window)
    if isinstance(window, ReplayWindow) and isinstance(result, RunResult):
        return blocked_entries(result, window)
    raise TypeError(_OTHER_ENGINE)


def snapshots_of(
    config: RunConfig, window: AnyWindow, moments: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], DecisionSnapshot]:
    """Return the snapshot of each of `moments` (ms UTC, name) at which the strategy of a run decided."""
    if isinstance(window, HedgeWindow):
        return hedge_snapshots(config, window, moments)
    return decision_snapshots(config, window, moments)


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


def compare_run(config: RunConfig, window: AnyWindow) -> Comparison:
    """Return the runs of `config` under each strategy that is compared, over a window built for it."""
    return compare(config, baselines_of(window), lambda own: replay_run(own, window))


def explain_run(result: AnyRun, window: AnyWindow, baselines: Baselines) -> RunExplanation:
    """Return the explanation of a run over a window built for it."""
    if isinstance(window, ReplayWindow) and isinstance(result, RunResult):
        return explain(result, window, baselines)
    blocked = () if result.trades else tuple(blocked_of(result, window))
    return RunExplanation(baselines.of(result.config), baselines.compare(result), blocked)


_OTHER_ENGINE = "a run is explained over a window of its own engine"
