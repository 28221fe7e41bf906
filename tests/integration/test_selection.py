"""Selections judged from sums that workers left and from replays: one report, in both databases."""

import sqlalchemy as sa
from selecting import do_jobs, long_market, long_spec, plain_report, report_of_sweep, run_chunks, view_of
from sweeping import submit

HEAD = ("trials", "winner", "cash", "hold", "pbo", "cv", "walk_forward", "verdict")


def test_report_of_a_completed_sweep_is_that_of_its_trial_curves(engine: sa.Engine) -> None:
    long_market(engine)
    spec = long_spec()
    sweep_id = submit(engine, spec, size=7)
    run_chunks(engine, sweep_id, 6)
    assert not view_of(engine, sweep_id).complete
    assert do_jobs(engine) == ["completed"]
    found = report_of_sweep(engine, sweep_id)
    expected = plain_report(engine, spec)
    assert {name: found[name] for name in HEAD} == {name: expected[name] for name in HEAD}
    assert found["cash"] is not None
    assert found["walk_forward"] is not None
