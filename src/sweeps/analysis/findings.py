"""Findings of a sweep: what is odd about the data of its windows, and which trials live off it."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from bot.backtest.findings import Booked, RunFinding, run_findings
from bot.backtest.result import trade_of
from bot.backtest.window_findings import WindowFinding, closed_there
from bot.config.hedge_checks import asks_for_hedges, needs_hedge_engine
from bot.config.run_config import RunConfig
from bot.market_store.database import insert_or_skip
from sweeps.analysis.progress import SweepView, get_spec
from sweeps.spec.spec import SweepSpec
from sweeps.storage.curves import decode_trades
from sweeps.storage.leaderboard import has_curve
from sweeps.storage.tables import sweep_window, trial_curve

WINDOW_PARAMETERS = (
    "exchange",
    "symbols",
    "start",
    "end",
    "max_price_age_hours",
    "min_coverage",
    "instrument",
)
"""The parameters that decide which window a trial replays."""

HEDGE_WINDOWS = ("structure", "long_exchange", "short_exchange")
"""Parameters that decide, with those of every window, which markets hedges are made of."""

END_DEAD = "end_dead_markets"

Windows = Mapping[str, tuple[WindowFinding, ...]]
"""Findings by the name of their window; a window without any is not among them."""


@dataclass(frozen=True, slots=True)
class SweepFinding:
    """A finding of some windows of a sweep, as the one with the most rows has it.

    A `serious` one may give P&L that nobody could have earned.
    """

    finding: WindowFinding
    windows: int
    serious: bool

    def document(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        values = self.finding.document()
        del values["jumps"]
        return {**values, "serious": self.serious, "windows": self.windows}


def window_name(config: RunConfig) -> str:
    """Return a name of the window of a trial, from the parameters as its sweep writes them."""
    document = config.document()
    markets = [name for name in HEDGE_WINDOWS if asks_for_hedges(name, getattr(config, name))]
    values = [document[name] for name in WINDOW_PARAMETERS]
    values += [[name, document[name]] for name in markets]
    return hashlib.sha256(json.dumps(values, separators=(",", ":")).encode()).hexdigest()


def keep_findings(connection: sa.Connection, sweep_id: int, found: Windows) -> None:
    """Store the findings of windows, but for those that are there: all workers read the same history."""
    rows = [
        {
            "sweep_id": sweep_id,
            "digest": window,
            "names": ",".join(sorted({one.name for one in findings})),
            "findings": json.dumps([one.document() for one in findings], separators=(",", ":")),
        }
        for window, findings in found.items()
        if findings
    ]
    if rows:
        connection.execute(insert_or_skip(connection, sweep_window), rows)


def kept_findings(connection: sa.Connection, sweep_id: int) -> Windows:
    """Return the findings of a sweep's windows as far as workers have read them."""
    rows = connection.execute(
        sa.select(sweep_window.c.digest, sweep_window.c.findings)
        .where(sweep_window.c.sweep_id == sweep_id)
        .order_by(sweep_window.c.digest)
    )
    return {row.digest: tuple(map(WindowFinding.of, json.loads(row.findings))) for row in rows}


def summed_up(windows: Windows, *, ends_dead: bool) -> list[SweepFinding]:
    """Return each finding of a sweep once, serious ones first, however many windows show it.

    `ends_dead` says that every trial closes at the end of a contract what it holds of it.
    """
    alike: dict[tuple[str, str, str], list[WindowFinding]] = {}
    for findings in windows.values():
        for one in findings:
            alike.setdefault((one.symbol, one.name, one.leg or ""), []).append(one)
    found = [_one_of(same, ends_dead=ends_dead) for same in alike.values()]
    return sorted(found, key=lambda one: (not one.serious, one.finding.symbol, one.finding.name))


def _one_of(same: Sequence[WindowFinding], *, ends_dead: bool) -> SweepFinding:
    most = max(same, key=lambda one: (one.count, -one.from_ms))
    if most.name == "dead_contract" and ends_dead:
        return SweepFinding(replace(most, detail=closed_there(most.detail)), len(same), serious=False)
    return SweepFinding(most, len(same), most.serious)


def best_findings(connection: sa.Connection, view: SweepView) -> tuple[RunFinding, ...]:
    """Return the findings of a sweep's best trial, none where there is no such trial."""
    if view.best is None:
        return ()
    found = trial_findings(
        connection, view.id, get_spec(connection, view.id), {view.best.number: view.best.metrics}
    )
    return found[view.best.number]


def sweep_findings(connection: sa.Connection, sweep_id: int) -> list[SweepFinding]:
    """Return the findings of a sweep, serious ones first; raises UnknownSweepError."""
    spec = get_spec(connection, sweep_id)
    return summed_up(kept_findings(connection, sweep_id), ends_dead=all(spec.values_of(END_DEAD)))


def trial_findings(
    connection: sa.Connection, sweep_id: int, spec: SweepSpec, completed: Mapping[int, Mapping[str, Any]]
) -> dict[int, tuple[RunFinding, ...]]:
    """Return the findings of completed trials by number, from their metrics and what is stored of them."""
    windows = kept_findings(connection, sweep_id)
    found = dict(_of_trials(spec, completed, windows))
    jumped = [
        number
        for number, mine in found.items()
        if any(one.name == "price_jump" for one in mine) and not needs_hedge_engine(spec.config(number))
    ]
    trades = _trades(connection, sweep_id, jumped)
    ends = spec.values_of(END_DEAD)
    return {
        number: run_findings(
            found[number],
            _booked(metrics, ends_dead=ends[0] if len(ends) == 1 else getattr(spec.config(number), END_DEAD)),
            trades.get(number),
        )
        for number, metrics in completed.items()
    }


def _of_trials(
    spec: SweepSpec, completed: Mapping[int, Mapping[str, Any]], windows: Windows
) -> Iterator[tuple[int, Sequence[WindowFinding]]]:
    """Yield the findings of each trial's window; the window is worked out once where no axis varies it."""
    varied = any(name in (*WINDOW_PARAMETERS, *HEDGE_WINDOWS) for name in spec.space.by_name)
    shared = None
    for number in completed:
        if not windows:
            yield number, ()
            continue
        if varied or shared is None:
            shared = windows.get(window_name(spec.config(number)), ())
        yield number, shared


def _trades(connection: sa.Connection, sweep_id: int, numbers: Sequence[int]) -> dict[int, list[Any]]:
    if not numbers:
        return {}
    mine = sa.and_(trial_curve.c.sweep_id == sweep_id, trial_curve.c.number.in_(numbers), has_curve())
    rows = connection.execute(sa.select(trial_curve.c.number, trial_curve.c.trades).where(mine))
    return {row.number: [trade_of(trade) for trade in decode_trades(row.trades)] for row in rows}


def _booked(metrics: Mapping[str, Any], *, ends_dead: bool) -> Booked:
    return Booked(
        metrics["net_pnl"],
        metrics["total_trades"],
        ends_dead,
        metrics.get("funding_payments"),
        metrics.get("missed_settlements"),
        metrics.get("pnl_after_market_end"),
    )
