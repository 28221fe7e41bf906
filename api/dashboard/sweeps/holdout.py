"""Holdout of a sweep's candidate: the closed seal of its exchange, and the look that it has taken there."""

from dataclasses import dataclass

import sqlalchemy as sa

from api.presentation.later_days import later_days
from api.schemas.fields import document_of
from api.schemas.seals import HoldoutLookDocument
from bot.config.run_config import RunConfig
from sweeps.lifecycle.seals import SealView, list_seals
from sweeps.lifecycle.trial_digests import trial_digest


@dataclass(frozen=True, slots=True)
class Holdout:
    """Sealed days that a trial can be judged on; `told` is its look in words, None before it looked.

    `place` counts a look that it would take now.
    """

    seal: SealView
    place: int
    told: str | None


def holdout_of(connection: sa.Connection, config: RunConfig) -> Holdout | None:
    """Return the holdout of a trial, None where nothing is sealed after its start."""
    closed = (one for one in list_seals(connection) if one.opened_ms is None)
    found = (one for one in closed if one.exchange == config.exchange and config.start < one.from_ms)
    seal = next(found, None)
    if seal is None:
        return None
    digest = trial_digest(config)
    look = next((one for one in seal.looks if one.digest == digest), None)
    told = None
    if look is not None:
        document = document_of(HoldoutLookDocument, look)
        told = f"{look.label}: {later_days(document['first'], document)}"
    return Holdout(seal, len(seal.looks) + 1, told)
