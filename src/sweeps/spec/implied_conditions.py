"""Conditions that axes have by themselves: parameters that only some values of another axis read."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bot.config.hedge_rules import READ_UNDER
from sweeps.spec.axes import WrittenAxis


def with_implied_conditions(
    axes: Mapping[str, WrittenAxis], linked: Sequence[Collection[str]]
) -> dict[str, WrittenAxis]:
    """Return the axes, those of parameters that some values of another axis alone read under these alone.

    Elsewhere they would only repeat runs. Axes that move together, and those with a condition on the other
    axis as written, stay as they are.
    """
    return {
        name: replace(axis, when={**axis.when, **_implied(axis, axes, linked)}) for name, axis in axes.items()
    }


def _implied(
    axis: WrittenAxis, axes: Mapping[str, WrittenAxis], linked: Sequence[Collection[str]]
) -> dict[str, tuple[object, ...]]:
    name, readers = READ_UNDER.get(axis.name, ("", ()))
    other = axes.get(name)
    if other is None or other.when or name in axis.when or any(axis.name in group for group in linked):
        return {}
    values = other.form.expanded()
    reading = tuple(value for value in values if value in readers)
    return {name: reading} if 0 < len(reading) < len(values) else {}
