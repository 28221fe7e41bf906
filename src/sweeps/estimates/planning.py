"""Plan of a sweep before anything is stored: its size, what repeats, time and space."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.kernel.loading import plain_replays
from sweeps.estimates.costing import CostMeter
from sweeps.estimates.space import stored_bytes
from sweeps.estimates.unread import LeftOutAxis, Repetitions, UnreadAxis, left_out_axes
from sweeps.queue.chunks import chunk_sizes
from sweeps.queue.heartbeats import live_slots
from sweeps.queue.rates import measured_rates
from sweeps.spec.spec import SweepSpec

START_SECONDS = 0.1
"""Seconds of the clock that the smallest sweep takes, from its submission through a worker to its end."""

_AS_MEASURED = "as workers measured such trials lately"
_GUESSED = "a guess, nothing was measured here yet"


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep by numbers. `cells` counts combinations of its axes, `duplicates` the trials that differ from
    another one only in parameters that their runs do not read, `unread` the axes that make such trials, and
    those that no trial has a value of.

    Seconds are those of one core, `elapsed_s` with the workers that live now, at least one, of which no more
    than `chunks` work. `besides_s` go to what is no trial: windows, curves that are kept, and the report.
    """

    spec: SweepSpec
    cells: int
    trials: int
    rejected: tuple[int, ...]
    duplicates: int
    unread: tuple[UnreadAxis | LeftOutAxis, ...]
    slots: int
    chunks: int
    measured: bool
    basis: str
    trial_s: float
    besides_s: float
    bytes: int

    @property
    def core_s(self) -> float:
        """Processor time of the whole sweep."""
        return self.trials * self.trial_s + self.besides_s

    @property
    def elapsed_s(self) -> float:
        """Time the sweep would take with the worker processes that live now."""
        return START_SECONDS + self.core_s / max(min(self.slots, self.chunks), 1)

    def document(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "trials": self.trials,
            "cells": self.cells,
            "axes": [_axis_document(self.spec, name) for name in self.spec.space.by_name],
            "rejected": [
                {"constraint": text, "cells": count}
                for text, count in zip(self.spec.constraints, self.rejected, strict=False)
            ],
            "duplicates": self.duplicates,
            "unread": [axis.document() for axis in self.unread],
            "estimate": {
                "seconds": self.elapsed_s,
                "core_seconds": self.core_s,
                "workers": self.slots,
                "trials_per_second": max(self.slots, 1) / self.trial_s,
                "measured": self.measured,
                "basis": self.basis,
                "bytes": self.bytes,
                "warning": plain_replays(),
            },
            "spec": self.spec.document(),
        }


def plan_sweep(connection: sa.Connection, spec: SweepSpec, meter: CostMeter | None = None) -> Plan:
    """Return the plan of `spec` on this machine.

    Its time is measured by `meter` on its own windows; where that cannot be done, it follows from the rates
    that workers measured.
    """
    slots = live_slots(connection)
    cost = meter.cost(spec) if meter else None
    rates = measured_rates(connection)
    measured = rates.measured(spec)
    trial_s = rated_s = rates.trial_seconds(spec)
    basis = _AS_MEASURED if measured else _GUESSED
    if cost is not None:
        measured, basis = True, cost.basis
        trial_s = cost.trial_s(spec)
    # As it will be cut, whatever is measured here.
    chunks = len(chunk_sizes(spec.trial_count, rated_s, slots))
    repetitions = Repetitions(spec)
    return Plan(
        spec=spec,
        cells=spec.space.cells,
        trials=spec.trial_count,
        rejected=_rejected(spec),
        duplicates=repetitions.count(),
        unread=(*repetitions.axes(), *left_out_axes(spec)),
        slots=slots,
        chunks=chunks,
        measured=measured,
        basis=basis,
        trial_s=trial_s,
        besides_s=0.0 if cost is None else cost.besides(spec, chunks, max(min(slots, chunks), 1)),
        bytes=stored_bytes(spec, None if cost is None else cost.distinct, chunks),
    )


def _rejected(spec: SweepSpec) -> tuple[int, ...]:
    counts = [part.rejected for part in spec.space.parts if part.rejected]
    return tuple(map(sum, zip(*counts, strict=True)))


def _axis_document(spec: SweepSpec, name: str) -> dict[str, Any]:
    space = spec.space
    axis = space.by_name[name]
    dimension = space.dimensions[space.dimension_of[name]]
    linked = [other.name for other in dimension.axes if other.name != name]
    values = axis.labels[int(axis.conditional) :]
    return {
        "name": name,
        "size": len(values),
        "first": values[0] if values else None,
        "last": values[-1] if values else None,
        "linked": linked,
        "conditional": axis.conditional,
    }
