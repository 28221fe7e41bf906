"""Promotions: trials that were taken from a sweep to be traded, kept beyond its deletion as looks are."""

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.config.run_config import RunConfig
from bot.market_store.database import database_now_ms, insert_or_skip
from bot.models import DAY_MS
from sweeps.errors import UnknownPromotionError
from sweeps.lifecycle.trial_digests import trial_digest
from sweeps.storage.tables import promotion

_LARGEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PromotedTrial:
    """A trial with the moment of its first promotion, and how it did on later days, None until looked at."""

    id: int
    sweep_id: int
    number: int
    run_key: str
    config: RunConfig
    override: str | None
    created_ms: int
    decay: dict[str, Any] | None

    @property
    def from_ms(self) -> int:
        """First midnight (ms UTC) after the promotion: the days from then on are those after it."""
        return (self.created_ms // DAY_MS + 1) * DAY_MS


def note_promotion(
    connection: sa.Connection,
    sweep_id: int,
    number: int,
    run_key: str,
    config: RunConfig,
    override: str | None,
) -> PromotedTrial:
    """Write a promotion down and return it; the same trial, in whatever sweep, keeps its first one."""
    digest = trial_digest(config)
    values = {
        "digest": digest,
        "run_key": run_key,
        "sweep_id": sweep_id,
        "number": number,
        "config": json.dumps(config.document(), separators=(",", ":")),
        "override": override,
        "created_ms": database_now_ms(),
    }
    connection.execute(insert_or_skip(connection, promotion).values(values))
    row = connection.execute(sa.select(promotion).where(promotion.c.digest == digest)).one()
    return _promoted(row)


def list_promotions(connection: sa.Connection) -> list[PromotedTrial]:
    """Return all promotions, oldest first."""
    return [_promoted(row) for row in connection.execute(sa.select(promotion).order_by(promotion.c.id))]


def get_promotion(connection: sa.Connection, promotion_id: int) -> PromotedTrial:
    """Return a promotion; raises UnknownPromotionError."""
    known = promotion_id if 0 < promotion_id <= _LARGEST_ID else 0
    row = connection.execute(sa.select(promotion).where(promotion.c.id == known)).one_or_none()
    if row is None:
        raise UnknownPromotionError(f"there is no promotion {promotion_id}")
    return _promoted(row)


def keep_decay(connection: sa.Connection, promotion_id: int, decay: dict[str, Any]) -> PromotedTrial:
    """Store how a promoted trial did on the days after, in place of what was known of fewer; return it."""
    mine = promotion.c.id == promotion_id
    connection.execute(promotion.update().where(mine).values(decay=json.dumps(decay)))
    return get_promotion(connection, promotion_id)


def _promoted(row: Any) -> PromotedTrial:
    config = RunConfig.parse(json.loads(row.config))
    decay = None if row.decay is None else json.loads(row.decay)
    return PromotedTrial(
        row.id, row.sweep_id, row.number, row.run_key, config, row.override, row.created_ms, decay
    )
