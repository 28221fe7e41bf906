"""Sweeps as stored: each compiled once, when it is submitted; afterwards its feasible cells are read."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.errors import InvalidInputError
from bot.market_store.database import write_transaction
from bot.memo import Memo
from sweeps.errors import UnreadableSweepError
from sweeps.spec.spec import SweepSpec
from sweeps.storage.packed_cells import pack_feasible, unpack_feasible
from sweeps.storage.sweep_summary import SweepSummary
from sweeps.storage.tables import compiled_sweep, is_shown, sweep

MOST_BYTES = 64 * 2**20
MOST_PARAMS = 4_096
BYTES_PER_VALUE = 400
"""Bytes for each value of an axis, about: the value, its label, their places in the tables of an axis."""


_FEASIBLE = sa.select(compiled_sweep.c.feasible).where(
    compiled_sweep.c.sweep_id == sa.bindparam("of_sweep"),
    compiled_sweep.c.text_digest == sa.bindparam("of_text"),
)


class SpecCache:
    """Compiled sweeps by their text, the least recently used dropped first; the newest always stays.

    Threads that ask for the same sweep at the same time share one compilation. `most_bytes` is estimated.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._specs: OrderedDict[str, SweepSpec] = OrderedDict()
        self._size = 0
        self._turns: dict[str, Lock] = {}
        self._lock = Lock()

    def get(self, text: str, make: Callable[[], SweepSpec]) -> SweepSpec:
        """Return the sweep stored as `text`, by `make` if it is not there."""
        with self._lock:
            if (known := self._known(text)) is not None:
                return known
            turn = self._turns.setdefault(text, Lock())
        with turn:
            with self._lock:
                if (known := self._known(text)) is not None:
                    return known
            try:
                spec = make()
                self.keep(text, spec)
            finally:
                with self._lock:
                    self._turns.pop(text, None)
        return spec

    def keep(self, text: str, spec: SweepSpec) -> None:
        """Keep a sweep that somebody has compiled anyway."""
        with self._lock:
            if text in self._specs:
                return
            self._specs[text] = spec
            self._size += _cost(text, spec)
            while self._size > self._most_bytes and len(self._specs) > 1:
                self._size -= _cost(*self._specs.popitem(last=False))

    def _known(self, text: str) -> SweepSpec | None:
        if text in self._specs:
            self._specs.move_to_end(text)
        return self._specs.get(text)


_cache = SpecCache()
_params = Memo(MOST_PARAMS)


def _cost(text: str, spec: SweepSpec) -> int:
    cells = sum(part.kept.nbytes for part in spec.space.parts if part.kept is not None)
    return len(text) + cells + BYTES_PER_VALUE * sum(len(axis.values) for axis in spec.axes)


def store_compiled(connection: sa.Connection, sweep_id: int, text: str, spec: SweepSpec) -> None:
    """Store what a sweep compiles to beside it, in place of what is there."""
    _cache.keep(text, spec)
    values = {
        "text_digest": text_digest(text),
        "head": SweepSummary.of(spec).model_dump_json(),
        "feasible": pack_feasible(spec.space.feasible),
    }
    connection.execute(_keeping(connection.dialect.name), {"sweep_id": sweep_id, **values})


@cache
def _keeping(dialect: str) -> sa.Insert:
    """Return the statement that stores what a sweep compiles to, in place of what is there."""
    insert: Any = (postgresql if dialect == "postgresql" else sqlite).insert(compiled_sweep)
    kept: sa.Insert = insert.on_conflict_do_update(
        index_elements=[compiled_sweep.c.sweep_id],
        set_={name: insert.excluded[name] for name in ("text_digest", "head", "feasible")},
    )
    return kept


def stored_spec(connection: sa.Connection, sweep_id: int, text: str) -> SweepSpec:
    """Return the sweep stored as `text`, compiled from its stored cells, once while there is room to keep it.

    Raises: UnreadableSweepError if it names what is not installed here.
    """
    return _cache.get(text, lambda: _compiled(connection, sweep_id, text))


def params_of(connection: sa.Connection, sweep_id: int, text: str, number: int) -> dict[str, Any]:
    """Return the varied parameters of a trial as JSON values, remembered for some thousands of trials.

    Raises: UnreadableSweepError as `stored_spec`.
    """
    key = (text_digest(text), number)
    return _params.get(key, lambda: stored_spec(connection, sweep_id, text).params(number))


def stored_summary(connection: sa.Connection, row: Any) -> SweepSummary:
    """Return the summary of a sweep, given its row with `head` and `text_digest`.

    Raises: UnreadableSweepError as `stored_spec`.
    """
    if row.head is not None and row.text_digest == text_digest(row.spec):
        return SweepSummary.of_text(row.head)
    return SweepSummary.of(stored_spec(connection, row.id, row.spec))


def compile_next(engine: sa.Engine, passed_over: set[int]) -> bool:
    """Store what the newest sweep compiles to that was stored without; return whether there was one.

    The sweeps that cannot be read here join those `passed_over`.
    """
    missing = sa.select(sweep.c.id, sweep.c.spec).where(
        is_shown(),
        ~sa.exists().where(compiled_sweep.c.sweep_id == sweep.c.id),
        sweep.c.id.not_in(passed_over),
    )
    with engine.connect() as connection:
        row = connection.execute(missing.order_by(sweep.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return False
    try:
        spec = _cache.get(row.spec, lambda: _parsed(row.spec, None))
    except UnreadableSweepError:
        passed_over.add(row.id)
        return True
    with write_transaction(engine) as connection:
        same = sa.select(sweep.c.id).where(sweep.c.id == row.id, sweep.c.spec == row.spec, is_shown())
        if connection.execute(same.with_for_update()).first() is not None:
            store_compiled(connection, row.id, row.spec, spec)
    return True


def text_digest(text: str) -> str:
    """Return the hex SHA-256 of a stored sweep, by which what it compiles to is known to be its own."""
    return hashlib.sha256(text.encode()).hexdigest()


def _compiled(connection: sa.Connection, sweep_id: int, text: str) -> SweepSpec:
    which = {"of_sweep": sweep_id, "of_text": text_digest(text)}
    data = connection.execute(_FEASIBLE, which).scalar_one_or_none()
    return _parsed(text, data)


def _parsed(text: str, feasible: bytes | None) -> SweepSpec:
    try:
        return SweepSpec.from_text(text, None if feasible is None else unpack_feasible(feasible))
    except InvalidInputError as error:
        raise UnreadableSweepError(f"this installation cannot read the sweep: {error.message}") from None
