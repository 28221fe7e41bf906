"""The dispatcher: publishes open work from the database, and again if messages are lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import sqlalchemy as sa
import structlog

from bot.market_store.database import cut_log, write_transaction
from sweeps.errors import QueueUnavailableError, UnreadableSweepError
from sweeps.lifecycle.deleting import delete_rows, is_deleting
from sweeps.lifecycle.repository import cancel_sweep
from sweeps.queue import reconcile
from sweeps.queue.counters import CHUNKS_ISOLATED, LEASES_EXPIRED, count
from sweeps.queue.heartbeats import Component, beat, forget_dead, live_slots, retire
from sweeps.queue.reconcile import REPUBLISH_MS, ChunkRef
from sweeps.storage.stored_specs import compile_next

log = structlog.get_logger()

BUSY_PERIOD_S = 0.05
IDLE_PERIOD_S = 0.1
MESSAGES_PER_SLOT = 3
LEAST_WINDOW = 4


class TaskQueue(Protocol):
    """Queue of messages about chunks."""

    def publish(self, ref: ChunkRef) -> None:
        """Send one message, without retrying; raises QueueUnavailableError if that fails."""


@dataclass(frozen=True, slots=True)
class Step:
    """Outcome of one turn of the loop."""

    active: int
    expired: int
    isolated: int
    published: int
    closed: int

    @property
    def idle(self) -> bool:
        """True if no sweep waits for anything."""
        return not self.active


class Dispatcher:
    """One turn at a time over the database; several at once do no harm but duplicate messages."""

    def __init__(
        self, engine: sa.Engine, queue: TaskQueue, instance: str, *, republish_ms: int = REPUBLISH_MS
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._instance = instance
        self._republish_ms = republish_ms
        self._turn = 0
        self._queue_down = False
        self._tidied = self._log_is_cut = False
        self._uncompiled = True
        self._unreadable: set[int] = set()

    def step(self) -> Step:
        """Free, isolate, close, publish, once each; returns what was done."""
        with write_transaction(self._engine) as connection:
            beat(connection, Component.DISPATCHER, self._instance)
            expired = reconcile.expire_leases(connection)
            exhausted = reconcile.exhausted_chunks(connection)
            for ref in exhausted:
                self._isolate(connection, ref)
            count(connection, {LEASES_EXPIRED: expired, CHUNKS_ISOLATED: len(exhausted)})
            closed = reconcile.close_finished(connection)
            sweeps = reconcile.active_sweeps(connection)
            refs = self._next(connection, sweeps)
            deleting = is_deleting(connection)
        sent = self._publish(refs)
        if sent:
            with write_transaction(self._engine) as connection:
                reconcile.mark_published(connection, sent)
        step = Step(len(sweeps), expired, len(exhausted), len(sent), len(closed))
        self._report(step, closed)
        self._catch_up(deleting=deleting)
        self._tidy_when_idle(step)
        return step

    def retire(self) -> None:
        """Withdraw the heartbeat of a dispatcher that ends."""
        with write_transaction(self._engine) as connection:
            retire(connection, Component.DISPATCHER, self._instance)

    def _isolate(self, connection: sa.Connection, ref: ChunkRef) -> None:
        try:
            reconcile.isolate(connection, ref)
        except UnreadableSweepError as error:
            log.warning("sweep ended", sweep=ref.sweep_id, reason=error.message)
            cancel_sweep(connection, ref.sweep_id, error.message)

    def _next(self, connection: sa.Connection, sweeps: Sequence[int]) -> list[ChunkRef]:
        """Return the chunks to publish: as many as the window has room for, one sweep after another.

        A sweep with fewer chunks at work than its share of the slots is not to wait for what others have in
        the broker: its messages go ahead of theirs, and have as much room again.
        """
        if not sweeps:
            return []
        slots = live_slots(connection)
        window = max(LEAST_WINDOW, MESSAGES_PER_SLOT * slots)
        free = window - reconcile.outstanding(connection, republish_ms=self._republish_ms)
        self._turn += 1
        first = self._turn % len(sweeps)
        in_turn = [*sweeps[first:], *sweeps[:first]]
        ahead = self._ahead(connection, in_turn, slots, free + window) if len(sweeps) > 1 else []
        wanted = dict.fromkeys(in_turn, max(free, 0))
        found = reconcile.publishable(connection, wanted, free, republish_ms=self._republish_ms)
        others = [ref for ref in found if ref not in ahead]
        return [*ahead, *others[: max(free - len(ahead), 0)]]

    def _ahead(
        self, connection: sa.Connection, in_turn: Sequence[int], slots: int, limit: int
    ) -> list[ChunkRef]:
        """Return up to `limit` chunks of the sweeps that have less at work than their share of the slots.

        One more may wait, so that a slot which ends a chunk of theirs finds the next.
        """
        share = slots // len(in_turn) + 1
        at_work = reconcile.in_flight(connection, republish_ms=self._republish_ms)
        missing = {sweep_id: share - at_work.get(sweep_id, 0) for sweep_id in in_turn}
        short: Mapping[int, int] = {sweep_id: most for sweep_id, most in missing.items() if most > 0}
        refs = reconcile.publishable(connection, short, limit, republish_ms=self._republish_ms)
        return [replace(ref, ahead=True) for ref in refs]

    def _publish(self, refs: list[ChunkRef]) -> list[ChunkRef]:
        sent: list[ChunkRef] = []
        for ref in refs:
            try:
                self._queue.publish(ref)
            except QueueUnavailableError as error:
                if not self._queue_down:
                    log.warning("broker takes no messages, retrying", error=error.message)
                self._queue_down = True
                return sent
            sent.append(ref)
        if sent and self._queue_down:
            log.info("broker takes messages again")
            self._queue_down = False
        return sent

    def _report(self, step: Step, closed: list[int]) -> None:
        if step.expired or step.isolated:
            log.warning("chunks recovered", expired=step.expired, isolated=step.isolated)
        for sweep_id in closed:
            log.info("sweep finished", sweep=sweep_id)

    def _catch_up(self, *, deleting: bool) -> None:
        """Delete some rows of deleted sweeps, and compile a sweep from before that was stored."""
        if deleting:
            with write_transaction(self._engine) as connection:
                delete_rows(connection)
        if self._uncompiled:
            self._uncompiled = compile_next(self._engine, self._unreadable)

    def _tidy_when_idle(self, step: Step) -> None:
        if not step.idle:
            self._tidied = self._log_is_cut = False
            return
        if not self._tidied:
            with write_transaction(self._engine) as connection:
                forget_dead(connection)
            self._tidied = True
        if not self._log_is_cut:  # as long as a report, which reads for seconds, is made of the last sweep
            self._log_is_cut = cut_log(self._engine)
