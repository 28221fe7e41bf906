"""The moment at which two runs moved differently, and what each of them saw."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.dashboard.trial.decision_rows import SeenRow, seen_rows
from api.presentation.formats import shown, utc
from bot.backtest import ReplayWindow, RunResult
from bot.backtest.decision_trace import Sight, sights
from bot.backtest.divergence import Divergence, divergences, first_other_size_ms
from bot.backtest.holdings import Action, Book, Move
from bot.numbers.money import plain
from bot.strategies.gates import Gate


@dataclass(frozen=True, slots=True)
class Party:
    """A run that is compared with another: what the page calls it, and the window it ran over."""

    name: str
    result: RunResult
    window: ReplayWindow


@dataclass(frozen=True, slots=True)
class PairSeen:
    """A pair at that moment: what each run did, and the figures of either, row by row."""

    symbol: str
    verdicts: tuple[str, str]
    figures: Sequence[tuple[SeenRow | None, SeenRow | None]]


@dataclass(frozen=True, slots=True)
class Parting:
    """The difference number `at` of `count`, the first being 0; `t_ms` is None if there is none."""

    one: str
    other: str
    at: int
    count: int
    t_ms: int | None
    settles: bool
    pairs: Sequence[PairSeen]
    other_size_ms: int | None


def parting(one: Party, other: Party, at: int) -> Parting:
    """Return where two runs part."""
    found = divergences(one.result, other.result)
    sizes_ms = first_other_size_ms(one.result, other.result)
    if not found:
        return Parting(one.name, other.name, 0, 0, None, settles=False, pairs=[], other_size_ms=sizes_ms)
    at = min(at, len(found) - 1)
    parted = found[at]
    seen = [_seen(party, parted) for party in (one, other)]
    pairs = [_pair(symbol, parted, (one, other), seen) for symbol in parted.symbols]
    settles = any(seen)
    return Parting(one.name, other.name, at, len(found), parted.t_ms, settles, pairs, sizes_ms)


def _seen(party: Party, parted: Divergence) -> dict[str, Sight]:
    moments = [(parted.t_ms, symbol) for symbol in parted.symbols]
    return {
        symbol: sight for (_, symbol), sight in sights(party.result.config, party.window, moments).items()
    }


def _pair(
    symbol: str, parted: Divergence, parties: tuple[Party, Party], seen: Sequence[dict[str, Sight]]
) -> PairSeen:
    found = [own.get(symbol) for own in seen]
    rows = [
        {row.name: row for row in seen_rows(sight, party.result.config)} if sight else {}
        for sight, party in zip(found, parties, strict=True)
    ]
    verdicts = [
        _verdict(symbol, parted.t_ms, moves, party.result, sight)
        for moves, party, sight in zip((parted.one, parted.other), parties, found, strict=True)
    ]
    names = dict.fromkeys(name for own in rows for name in own)
    figures = [(rows[0].get(name), rows[1].get(name)) for name in names]
    return PairSeen(symbol, (verdicts[0], verdicts[1]), figures)


def _verdict(symbol: str, t_ms: int, moves: Sequence[Move], run: RunResult, sight: Sight | None) -> str:
    for move in moves:
        if move.symbol == symbol:
            return _did(move)
    book = Book(run.trades)
    held = book.held_after(t_ms).get(symbol)
    if held is not None:
        kept = "" if sight is None else "; its exit condition was not met"
        return f"kept the hedge it has held since {utc(held.opened_at_ms)}{kept}"
    return f"did not enter: {_kept_out(symbol, t_ms, book, run, sight)}"


def _did(move: Move) -> str:
    if move.action is Action.OPEN:
        return f"opened {plain(move.trade.quantity)} of it"
    return f"closed the hedge it had held since {utc(move.trade.opened_at_ms)} ({move.trade.reason})"


def _kept_out(symbol: str, t_ms: int, book: Book, run: RunResult, sight: Sight | None) -> str:
    if symbol not in run.config.symbols:
        return "this pair is none of its symbols"
    if sight is None:
        return "it had no settlement to decide on"
    return _account(symbol, t_ms, book, run) if sight.gate is None else _gate(sight.gate)


def _gate(gate: Gate) -> str:
    if gate.seen is None or gate.needed is None:
        return "its strategy did not want in" if gate.name == "strategy" else f"{gate.name} kept it out"
    return f"{gate.name} asks for {plain(gate.needed)} and saw {plain(gate.seen)}"


def _account(symbol: str, t_ms: int, book: Book, run: RunResult) -> str:
    if symbol in book.held_before(t_ms):
        return "it had just closed a hedge of it"
    held, slots = len(book.held_after(t_ms)), run.config.max_simultaneous_positions
    if held >= slots:
        return f"all slots were taken ({shown(held, 'count')} of {shown(slots, 'count')})"
    return "what it could afford was too small"
