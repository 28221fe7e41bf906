"""Reports on the selection of sweeps: asked for, made by jobs, and what there is of one at a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.market_store.database import write_transaction
from bot.notation import quoted
from bot.selection.report import SelectionReport
from bot.selection.settings import USUAL, ValidationSettings
from bot.validation import validated
from sweeps.analysis.judged.judged_panels import JudgedPanels, judged_panels
from sweeps.analysis.progress import SweepView, get_spec, get_sweep
from sweeps.analysis.verdicts.verdict import candidate_row
from sweeps.errors import SweepStateError, UnknownJobError
from sweeps.jobs.job_reports import JobLostError, JobReport
from sweeps.jobs.jobs import (
    JobClaim,
    JobKind,
    JobState,
    JobView,
    claim_job,
    complete_job,
    create_job,
    get_job,
    open_jobs,
)
from sweeps.lifecycle.deleting import unless_deleted
from sweeps.lifecycle.looks import note_independent, note_validation
from sweeps.queue.heartbeats import live_slots
from sweeps.queue.reconcile import count_active
from sweeps.spec.panels import PanelWindow
from sweeps.spec.spec import check_test_symbols
from sweeps.storage.candidates import CandidateFigures, keep_candidate
from sweeps.storage.selection import (
    ReportRow,
    ask_for_report,
    forget_parts,
    give_to_job,
    keep_report,
    report_row,
    reports_to_make,
    settings_of,
)
from sweeps.storage.states import ENDED
from sweeps.storage.sweep_summary import stored_ranking
from sweeps.work.judging import (
    JudgedSelection,
    forget_needless_sums,
    judged_selection,
    selection_so_far,
)
from sweeps.work.replay import WindowCache

_WALK_FORWARD = "walk_forward"
_SHARE_OF_REPLAYS = 0.9
_CROWD = 2
"""Open sweeps for each process from which on reports are delayed."""
REPORT_PATIENCE_MS = 5_000
"""Delay of reports while many sweeps are open: a report takes as long as a small sweep."""
_LEAST_JOBS, _JOBS_PER_SLOT = 8, 2
"""Jobs of reports at a time: the process that ends one goes on with reports that have no job."""
_OF_CANDIDATE = ("annualized_return", "net_pnl_over_hold")


@dataclass(frozen=True, slots=True)
class SelectionView:
    """Selection of a sweep as people see it: its panels once they are judged, else those so far, if any.

    `share` of the report is made, None while the sweep has not ended.
    """

    sweep: SweepView
    settings: ValidationSettings
    complete: bool
    panels: JudgedPanels | None
    share: float | None = None


def selection_view(connection: sa.Connection, sweep_id: int, digest: str | None = None) -> SelectionView:
    """Return the report on a sweep's selection, or how far it is: by its own settings or those of a digest.

    Raises: UnknownSweepError; InvalidInputError for a digest of settings by which nobody asked for a report;
    SweepStateError where there is and will be no report.
    """
    sweep = get_sweep(connection, sweep_id)
    settings = _asked(connection, sweep, digest)
    row = report_row(connection, sweep_id, settings)
    if row is not None and row.text is not None:
        return SelectionView(sweep, settings, True, judged_panels(connection, sweep_id, row.text))
    if sweep.state not in ENDED:
        text = selection_so_far(connection, sweep, settings)
        so_far = None if text is None else judged_panels(connection, sweep_id, text)
        return SelectionView(sweep, settings, False, so_far)
    _refuse_without_results(sweep)
    job = _job(connection, row)
    if job is not None and job.state is JobState.FAILED:
        raise SweepStateError(job.error or "the report could not be made")
    share = (job.progress or {}).get("share", 0.0) if job else 0.0
    return SelectionView(sweep, settings, False, None, share)


def is_asked_for(connection: sa.Connection, sweep_id: int, digest: str | None = None) -> bool:
    """Return whether a report is there or comes by itself. Raises as `selection_view`."""
    sweep = get_sweep(connection, sweep_id)
    row = report_row(connection, sweep_id, _asked(connection, sweep, digest))
    if row is None:
        return sweep.state not in ENDED
    if row.text is not None or row.job_id is None:
        return True
    job = _job(connection, row)
    return job is not None and job.state is not JobState.COMPLETED


def ask_for_selection(
    connection: sa.Connection, sweep_id: int, changes: Mapping[str, Any] | None = None
) -> str:
    """Have a report on an ended sweep made that is not there, by its settings with `changes`.

    Return the digest of these.

    With changes, if only none, a report that could not be made is tried again.
    Raises: UnknownSweepError; InvalidInputError for settings that cannot be used; SweepStateError where there
    will be no report, or none by these settings before the sweep has ended.
    """
    sweep = get_sweep(connection, sweep_id)
    settings = _own(sweep) if changes is None else _changed(sweep, changes)
    if sweep.state not in ENDED:
        if settings != stored_ranking(sweep.spec_text).validation:
            said = "judge it by other settings once it has ended"
            raise SweepStateError(f"sweep {sweep.id} is {sweep.state}; {said}")
        return settings.digest
    _refuse_without_results(sweep)
    ask_for_report(connection, sweep_id, settings)
    row = report_row(connection, sweep_id, settings)
    if row is not None and row.text is None and row.job_id is not None:
        job = _job(connection, row)
        failed = job is not None and job.state is JobState.FAILED
        if job is None or job.state is JobState.COMPLETED or (failed and changes is not None):
            give_to_job(connection, row, None)
    return settings.digest


def reports_due(
    connection: sa.Connection, sweep_id: int | None = None, most: int = 1, *, giving: bool = False
) -> list[ReportRow]:
    """Return reports that are to be made now and that no job makes, of one sweep or the oldest.

    They are delayed while many sweeps are open. With `giving` no other transaction gives them to a job.
    """
    found = reports_to_make(connection, most, sweep_id=sweep_id, giving=giving)
    if found and count_active(connection) > _CROWD * max(live_slots(connection), 1):
        return reports_to_make(connection, most, age_ms=REPORT_PATIENCE_MS, sweep_id=sweep_id, giving=giving)
    return found


def give_reports_to_jobs(connection: sa.Connection) -> None:
    """Make a job of each report that is due, as long as processes have not enough of them."""
    most = max(_LEAST_JOBS, _JOBS_PER_SLOT * live_slots(connection))
    most -= open_jobs(connection, JobKind.SELECTION)
    for row in reports_due(connection, most=most, giving=True):
        _give(connection, row)


def take_report(connection: sa.Connection, sweep_id: int | None = None) -> JobClaim | None:
    """Claim the job of a report that nobody makes, of one sweep or the oldest; None without one.

    No message goes through dispatcher and broker, unless its process dies.
    """
    for row in reports_to_make(connection, 1, sweep_id=sweep_id, giving=True):
        return claim_job(connection, _give(connection, row))
    return None


def _give(connection: sa.Connection, row: ReportRow) -> int:
    request = {"sweep": row.sweep_id, "settings": row.settings.document()}
    job_id = create_job(connection, JobKind.SELECTION, request)
    give_to_job(connection, row, job_id)
    return job_id


def selection_document(
    engine: sa.Engine, claim: JobClaim, report: JobReport, windows: WindowCache
) -> dict[str, Any]:
    """Make the report of a job, store it with the job's end, and return which it was.

    `windows` are those of its process.

    Raises: SliceOverError if it is to be gone on with later; JobLostError if it was taken over meanwhile, and
    nothing is stored; UnknownSweepError, SweepStateError.
    """
    sweep_id = claim.request["sweep"]
    with unless_deleted(engine, sweep_id):
        return _made(engine, sweep_id, claim, report, windows)


def _made(
    engine: sa.Engine, sweep_id: int, claim: JobClaim, report: JobReport, windows: WindowCache
) -> dict[str, Any]:
    settings = ValidationSettings.model_validate(claim.request["settings"])

    def told(done: int, total: int) -> None:
        report.tell({"share": _SHARE_OF_REPLAYS * done / total, "step": "replaying trials without sums"})
        if done:
            report.check_slice()

    judged = judged_selection(engine, sweep_id, settings, report.clock, told, windows)
    with engine.connect() as connection:
        candidate = _candidate(connection, sweep_id, judged)
    with write_transaction(engine) as connection:
        spec = get_spec(connection, sweep_id)
        if keep_report(connection, sweep_id, settings, claim.id, judged.text):
            forget_parts(connection, sweep_id, judged.replayable)
        keep_candidate(connection, sweep_id, candidate)
        _note_looks(connection, sweep_id, settings, judged.reports, own=spec.validation == settings)
        forget_needless_sums(connection, sweep_id, spec, judged.panels)
        made = {"sweep": sweep_id}
        if not complete_job(connection, claim, made):
            raise JobLostError
    return made


def _candidate(connection: sa.Connection, sweep_id: int, judged: JudgedSelection) -> CandidateFigures | None:
    row = candidate_row(connection, sweep_id, judged.panels.spec, judged.trials, _OF_CANDIDATE)
    return None if row is None else CandidateFigures(row["number"], *(row[name] for name in _OF_CANDIDATE))


def _note_looks(
    connection: sa.Connection,
    sweep_id: int,
    settings: ValidationSettings,
    reports: Sequence[tuple[PanelWindow, SelectionReport]],
    *,
    own: bool,
) -> None:
    """Write down what the trials of a sweep are worth by its own settings, and each look by others."""
    for window, report in reports:
        if not own:
            note_validation(connection, sweep_id, window, settings.digest)
        elif report.cash is not None:
            note_independent(connection, sweep_id, window, report.cash.search.independent)


def _own(sweep: SweepView) -> ValidationSettings:
    own = stored_ranking(sweep.spec_text).validation
    if not own:
        said = "was submitted without validation; judge it by settings of your own, {} for the usual ones"
        raise SweepStateError(f"sweep {sweep.id} {said}")
    return own


def _changed(sweep: SweepView, changes: Mapping[str, Any]) -> ValidationSettings:
    """Return the settings of a sweep, changed name by name, those of its folds as well."""
    document = (stored_ranking(sweep.spec_text).validation or USUAL).document()
    merged = {**document, **changes}
    folds = changes.get(_WALK_FORWARD)
    if isinstance(folds, Mapping):
        merged[_WALK_FORWARD] = {**document[_WALK_FORWARD], **folds}
    settings = validated(ValidationSettings, merged)
    check_test_symbols(settings, sweep.summary.read_symbols)
    return settings


def _asked(connection: sa.Connection, sweep: SweepView, digest: str | None) -> ValidationSettings:
    """Return the settings that a digest names, which a report was asked for by, or the sweep's own."""
    own = stored_ranking(sweep.spec_text).validation
    if digest is None or (own and own.digest == digest):
        return _own(sweep)
    settings = settings_of(connection, sweep.id, digest)
    if settings is None:
        raise InvalidInputError.of("settings", f"no report by {quoted(digest[:80])} was requested")
    return settings


def _refuse_without_results(sweep: SweepView) -> None:
    if sweep.trials_done == sweep.trials_failed:
        raise SweepStateError(f"sweep {sweep.id} has no completed trial: there is nothing to judge")


def _job(connection: sa.Connection, row: ReportRow | None) -> JobView | None:
    if row is None or row.job_id is None:
        return None
    try:
        return get_job(connection, JobKind.SELECTION, row.job_id)
    except UnknownJobError:  # ended long ago, and was pruned
        return None
