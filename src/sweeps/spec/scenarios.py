"""Scenario axes: parameters that a trader does not choose, such as costs, window and capital.

Settings of the other axes are ranked at their worst or median scenario instead of their best.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast, Field

from bot.errors import InvalidInputError
from bot.notation import quoted
from sweeps.spec.axes import MAX_AXES
from sweeps.spec.axis_positions import checked_axis
from sweeps.spec.space import TrialSpace

CUSTOMARY = (
    *("spot_taker", "perp_taker", "slippage_bps", "start", "end", "initial_capital"),
    *("impact_bps", "borrow_rate_hourly", "liquidation_fee", "transfer_fee", "transfer_delay_minutes"),
    *("leg_out_delay_minutes", "stress"),
)
"""Parameters that are scenarios on the page of a sweep that names none."""


class ScenarioRank(StrEnum):
    """Scenario of a setting by which it is ranked; of two in the middle, the worse one is the median."""

    WORST = "worst"
    MEDIAN = "median"


class Scenarios(BaseModel):
    """Scenario axes of a sweep, and how settings are ranked over them; without any, a trial is a setting."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    axes: Annotated[tuple[str, ...], Field(max_length=MAX_AXES), FailFast()] = Field(
        description="axes that are not chosen; linked ones are named together"
    )
    rank: ScenarioRank = Field(ScenarioRank.WORST, description="scenario that a setting is ranked at")

    def besides(self, space: TrialSpace, shown: Collection[str]) -> "Scenarios":
        """Return the same without the axes shown, and those linked with them."""
        apart = {space.dimension_of[name] for name in shown}
        axes = tuple(name for name in self.axes if space.dimension_of[name] not in apart)
        return self.model_copy(update={"axes": axes})


NO_SCENARIOS = Scenarios(axes=())


def check_scenarios(space: TrialSpace, scenarios: Scenarios, field: str = "scenarios.axes") -> None:
    """Raise InvalidInputError unless scenarios name whole dimensions of a space and leave one to choose."""
    named = set(scenarios.axes)
    if len(named) < len(scenarios.axes):
        twice = next(name for name in scenarios.axes if scenarios.axes.count(name) > 1)
        raise InvalidInputError.of(field, f"{quoted(twice)} is named twice")
    for name in scenarios.axes:
        checked_axis(space, field, name)
        apart = [
            axis.name for axis in space.dimensions[space.dimension_of[name]].axes if axis.name not in named
        ]
        if apart:
            raise InvalidInputError.of(
                field, f"{quoted(name)} moves together with {quoted(apart[0])}: name both or neither"
            )
    if named and len(named) == len(space.axes):
        raise InvalidInputError.of(field, "names every axis, so that none is left to choose")


def customary_scenarios(space: TrialSpace) -> Scenarios:
    """Return the scenarios of a sweep that names none: what is customary, if another axis varies."""
    whole = [
        axis.name
        for dimension in space.dimensions
        for axis in dimension.axes
        if all(one.name in CUSTOMARY for one in dimension.axes)
    ]
    return NO_SCENARIOS if len(whole) == len(space.axes) else Scenarios(axes=tuple(whole))
