"""Parameters that several routes share."""

import re
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import BeforeValidator
from pydantic_core import PydanticKnownError

from api.routes.query_names import refuse_repeated
from bot.errors import InvalidInputError
from sweeps.analysis.trial_places import TrialsAsked
from sweeps.spec.scenarios import ScenarioRank, Scenarios

LARGEST_ID = 2**31 - 1
_NUMBER = re.compile(r"-?\d+", re.ASCII)


def _of_digits(text: object) -> object:
    """Refuse what Python reads as a number as well: nobody means sweep 10 by `1_0`, or deletes `1.0`."""
    if isinstance(text, str) and not _NUMBER.fullmatch(text):
        raise PydanticKnownError("int_parsing")
    return text


PathNumber = Annotated[int, BeforeValidator(_of_digits)]
"""Number in a path, of digits alone."""
SweepId = Annotated[PathNumber, Path(ge=1, le=LARGEST_ID, description="number of the sweep")]
TrialNumber = Annotated[PathNumber, Path(ge=0, le=LARGEST_ID, description="number of the trial in its sweep")]
JobId = Annotated[PathNumber, Path(ge=1, description="number of the job")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=500,
        pattern="^[A-Za-z0-9_=-]+$",
        description="`next_cursor` of the page before; the first one if left out",
    ),
]
Limit = Annotated[int, Query(ge=1, le=1000, description="most rows of a page")]


_Number = Annotated[int | None, Query(ge=0, le=LARGEST_ID)]


async def _named_trial(sweep: _Number = None, trial: _Number = None) -> tuple[int, int] | None:
    if sweep is not None and trial is not None:
        return sweep, trial
    if sweep is None and trial is None:
        return None
    given, missing = ("trial", "sweep") if sweep is None else ("sweep", "trial")
    raise InvalidInputError.of(missing, f"is required beside {given}: both together name a trial")


NamedTrial = Annotated[tuple[int, int] | None, Depends(_named_trial)]
"""Sweep and number of a trial that a page begins with."""

NO_AXES = "none"
SCENARIO_PARAMETERS = frozenset({"scenarios", "scenario_rank"})


async def _scenarios(
    scenarios: Annotated[
        str | None,
        Query(
            max_length=1000,
            description="axes that settings are ranked over instead of chosen from, by comma, or `none`; "
            "those of the sweep if left out",
        ),
    ] = None,
    scenario_rank: Annotated[
        ScenarioRank | None, Query(description="scenario that a setting is ranked at; with `scenarios`")
    ] = None,
) -> Scenarios | None:
    if scenarios is None:
        if scenario_rank is not None:
            raise InvalidInputError.of(
                "scenario_rank", "names no axes to rank over: give `scenarios` as well"
            )
        return None
    axes = () if scenarios == NO_AXES else tuple(scenarios.split(","))
    return Scenarios(axes=axes, rank=scenario_rank or ScenarioRank.WORST)


AskedScenarios = Annotated[Scenarios | None, Depends(_scenarios)]


TABLE_PARAMETERS = frozenset({"sort", "distinct"}) | SCENARIO_PARAMETERS


async def _table(
    scenarios: AskedScenarios,
    sort: Annotated[
        str | None,
        Query(
            max_length=300,
            description="metric, axis or `number`, `-` for descending; several by comma, each for what is "
            "equal in those before it; best first if left out",
        ),
    ] = None,
    distinct: Annotated[
        bool,
        Query(
            description="completed trials of equal results as one, but for marked ones; `equal` says how many"
        ),
    ] = False,
) -> TrialsAsked:
    return {"sort": sort, "distinct": distinct, "scenarios": scenarios}


AskedTable = Annotated[TrialsAsked, Depends(_table)]


def other_parameters(request: Request, known: frozenset[str]) -> dict[str, str]:
    """Return the query parameters besides the `known` ones: axes by name, with the text of a value.

    Raises: InvalidInputError for a name that is given more than once, of which one value would be ignored.
    """
    refuse_repeated(request.query_params, hint=", as a value or lowest..highest")
    return {name: value for name, value in request.query_params.items() if name not in known}
