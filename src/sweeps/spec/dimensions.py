"""Dimensions of written axes: linked axes move together, conditional ones may be absent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.errors import FieldErrors, InvalidInputError
from bot.notation import quoted
from bot.plurals import counted
from sweeps.spec.axes import Axis, WrittenAxis, parsed_values
from sweeps.spec.parameters import Variables

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Need:
    """Steps of another dimension that a dimension requires."""

    parent: int
    allowed: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Dimension:
    """Axes that move together, step by step, and how many steps there are in each part of the sweep.

    Where a need is not met, only step 0 exists, on which the axes do not apply; elsewhere all others do.
    """

    axes: tuple[Axis, ...]
    sizes: tuple[int, ...]
    needs: tuple[Need, ...] = ()

    @property
    def written(self) -> int:
        """Number of steps as written, without the one at which the axes do not apply."""
        return max(self.sizes[0] - bool(self.needs), 1)


@dataclass(frozen=True, slots=True)
class Written:
    """Everything that decides the dimensions: the axes, which are linked, and values added later."""

    axes: Mapping[str, WrittenAxis]
    linked: Sequence[Sequence[str]]
    extensions: Sequence[Mapping[str, Sequence[object]]]
    fixed: Mapping[str, Any]
    known: Variables

    def groups(self) -> list[list[str]]:
        """Return the names that move together, in the order of the grid; raises InvalidInputError."""
        member_of: dict[str, int] = {}
        for index, names in enumerate(self.linked):
            for name in names:
                if name not in self.axes:
                    raise InvalidInputError.of(f"linked[{index}]", f"{quoted(name)} is no axis of the grid")
                if name in member_of:
                    raise InvalidInputError.of(f"linked[{index}]", f"{quoted(name)} is linked already")
                member_of[name] = index
        groups: dict[object, list[str]] = {}
        for name in self.axes:
            groups.setdefault(member_of.get(name, name), []).append(name)
        return list(groups.values())

    def sizes(self, names: Sequence[str]) -> tuple[int, ...]:
        """Return the number of values of the group at first and after each extension, all members the same.

        Raises: InvalidInputError where the members differ.
        """
        counts = [self._counts(name) for name in names]
        for name, count in zip(names, counts, strict=True):
            if count != counts[0]:
                raise InvalidInputError.of(
                    "linked",
                    f"{names[0]} has {counted(counts[0][-1], 'value')} and {name} {count[-1]}; "
                    "linked axes move together and need as many",
                )
        return counts[0]

    def _counts(self, name: str) -> tuple[int, ...]:
        counts = [self.axes[name].form.size]
        for added in self.extensions:
            counts.append(counts[-1] + len(added.get(name, ())))
        return tuple(counts)

    def raws(self, name: str) -> dict[str, object]:
        """Return all values of an axis as written, by their path in the sweep."""
        return raw_values(self.axes[name], self.extensions)


def raw_values(axis: WrittenAxis, extensions: Sequence[Mapping[str, Sequence[object]]]) -> dict[str, object]:
    """Return all values of an axis as written, by their path in the sweep."""
    paths = {f"grid.{axis.name}.values[{at}]": raw for at, raw in enumerate(axis.form.expanded())}
    for index, added in enumerate(extensions):
        for at, raw in enumerate(added.get(axis.name, ())):
            paths[f"extensions[{index}].{axis.name}[{at}]"] = raw
    return paths


def dimensions(written: Written) -> tuple[Dimension, ...]:
    """Return the dimensions in the order written, every value checked; raises InvalidInputError."""
    groups = written.groups()
    place_of = {name: index for index, group in enumerate(groups) for name in group}
    values = _all_values(written, groups)
    found: list[Dimension] = []
    for group in groups:
        sizes = written.sizes(group)
        when = _merged_condition(written, group)
        conditional, applies = bool(when), _fixed_part_holds(written, group, when)
        if conditional and applies:
            when = {name: asked for name, asked in when.items() if name in written.axes}
            conditional = bool(when)
        kept = values if applies else dict.fromkeys(group, ())
        axes = _axes(written, group, kept, conditional=conditional)
        if not applies:
            found.append(Dimension(axes, (1,) * len(sizes)))
            continue
        needs = tuple(_need(written, values, found, place_of, name, raw, group) for name, raw in when.items())
        found.append(Dimension(axes, tuple(size + conditional for size in sizes), needs))
    return tuple(found)


def _all_values(written: Written, groups: Sequence[Sequence[str]]) -> dict[str, tuple[Any, ...]]:
    values: dict[str, tuple[Any, ...]] = {}
    errors = FieldErrors()
    for group in groups:
        for name in group:
            try:
                values[name] = parsed_values(
                    name, written.raws(name), written.known, distinct=len(group) == 1
                )
            except InvalidInputError as error:
                errors.take(error)
    errors.raise_if_any()
    for group in groups:
        if len(group) > 1:
            _refuse_repeated_rows(group, values)
    return values


def _refuse_repeated_rows(group: Sequence[str], values: Mapping[str, Sequence[Any]]) -> None:
    first: dict[tuple[Any, ...], int] = {}
    for index, row in enumerate(zip(*(values[name] for name in group), strict=True)):
        if row in first:
            raise InvalidInputError.of(
                f"grid.{group[0]}.values[{index}]",
                f"repeats, with the axes linked to it, what stands at [{first[row]}]",
            )
        first[row] = index


def _merged_condition(written: Written, group: Sequence[str]) -> dict[str, tuple[object, ...]]:
    merged: dict[str, tuple[object, ...]] = {}
    for member in group:
        for name, asked in written.axes[member].when.items():
            path = f"grid.{member}.when.{name}"
            if merged.setdefault(name, asked) != asked:
                raise InvalidInputError.of(path, "is not what the axes linked to it ask for")
            if name not in written.axes and name not in written.fixed:
                raise InvalidInputError.of(path, f"{quoted(name)} is no parameter of this sweep")
            if name in group:
                raise InvalidInputError.of(path, "an axis cannot depend on itself")
    return merged


def _fixed_part_holds(written: Written, group: Sequence[str], when: Mapping[str, tuple[object, ...]]) -> bool:
    return all(
        written.fixed[name]
        in parsed_values(name, _paths(f"grid.{group[0]}.when.{name}", asked), written.known, distinct=False)
        for name, asked in when.items()
        if name not in written.axes
    )


def _need(
    written: Written,
    values: Mapping[str, tuple[Any, ...]],
    before: Sequence[Dimension],
    place_of: Mapping[str, int],
    name: str,
    asked: tuple[object, ...],
    group: Sequence[str],
) -> Need:
    path = f"grid.{group[0]}.when.{name}"
    parent = place_of[name]
    is_conditional = any(written.axes[one].when for one in written.axes if place_of[one] == parent)
    if is_conditional and parent > place_of[group[0]]:
        raise InvalidInputError.of(path, f"write {quoted(name)} first: it is conditional itself")
    wanted = parsed_values(name, _paths(path, asked), written.known, distinct=False)
    there, meant = frozenset(values[name]), frozenset(wanted)
    for value in wanted:
        if value not in there:
            label = written.known.label(name, value)
            raise InvalidInputError.of(path, f"{quoted(label)} is no value of the axis {quoted(name)}")
    allowed = [value in meant for value in values[name]]
    if is_conditional and before[parent].axes[0].conditional:
        allowed = [False, *allowed]
    return Need(parent, np.array(allowed[: before[parent].sizes[-1]] if is_conditional else allowed))


def _paths(path: str, asked: Sequence[object]) -> dict[str, object]:
    return {f"{path}[{index}]": raw for index, raw in enumerate(asked)}


def _axes(
    written: Written, group: Sequence[str], values: Mapping[str, tuple[Any, ...]], *, conditional: bool
) -> tuple[Axis, ...]:
    return tuple(
        _axis(written.known, name, values[name], conditional=conditional, linked=len(group) > 1)
        for name in group
    )


def _axis(known: Variables, name: str, values: Sequence[Any], *, conditional: bool, linked: bool) -> Axis:
    distinct = tuple(dict.fromkeys(values))
    absent: tuple[Any, ...] = ()
    if conditional:
        field = known.fields[name]
        if field.is_required():
            raise InvalidInputError.of(f"grid.{name}.when", "every run needs this parameter")
        absent = (field.get_default(call_default_factory=True),)
    places = None
    if linked and len(distinct) < len(values):
        index = {value: at + len(absent) for at, value in enumerate(distinct)}
        places = (0,) * len(absent) + tuple(index[value] for value in values)
    labels = (*(None for _ in absent), *(known.label(name, value) for value in distinct))
    return Axis(name, (*absent, *distinct), labels, known.adapter(name), conditional, places)
