"""Curves of a sweep that keeps those of all its trials, where they take too long."""

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from curving import curves_of, runner
from sweeping import BASE, stored_rows, submit, sweep_spec

from sweeps.queue.leases import LeaseOutcome
from sweeps.spec.spec import SweepSpec
from sweeps.watch import TimeLimitError
from sweeps.work import best_curves
from sweeps.work.kernel_samples import KernelSamples
from sweeps.work.replay import WindowCache

ALL = sweep_spec(
    base=BASE | {"min_funding_rate": "0.00001"}, grid={"slippage_bps": [0, 1, 2, 3, 4, 5]}, curves="all"
)


@pytest.fixture
def unsampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no run be known from a sample."""
    monkeypatch.setattr(KernelSamples, "compared", lambda *_: [])


@pytest.mark.usefixtures("unsampled")
def test_curves_that_take_too_long_together_are_worked_out_alone(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = curves_in_time(engine)
    assert len(undisturbed) == 6
    assert kept_when_slow(engine, monkeypatch, ALL) == undisturbed


@pytest.mark.usefixtures("unsampled")
def test_curve_that_takes_too_long_alone_is_the_only_one_that_is_missing(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = {number: curve for number, curve in curves_in_time(engine).items() if number != 3}
    assert kept_when_slow(engine, monkeypatch, ALL, hanging=3) == expected


def curves_in_time(engine: sa.Engine) -> dict[int, tuple[bytes, bytes]]:
    """Return the curves of a sweep that nothing slows down."""
    undisturbed = submit(engine, ALL)
    assert runner(engine).run(undisturbed, 0, "me") is LeaseOutcome.DONE
    return curves_of(engine, undisturbed)


def kept_when_slow(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, spec: SweepSpec, hanging: int | None = None
) -> dict[int, tuple[bytes, bytes]]:
    """Run a sweep of which no two curves can be worked out within the limit; returns the curves kept."""
    real = best_curves.runs_of

    def runs_of(spec: SweepSpec, numbers: Sequence[int], windows: WindowCache) -> Any:
        for done, number in enumerate(numbers):
            if done or number == hanging:
                raise TimeLimitError
            yield from real(spec, [number], windows)

    monkeypatch.setattr(best_curves, "runs_of", runs_of)
    sweep_id = submit(engine, spec)
    assert runner(engine).run(sweep_id, 0, "me") is LeaseOutcome.DONE
    assert [row["error_code"] for row in stored_rows(engine, sweep_id)] == [None] * spec.trial_count
    return curves_of(engine, sweep_id)
