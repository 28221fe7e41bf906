"""Seals of an exchange's days: set, listed, opened once for all; and the looks at what they hold."""

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.market_store.database import database_now_ms
from bot.market_store.loading import resolve_exchange
from bot.market_store.sql import seal_times
from bot.market_store.tables import market_series, seal
from bot.models import DAY_MS
from bot.notation import quoted
from bot.timestamps import iso, parse_time_ms
from sweeps.errors import AlreadyReadError, SealStateError, UnknownSealError
from sweeps.lifecycle.looks import read_until
from sweeps.storage.tables import holdout_look

_LARGEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class HoldoutLook:
    """A look of one trial at sealed days: the `place`-th at its seal, or taken after that was `opened`."""

    place: int
    sweep_id: int
    number: int
    digest: str
    opened: bool
    created_ms: int
    result: dict[str, Any]

    @property
    def label(self) -> str:
        """Standing of the look in words: `first`, `look 2` and so on, `opened`."""
        if self.opened:
            return "opened"
        return "first" if self.place == 1 else f"look {self.place}"


@dataclass(frozen=True, slots=True)
class SealView:
    """A seal with the looks taken at it; `opened_ms` is None while it is closed."""

    id: int
    exchange: str
    from_ms: int
    tainted: bool
    created_ms: int
    opened_ms: int | None
    looks: tuple[HoldoutLook, ...]

    @property
    def day(self) -> str:
        """First sealed day as ISO date."""
        return iso(self.from_ms)[:10]

    @property
    def state(self) -> str:
        """State in one word: `closed` or `opened`."""
        return "closed" if self.opened_ms is None else "opened"


def set_seal(connection: sa.Connection, exchange: str, day: object, *, insist: bool = False) -> SealView:
    """Seal an exchange from a day on, and return the seal; `insist` on one over days already read.

    Raises: UnknownExchangeError, InvalidInputError naming the field; SealStateError if one is closed there;
    AlreadyReadError if a look has read past the day.
    """
    from_ms = _midnight(day)
    exchange = resolve_exchange(connection, exchange)
    # Two at once wait for each other.
    series = sa.select(market_series.c.id).where(market_series.c.exchange == exchange)
    connection.execute(series.order_by(market_series.c.id).with_for_update()).all()
    if (held_ms := seal_times(connection).get(exchange)) is not None:
        raise SealStateError(f"{exchange} is sealed from {iso(held_ms)[:10]} on; open that seal first")
    last_day = read_until(connection, exchange)
    tainted = last_day is not None and last_day * DAY_MS >= from_ms
    if last_day is not None and tainted and not insist:
        raise AlreadyReadError(
            f"runs on {exchange} have read up to {iso(last_day * DAY_MS)[:10]}: a seal from "
            f"{iso(from_ms)[:10]} proves nothing; seal from a later day, or insist on one that is tainted"
        )
    seal_id = connection.execute(
        seal.insert()
        .values(exchange=exchange, from_ms=from_ms, tainted=tainted, created_ms=database_now_ms())
        .returning(seal.c.id)
    ).scalar_one()
    return get_seal(connection, seal_id)


def get_seal(connection: sa.Connection, seal_id: int) -> SealView:
    """Return a seal; raises UnknownSealError."""
    known = seal_id if 0 < seal_id <= _LARGEST_ID else 0
    row = connection.execute(sa.select(seal).where(seal.c.id == known)).one_or_none()
    if row is None:
        raise UnknownSealError(f"there is no seal {seal_id}")
    return _view(row, _looks(connection).get(seal_id, []))


def list_seals(connection: sa.Connection) -> list[SealView]:
    """Return all seals, oldest first."""
    looks = _looks(connection)
    rows = connection.execute(sa.select(seal).order_by(seal.c.id))
    return [_view(row, looks.get(row.id, [])) for row in rows]


def open_seal(connection: sa.Connection, seal_id: int) -> SealView:
    """End a seal for all, once; raises UnknownSealError, SealStateError if it has been opened."""
    held = get_seal(connection, seal_id)
    opened = connection.execute(
        seal.update()
        .where(seal.c.id == seal_id, seal.c.opened_ms.is_(None))
        .values(opened_ms=database_now_ms())
    )
    if not opened.rowcount:
        at = "" if held.opened_ms is None else f" at {iso(held.opened_ms)}"
        raise SealStateError(f"seal {seal_id} was opened{at}")
    return get_seal(connection, seal_id)


def keep_look(
    connection: sa.Connection,
    seal_id: int,
    *,
    digest: str,
    sweep_id: int,
    number: int,
    result: dict[str, Any],
) -> HoldoutLook:
    """Write a look down and return it; the same trial is the same look, in whatever sweep it is.

    One at a seal that is open by now is `opened`.
    """
    mine = sa.select(seal.c.opened_ms).where(seal.c.id == seal_id)
    opened_ms = connection.execute(mine.with_for_update()).scalar_one()
    taken = _looks(connection).get(seal_id, [])
    known = next((one for one in taken if one.digest == digest), None)
    if known is not None:
        return known
    connection.execute(
        holdout_look.insert().values(
            seal_id=seal_id,
            place=len(taken) + 1,
            digest=digest,
            sweep_id=sweep_id,
            number=number,
            opened=opened_ms is not None,
            result=json.dumps(result),
            created_ms=database_now_ms(),
        )
    )
    return _looks(connection)[seal_id][-1]


def _looks(connection: sa.Connection) -> dict[int, list[HoldoutLook]]:
    found: dict[int, list[HoldoutLook]] = {}
    rows = connection.execute(sa.select(holdout_look).order_by(holdout_look.c.seal_id, holdout_look.c.place))
    for row in rows:
        found.setdefault(row.seal_id, []).append(
            HoldoutLook(
                row.place,
                row.sweep_id,
                row.number,
                row.digest,
                row.opened,
                row.created_ms,
                json.loads(row.result),
            )
        )
    return found


def _view(row: Any, looks: list[HoldoutLook]) -> SealView:
    return SealView(
        row.id, row.exchange, row.from_ms, row.tainted, row.created_ms, row.opened_ms, tuple(looks)
    )


def _midnight(day: object) -> int:
    try:
        from_ms = parse_time_ms(day)
    except ValueError as error:
        raise InvalidInputError.of("from", str(error)) from None
    if from_ms % DAY_MS:
        raise InvalidInputError.of("from", f"{quoted(day)} is no midnight UTC; a seal begins with a day")
    return from_ms
