"""Sweeps from sweeps: one extended by values or trials, and a copy with changes."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bot.config.strategy_registry import strategy_plugin
from bot.errors import FieldError, InvalidInputError
from bot.notation import quoted
from bot.plurals import counted
from sweeps.errors import SweepStateError, UnknownSweepError
from sweeps.lifecycle.data_pin import pinned, refuse_incompatible
from sweeps.lifecycle.repository import add_chunks, requeue, spec_text
from sweeps.spec.compiling import PRESET
from sweeps.spec.parameters import strategies_of
from sweeps.spec.sampling import GridSampler
from sweeps.spec.spec import SweepSpec
from sweeps.storage.states import SweepState
from sweeps.storage.stored_specs import store_compiled
from sweeps.storage.tables import is_shown, sweep

_MERGED = ("base", "grid")
_WRITTEN_AS = {**dict.fromkeys(("extensions", "grid", "linked"), "add_values"), "sampler.n": "n"}
"""Fields of a sweep that was fine before, by those of a change that alone can have made them wrong."""


def extended_spec(
    spec: SweepSpec, *, add_values: Mapping[str, Sequence[object]] | None = None, n: int | None = None
) -> SweepSpec:
    """Return the sweep with more values on its axes, or, if it is sampled, with more trials.

    The trials that were there keep their numbers; the new ones follow. A value added to a parameter that did
    not vary makes it an axis that begins with the value it had.
    Raises: InvalidInputError naming what cannot be added.
    """
    document = spec.document()
    if n is not None:
        if isinstance(spec.sampler, GridSampler):
            raise InvalidInputError.of("n", "belongs to sampled sweeps; a grid is extended by add_values")
        if n <= spec.sampler.n:
            raise InvalidInputError.of("n", f"{n} is not more than the {spec.sampler.n} asked for already")
        document["sampler"] = {**document["sampler"], "n": n}
    if add_values:
        document["extensions"] = [*document["extensions"], dict(add_values)]
    try:
        extended = SweepSpec.parse(document)
    except InvalidInputError as error:
        raise as_change(error, spec) from None
    if extended.trial_count == spec.trial_count:
        raise _adds_nothing(spec, n)
    return extended


def _adds_nothing(spec: SweepSpec, n: int | None) -> InvalidInputError:
    """Return the refusal of a change by which a sweep would not grow, of `n` samples if it is sampled."""
    if n is None:
        return InvalidInputError.of("add_values", "would add no trial")
    found = f"its sampler finds {counted(spec.trial_count, 'different trial')} and no more"
    return InvalidInputError.of("n", f"{n} would add no trial: {found}")


def cloned_spec(spec: SweepSpec, changes: Mapping[str, Any]) -> SweepSpec:
    """Return a sweep like this one with `changes`, numbered anew.

    `base` and `grid` are changed name by name (null removes one), everything else is replaced. A parameter
    that becomes an axis leaves the base, and the reverse. Raises: InvalidInputError as any sweep does.
    """
    document = flattened(spec)
    for name, change in changes.items():
        if name not in _MERGED:
            document[name] = change
        elif not isinstance(change, dict):
            raise InvalidInputError.of(name, f"{quoted(change)} is no object of parameters")
        else:
            other = document["grid" if name == "base" else "base"]
            for parameter, value in change.items():
                document[name].pop(parameter, None)
                if value is not None:
                    other.pop(parameter, None)
                    document[name][parameter] = value
    _make_way_for_preset(document, changes.get("base") or {})
    return SweepSpec.parse(document)


def _make_way_for_preset(document: dict[str, Any], base: Mapping[str, Any]) -> None:
    """Drop the parameters that a newly named preset sets, but those that the change sets itself."""
    for strategy in strategies_of(document["base"], document["grid"]):
        for name in strategy_plugin(strategy).presets.get(str(base.get(PRESET)), ()):
            if name not in base:
                document["base"].pop(name, None)


def flattened(spec: SweepSpec) -> dict[str, Any]:
    """Return the document of a sweep with what was added later in the axes themselves."""
    document = spec.document()
    document.pop("extensions")
    for name, values in spec.extended_axes().items():
        document["base"].pop(name, None)
        raw = document["grid"].get(name)
        conditional = isinstance(raw, dict) and "when" in raw
        document["grid"][name] = {"values": values, "when": raw["when"]} if conditional else values
    return document


def extend_sweep(connection: sa.Connection, sweep_id: int, before: SweepSpec, extended: SweepSpec) -> None:
    """Store the extension of `before` and queue the new trials; trials already there stay as they are.

    Raises: UnknownSweepError; SweepStateError if it is cancelled, was changed meanwhile, or if its data were.
    """
    found = connection.execute(
        sa.select(sweep.c.state, sweep.c.spec_digest)
        .where(sweep.c.id == sweep_id, is_shown())
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise UnknownSweepError(f"there is no sweep {sweep_id}")
    if found.spec_digest != before.digest:
        raise SweepStateError(f"sweep {sweep_id} was changed meanwhile; look at it and try again")
    if found.state == SweepState.CANCELLED:
        raise SweepStateError(f"sweep {sweep_id} is cancelled; resume it first, or clone it with more values")
    refuse_incompatible(connection, sweep_id)
    text = spec_text(extended)
    connection.execute(
        sweep.update()
        .where(sweep.c.id == sweep_id)
        .values(
            spec=text,
            spec_digest=extended.digest,
            trials_total=extended.trial_count,
            **pinned(connection, extended),
        )
    )
    store_compiled(connection, sweep_id, text, extended)
    add_chunks(connection, sweep_id, extended, first=before.trial_count)
    if found.state in {SweepState.COMPLETED, SweepState.FAILED}:
        requeue(connection, sweep_id)


def as_change(error: InvalidInputError, before: SweepSpec) -> InvalidInputError:
    """Return the error of an extended sweep with the paths of the change that extended it."""
    added = f"extensions[{len(before.extensions)}]"

    def named(field: str) -> str:
        return _WRITTEN_AS.get(field) or field.replace(added, "add_values", 1)

    return error.renamed(lambda item: FieldError(named(item.field), item.message))
