"""Outcome of a sweep: its state, and whether trials of a completed one failed."""

import pytest

from sweeps.storage.states import SweepOutcome, SweepState, sweep_outcome


@pytest.mark.parametrize("state", [SweepState.QUEUED, SweepState.RUNNING, SweepState.PAUSED])
def test_sweep_that_goes_on_has_no_outcome(state: SweepState) -> None:
    assert sweep_outcome(state, 3) is None


@pytest.mark.parametrize(
    ("state", "failed", "outcome"),
    [
        (SweepState.COMPLETED, 0, SweepOutcome.COMPLETED),
        (SweepState.COMPLETED, 1, SweepOutcome.COMPLETED_WITH_FAILURES),
        (SweepState.FAILED, 2, SweepOutcome.FAILED),
        (SweepState.CANCELLED, 2, SweepOutcome.CANCELLED),
    ],
)
def test_ended_sweep_with_failures_is_told_from_one_without(
    state: SweepState, failed: int, outcome: SweepOutcome
) -> None:
    assert sweep_outcome(state, failed) is outcome
