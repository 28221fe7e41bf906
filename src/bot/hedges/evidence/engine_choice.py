"""Comparisons, decisions, probes and random entries of runs of either engine."""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from bot.backtest import ReplayWindow, RunResult
from bot.backtest.baseline import FinishedRun
from bot.backtest.comparison import Comparison, compare
from bot.backtest.decision_trace import DecisionSnapshot, decision_snapshots
from bot.backtest.probe import ProbeReport, probe
from bot.backtest.random_runs import RandomEntries, random_entries
from bot.backtest.stitched import Seam, StitchedFacts, stitch, traded
from bot.config.hedge_checks import needs_hedge_engine
from bot.config.run_config import RunConfig
from bot.errors import NotForHedgesError
from bot.hedges.arithmetic import exact_products
from bot.hedges.blockers import hedge_snapshots
from bot.hedges.evidence.random_trips import random_hedges
from bot.hedges.evidence.stitched import stitch_hedges
from bot.hedges.probe import probe_hedges
from bot.hedges.result import HedgeRun
from bot.hedges.runs import OTHER_ENGINE, AnyRun, AnyWindow, MarketStore, baselines_of, load_data, replay_run
from bot.hedges.window import HedgeWindow
from bot.market.hedge_data import HedgeData
from bot.models import FundingRate, Trade
from bot.numbers.money import ZERO

AnyWindowOf = Callable[[RunConfig], AnyWindow]


def probe_run(config: RunConfig, store: MarketStore, *, cuts: int = 8, seed: int = 0) -> ProbeReport:
    """Return the findings of the look-ahead probe at so many drawn moments of a run.

    Raises: BotError where the store does not hold what the run reads.
    """
    named, data = load_data(config, store)
    if isinstance(data, HedgeData):
        return probe_hedges(named, data, cuts=cuts, seed=seed)
    return probe(named, data, cuts=cuts, seed=seed)


def settled_rates(config: RunConfig, window: AnyWindow) -> list[FundingRate]:
    """Return the settlements that a window shows, earlier ones included, oldest first.

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


def pairs_only(window: AnyWindow, name: str) -> ReplayWindow:
    """Return a window of spot against perps, for something of this `name` that is told of those alone.

    Raises: NotForHedgesError for a window of hedges.
    """
    if isinstance(window, HedgeWindow):
        raise NotForHedgesError(f"{name}: not available for hedges yet, only for spot against a perp")
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
        raise TypeError(OTHER_ENGINE)
    return window


def pair_trades(result: AnyRun) -> tuple[Trade, ...]:
    """Return the trades of a run of spot against perps."""
    if isinstance(result, HedgeRun):
        raise TypeError(OTHER_ENGINE)
    return result.trades


def of_pairs(result: AnyRun, window: AnyWindow, name: str) -> tuple[RunResult, ReplayWindow]:
    """Return a run of spot against perps and its window, for something of this `name` for those alone.

    Raises: NotForHedgesError for a run of hedges.
    """
    own = pairs_only(window, name)
    if isinstance(result, HedgeRun):
        raise TypeError(OTHER_ENGINE)
    return result, own


def random_entries_of(result: FinishedRun, window: AnyWindow) -> RandomEntries:
    """Return what the trips of a run earn, and what they do at settlements chosen at random."""
    if isinstance(window, HedgeWindow) and isinstance(result, HedgeRun):
        return random_hedges(result, window)
    if isinstance(window, ReplayWindow) and isinstance(result, RunResult):
        return random_entries(result, window)
    raise TypeError(OTHER_ENGINE)


def snapshots_of(
    config: RunConfig, window: AnyWindow, moments: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], DecisionSnapshot]:
    """Return the snapshot of each of `moments` (ms UTC, name) at which the strategy of a run decided."""
    if isinstance(window, HedgeWindow):
        return hedge_snapshots(config, window, moments)
    return decision_snapshots(config, window, moments)


def compare_run(config: RunConfig, window: AnyWindow) -> Comparison:
    """Return the runs of `config` under each strategy that is compared, over a window built for it."""
    return compare(config, baselines_of(window), lambda own: replay_run(own, window))
