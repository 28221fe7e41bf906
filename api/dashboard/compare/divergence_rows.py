"""Divergence of two runs for a page: a moment at which they moved differently, with their figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.dashboard.trial.decision_rows import DecisionRow, decision_rows
from api.presentation.formats import shown, utc
from bot.accounting.sizing import is_full
from bot.backtest.decision_trace import DecisionSnapshot
from bot.backtest.divergence import Divergence, divergences, first_other_size_ms, ran_together
from bot.backtest.holdings import Action, Holdings, Move
from bot.config.run_config import RunConfig
from bot.hedges.evidence.engine_choice import snapshots_of
from bot.hedges.runs import AnyWindow, names_of
from bot.models import BookedTrade
from bot.numbers.money import plain
from bot.statistics.metrics import Calendar
from bot.strategies.gates import Gate


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run compared with another: its name on the page, its parameters and trades, and its window."""

    name: str
    config: RunConfig
    trades: Sequence[BookedTrade]
    window: AnyWindow

    @property
    def calendar(self) -> Calendar:
        """The events of its window."""
        return self.window.calendar


@dataclass(frozen=True, slots=True)
class PairDecisions:
    """Decisions about a pair at that moment: verdict of each run, and the figures of both, row by row."""

    symbol: str
    verdicts: tuple[str, str]
    figures: Sequence[tuple[DecisionRow | None, DecisionRow | None]]


@dataclass(frozen=True, slots=True)
class DivergenceView:
    """The difference number `at` of `count`, the first being 0; `t_ms` is None if there is none.

    `together` says whether there was a time at which both ran.
    """

    one: str
    other: str
    at: int
    count: int
    t_ms: int | None
    settles: bool
    pairs: Sequence[PairDecisions]
    other_size_ms: int | None
    together: bool = True


def divergence_view(one: ComparedRun, other: ComparedRun, at: int) -> DivergenceView:
    """Return the divergence number `at` of two runs, the last one if there are fewer."""
    found = divergences(one, other)
    sizes_ms = first_other_size_ms(one, other)
    if not found:
        together = ran_together(one, other)
        return DivergenceView(one.name, other.name, 0, 0, None, False, [], sizes_ms, together=together)
    at = min(at, len(found) - 1)
    divergence = found[at]
    seen = [_seen(run, divergence) for run in (one, other)]
    pairs = [_pair(symbol, divergence, (one, other), seen) for symbol in divergence.symbols]
    settles = any(seen)
    return DivergenceView(one.name, other.name, at, len(found), divergence.t_ms, settles, pairs, sizes_ms)


def _seen(run: ComparedRun, divergence: Divergence) -> dict[str, DecisionSnapshot]:
    moments = [(divergence.t_ms, symbol) for symbol in divergence.symbols]
    return {
        symbol: snapshot for (_, symbol), snapshot in snapshots_of(run.config, run.window, moments).items()
    }


def _pair(
    symbol: str,
    divergence: Divergence,
    runs: tuple[ComparedRun, ComparedRun],
    seen: Sequence[dict[str, DecisionSnapshot]],
) -> PairDecisions:
    found = [own.get(symbol) for own in seen]
    rows = [
        {row.name: row for row in decision_rows(snapshot, run.config)} if snapshot else {}
        for snapshot, run in zip(found, runs, strict=True)
    ]
    verdicts = [
        _verdict(symbol, divergence.t_ms, moves, run, snapshot)
        for moves, run, snapshot in zip((divergence.one, divergence.other), runs, found, strict=True)
    ]
    names = dict.fromkeys(name for own in rows for name in own)
    figures = [(rows[0].get(name), rows[1].get(name)) for name in names]
    return PairDecisions(symbol, (verdicts[0], verdicts[1]), figures)


def _verdict(
    symbol: str, t_ms: int, moves: Sequence[Move], run: ComparedRun, snapshot: DecisionSnapshot | None
) -> str:
    for move in moves:
        if move.symbol == symbol:
            return _did(move)
    book = Holdings(run.trades)
    held = book.held_after(t_ms).get(symbol)
    if held is not None:
        return f"kept the hedge it has held since {utc(held.opened_at_ms)}{_kept(snapshot)}"
    return f"did not enter: {_kept_out(symbol, t_ms, book, run, snapshot)}"


def _kept(snapshot: DecisionSnapshot | None) -> str:
    if snapshot is None:
        return ""
    if snapshot.wants_exit:
        return "; its strategy signalled an exit, delayed by patience or lag"
    return "; its exit condition was not met"


def _did(move: Move) -> str:
    if move.action is Action.OPEN:
        return f"opened {plain(move.trade.quantity)} of it"
    return f"closed the hedge it had held since {utc(move.trade.opened_at_ms)} ({move.trade.reason})"


def _kept_out(
    symbol: str, t_ms: int, book: Holdings, run: ComparedRun, snapshot: DecisionSnapshot | None
) -> str:
    if symbol not in names_of(run.config):
        return "it does not trade this pair"
    if snapshot is None:
        return "it had no settlement to decide on"
    gate = snapshot.gate
    return _account(symbol, t_ms, book, run) if gate is None or gate.name in _ACCOUNT else _gate(gate)


_ACCOUNT = frozenset({"just_closed", "slots", "size"})
"""Gates of an account, which its holdings explain."""


def _gate(gate: Gate) -> str:
    if gate.name == "market_in_use":
        return "another hedge used one of its markets"
    if gate.seen is None or gate.needed is None:
        return (
            "its strategy gave no entry signal"
            if gate.name == "strategy"
            else f"{gate.name} blocked the entry"
        )
    return f"{gate.name} needs {plain(gate.needed)} and was {plain(gate.seen)}"


def _account(symbol: str, t_ms: int, book: Holdings, run: ComparedRun) -> str:
    if symbol in book.held_before(t_ms):
        return "it had just closed a hedge of it"
    held, slots = len(book.held_after(t_ms)), run.config.max_simultaneous_positions
    if is_full(held, slots):
        return f"all slots were taken ({shown(held, 'count')} of {shown(slots, 'count')})"
    return "the affordable quantity was too small"
