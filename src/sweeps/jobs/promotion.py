"""Gate of a promotion: what speaks for a trial being more than luck, and what is missing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from bot.config.run_config import RunConfig
from bot.errors import BotError, InvalidInputError
from bot.market_store.sql import seal_times
from bot.timestamps import iso
from sweeps.analysis.judged.cell_luck import life_chance_in, over_hold_in
from sweeps.analysis.judged.judged_panels import JudgedPanel
from sweeps.analysis.queries import TrialView, trial_with_spec
from sweeps.errors import NotValidatedError, SweepStateError
from sweeps.jobs.selection_jobs import selection_view
from sweeps.lifecycle.promotions import PromotedTrial, note_promotion
from sweeps.lifecycle.seals import SealView, list_seals
from sweeps.lifecycle.trial_digests import trial_digest
from sweeps.spec.read_pairs import exchanges_read
from sweeps.storage.states import TrialState

_MOST_P_LIFE = 0.05
_MOST_PBO = 0.5
_MOST_P_OVER_HOLD = 0.5
_LONGEST_REASON = 1_000


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the gate: `met` is None where nothing is known; `detail` says what was found."""

    name: str
    met: bool | None
    required: bool
    detail: str

    def document(self) -> dict[str, Any]:
        """Return the condition as JSON values."""
        return {"name": self.name, "met": self.met, "required": self.required, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Promotion:
    """A trial that passed the gate, or was let pass for a reason: its configuration and the evidence."""

    sweep_id: int
    number: int
    run_key: str
    config: RunConfig
    conditions: tuple[Condition, ...]
    override: str | None

    def note(self, connection: sa.Connection) -> PromotedTrial:
        """Write it down, once for one trial."""
        return note_promotion(
            connection, self.sweep_id, self.number, self.run_key, self.config, self.override
        )

    def document(self, noted: PromotedTrial) -> dict[str, Any]:
        """Return the configuration of the run with the evidence beside its parameters, as JSON values.

        `noted` is the trial's first promotion, with how it did on the days after.
        """
        evidence = {
            "sweep": self.sweep_id,
            "trial": self.number,
            "run_key": self.run_key,
            "conditions": [one.document() for one in self.conditions],
            "override": self.override,
            "promotion": noted.id,
            "promoted_at": iso(noted.created_ms),
            "decay": noted.decay,
        }
        return {**self.config.document(), "evidence": evidence}


def promote(connection: sa.Connection, sweep_id: int, number: int, override: str | None = None) -> Promotion:
    """Return a trial with its evidence; under a seal the guard and a look at the holdout must speak for it.

    An `override`, which is a reason, lets it pass. Raises: UnknownSweepError; SweepStateError for a trial
    without a result; InvalidInputError for an empty or long reason; NotValidatedError that names what is
    missing.
    """
    if override is not None and not 0 < len(override.strip()) <= _LONGEST_REASON:
        raise InvalidInputError.of("override", f"is no reason of 1 to {_LONGEST_REASON:,} characters")
    spec, trial = trial_with_spec(connection, sweep_id, number)
    if trial.state is not TrialState.COMPLETED or trial.run_key is None:
        reason = f": {trial.error}" if trial.error else ""
        raise SweepStateError(f"trial {number} of sweep {sweep_id} is {trial.state}, not completed{reason}")
    config = spec.config(number)
    seals = seal_times(connection)
    sealed = [str(one) for one in exchanges_read(config) if one in seals]
    conditions = (
        Condition("guard", trial.eligible, bool(sealed), trial.ineligible or "eligible"),
        _holdout(connection, config, required=bool(sealed)),
        *_judged(connection, sweep_id, trial, config),
    )
    missing = [one for one in conditions if one.required and not one.met]
    if missing and override is None:
        told = "; ".join(f"{one.name}: {one.detail}" for one in missing)
        raise NotValidatedError(
            f"trial {number} of sweep {sweep_id} is not validated, and {sealed[0]} is sealed: {told}"
        )
    return Promotion(sweep_id, number, trial.run_key, config, conditions, override)


def _holdout(connection: sa.Connection, config: RunConfig, *, required: bool) -> Condition:
    """Return whether an untainted look at a holdout of this trial is consistent and in profit."""
    digest = trial_digest(config)
    seals = [one for one in list_seals(connection) if one.exchange in exchanges_read(config)]
    found = [(held, look) for held in seals for look in held.looks if look.digest == digest]
    good = [(held, look) for held, look in found if not held.tainted and not look.opened]
    passed = [(held, look) for held, look in good if look.result["consistent"] and look.result["in_profit"]]
    if passed:
        held, look = passed[-1]
        return Condition(
            "holdout", True, required, f"{look.label} at seal {held.id} is consistent and in profit"
        )
    return Condition("holdout", False, required, _no_holdout(seals, found, bool(good)))


def _no_holdout(seals: list[SealView], found: list[Any], good: bool) -> str:
    if good:
        look = found[-1][1]
        consistent = {True: "consistent", False: "not consistent", None: "too long to compare"}
        profit = "in profit" if look.result["in_profit"] else "not in profit"
        return f"{look.label} is {consistent[look.result['consistent']]} and {profit}"
    if found:
        return "its look is at a tainted seal, or was taken after the seal was opened"
    return "no look at a holdout" if seals else "no days are sealed, so there is no holdout"


def _judged(
    connection: sa.Connection, sweep_id: int, trial: TrialView, config: RunConfig
) -> Iterator[Condition]:
    """Yield the conditions that need the report on the sweep's selection."""
    panel, obstacle = _panel(connection, sweep_id, config)
    report = None if panel is None else panel.report
    lacks: Mapping[str, str] = {} if report is None else report.missing
    metrics = trial.metrics or {}
    p_life = life_chance_in(panel, config, trial.number, metrics) if panel and metrics else None
    words = "chance of luck over all looks"
    yield _at_most("p_life", p_life, _MOST_P_LIFE, words, lacks.get("cash", obstacle))
    pbo = None if report is None or report.pbo is None else report.pbo.pbo
    yield _at_most("pbo", pbo, _MOST_PBO, "probability of overfitting", lacks.get("pbo", obstacle))
    stitched = None if report is None else _stitched_pnl(report.document()["walk_forward"])
    if stitched is None:
        yield Condition("walk_forward", None, False, lacks.get("walk_forward", obstacle))
    else:
        told = f"the walk-forward's stitched run comes to {stitched}"
        yield Condition("walk_forward", stitched > 0, False, told)
    p_hold = None if panel is None else over_hold_in(panel, config, trial.number, metrics)
    words = "chance of luck over holding"
    yield _at_most("over_hold", p_hold, _MOST_P_OVER_HOLD, words, lacks.get("hold", obstacle))


def _at_most(name: str, value: float | None, most: float, words: str, obstacle: str) -> Condition:
    if value is None:
        return Condition(name, None, False, obstacle)
    return Condition(name, value <= most, False, f"{words} {value:.3f}, at most {most:g} wanted")


def _panel(connection: sa.Connection, sweep_id: int, config: RunConfig) -> tuple[JudgedPanel | None, str]:
    """Return the report on a trial's panel, and why there is none, or nothing of the trial in it."""
    try:
        view = selection_view(connection, sweep_id)
    except BotError as error:
        return None, error.message
    if not view.complete or view.panels is None:
        return None, "the selection is not judged yet"
    found = view.panels.on(config.exchange, config.start, config.end)
    if found is None:
        return None, "the selection of its days is not judged"
    return found, "not in the report"


def _stitched_pnl(walk_forward: Any) -> Decimal | None:
    """Return the net P&L of the stitched run that a report's document has, None without one."""
    metrics = walk_forward.get("metrics") if isinstance(walk_forward, dict) else None
    return None if metrics is None else Decimal(metrics["net_pnl"])
