"""The two axes of a sweep that matter: its map shows them first."""

import sqlalchemy as sa

from sweeps.analysis.importance import leading_importance
from sweeps.analysis.selection import selected
from sweeps.spec.scenarios import Scenarios
from sweeps.spec.spec import SweepSpec


def leading_axes(
    connection: sa.Connection, sweep_id: int, spec: SweepSpec, scenarios: Scenarios
) -> list[str]:
    """Return at most two axes, as written: those that explain most of the objective's variance.

    It is that of the eligible trials, of all while none is. Of equal axes those with more values come
    first, scenario axes last.
    """
    metric = spec.objective.metric
    done, cells = selected(connection, sweep_id, spec, [metric], None, scenarios)
    found = leading_importance(spec, done, cells, metric, scenarios) or []
    shares = {one.name: one.share for one in found}
    ranked = sorted(
        spec.axes,
        key=lambda axis: (axis.name in scenarios.axes, -shares.get(axis.name, 0.0), -len(axis.values)),
    )
    leading = {axis.name for axis in ranked[:2]}
    return [axis.name for axis in spec.axes if axis.name in leading]
