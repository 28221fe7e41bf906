"""The shapes of the API's answers, for documentation and clients. Money is text, times are ISO UTC."""

from typing import Annotated, Any

from orjson import Fragment
from pydantic import BaseModel, Field

from api.schemas.fields import Of, document_of
from api.schemas.marks import MarkedTrial
from bot.timestamps import iso
from sweeps.analysis.progress import SweepView
from sweeps.analysis.queries import TrialView
from sweeps.jobs.jobs import JobKind, JobState, JobView
from sweeps.storage.states import SweepOutcome, SweepState, TrialState

Metrics = Annotated[
    dict[str, str | int | float | None],
    Field(description="money as text; counts and statistics as numbers; null where undefined"),
]
Params = Annotated[dict[str, Any], Field(description="the varied parameters; decimals as text")]


class ProblemField(BaseModel):
    """One refused field."""

    field: str
    message: str


class Window(BaseModel):
    """A window of history, both ends inclusive."""

    start: str
    end: str


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemField] | None = None
    common_window: Window | None = Field(
        None, description="a window that everything asked for is held of, where the one asked for is not"
    )


class TrialReference(BaseModel):
    """A trial of any sweep, which may be deleted by now."""

    sweep: int
    trial: int


class DataFinding(BaseModel):
    """An oddity of recorded data; times in ms UTC, `symbol` and `leg` null where it is about all of them."""

    symbol: str | None
    leg: str | None
    name: str
    count: int
    from_ms: int | None
    to_ms: int | None
    detail: str


class RunFinding(DataFinding):
    """An oddity that a run's numbers have to be read with; a warning is about P&L that may not be real."""

    warning: bool
    pnl: str | None = Field(description="the part of the net P&L that comes from it; null where unknown")
    mainly: bool = Field(description="whether that is more than half of the net P&L")


class SweepFinding(DataFinding):
    """An oddity of windows of a sweep, as the window with the most rows of it shows it."""

    serious: bool = Field(description="whether it may give P&L that nobody could have earned")
    windows: int = Field(description="windows of the sweep that show it")


class SweepFindings(BaseModel):
    """Oddities of the data of a sweep's windows, serious ones first, as far as workers have read them."""

    findings: list[SweepFinding]


def _origin(trial: TrialView) -> dict[str, int] | None:
    if trial.reused_from is None:
        return None
    sweep_id, number = trial.reused_from
    return {"sweep": sweep_id, "trial": number}


def _mark(trial: TrialView) -> dict[str, Any] | None:
    return None if trial.mark is None else trial.mark.document()


def _findings(trial: TrialView) -> list[dict[str, Any]]:
    return [finding.document() for finding in trial.findings]


class TrialDocument(BaseModel):
    """One trial; without a result while it is pending, and if it failed."""

    number: int
    params: Params
    state: TrialState
    metrics: Metrics | None
    error: str | None
    run_key: str | None
    ledger: str | None = Field(description="a digest of what the account booked, as hex")
    reused_from: Annotated[TrialReference | None, Of(_origin)] = Field(
        description="the trial whose result was reused"
    )
    findings: Annotated[list[RunFinding], Of(_findings)] = Field(
        description="findings about its data, warnings first"
    )
    eligible: bool = Field(
        description="whether it can be ranked first: enough trades and settlements, not flat"
    )
    ineligible: str | None = Field(description="why a completed trial cannot win; null if it can")
    p_luck: float | None = Field(description="chance that luck shows its Sharpe; null until judged")
    plateau: float | None = Field(
        description="worst objective among it and the settings next to it; null until judged"
    )
    equal: int | None = Field(description="trials of equal results, where `distinct` makes them one")
    mark: Annotated[MarkedTrial | None, Of(_mark)] = Field(
        description="name, note and pin that readers left on it"
    )


class TrialDetail(TrialDocument):
    """One trial with every parameter of its run."""

    config: dict[str, Any] | None
    hold_baseline: dict[str, Any] | None = Field(description="what holding would have earned instead")
    blocked_entries: list[dict[str, Any]] | None = Field(
        description="entry blockers of a trial without trades; null where it cannot be replayed"
    )


class BestTrial(BaseModel):
    """The best finished trial by the sweep's objective."""

    number: int
    params: Params
    metrics: Metrics


def _moment(time_ms: int | None) -> str | None:
    return None if time_ms is None else iso(time_ms)


def _best(sweep: SweepView) -> dict[str, Any] | None:
    return None if sweep.best is None else document_of(BestTrial, sweep.best)


class SweepDocument(BaseModel):
    """A sweep and how far it is: `rate` in trials per second, `eta` in seconds, both null when idle."""

    id: int
    name: Annotated[str, Of[SweepView](lambda sweep: sweep.summary.name)]
    state: SweepState
    outcome: SweepOutcome | None = Field(
        description="how it ended, null while it has not; a completed sweep may have failed trials"
    )
    trials_total: int
    trials_done: int
    trials_failed: int
    trials_reused: int
    rate: float | None
    eta: Annotated[float | None, Of[SweepView](lambda sweep: sweep.eta_s)]
    created_at: Annotated[str, Of[SweepView](lambda sweep: iso(sweep.created_ms))]
    started_at: Annotated[str | None, Of[SweepView](lambda sweep: _moment(sweep.started_ms))]
    finished_at: Annotated[str | None, Of[SweepView](lambda sweep: _moment(sweep.finished_ms))]
    engine_version: str
    best_trial: Annotated[BestTrial | None, Of(_best)]
    finding_names: list[str] = Field(description="of the findings about the data of its windows")
    reason: str | None = Field(description="why the service itself ended the sweep")
    data_changed: Annotated[bool, Of[SweepView](lambda sweep: sweep.data_changed is not None)] = Field(
        description="whether the market data it was submitted on are no longer held"
    )
    data_change: Annotated[str | None, Of[SweepView](lambda sweep: sweep.data_changed)] = Field(
        description="what became of them"
    )
    tags: list[str]
    note: str
    spec: Annotated[dict[str, Any], Of[SweepView](lambda sweep: Fragment(sweep.spec_text))]


class FailureReason(BaseModel):
    """Reason for which some trials failed; reasons that differ only in figures count as one."""

    code: str
    message: str = Field(description="the exact reason of the example")
    trials: int
    example: int = Field(description="the lowest number of a trial that failed so")


class FailureReport(BaseModel):
    """Reasons of a sweep's failed trials, the most frequent first."""

    failed: int
    examined: int = Field(description="failed trials that were counted, those with the lowest numbers")
    reasons: list[FailureReason]


class CandidateDocument(BaseModel):
    """Trial that is the centre of the largest plateau, as it stood when the sweep was last judged."""

    number: int
    annualized_return: float | None
    net_pnl_over_hold: str | None = Field(description="net P&L less that of holding, quote currency")


class ListedSweep(SweepDocument):
    """A sweep in a list, with its market, its window and its candidate."""

    symbols: Annotated[list[str], Of[SweepView](lambda sweep: list(sweep.summary.symbols()))]
    exchanges: Annotated[
        list[str], Of[SweepView](lambda sweep: [str(one) for one in sweep.summary.exchanges()])
    ]
    start: Annotated[str, Of[SweepView](lambda sweep: iso(sweep.summary.start_ms))]
    end: Annotated[str, Of[SweepView](lambda sweep: iso(sweep.summary.end_ms))]
    candidate: Annotated[CandidateDocument | None, Of[SweepView](lambda _: None)] = None


class SweepPage(BaseModel):
    """Sweeps, newest first."""

    sweeps: list[ListedSweep]
    next_cursor: str | None


class TrialPage(BaseModel):
    """Trials in the order asked for; undefined values last."""

    trials: list[TrialDocument]
    next_cursor: str | None


class JobError(BaseModel):
    """Error that ended a job."""

    code: str | None
    detail: str


def _failure(job: JobView) -> dict[str, Any] | None:
    return {"code": job.error_code, "detail": job.error} if job.error else None


class JobDocument(BaseModel):
    """A single job: its result document once it is completed, an error once it failed."""

    id: int
    kind: JobKind
    state: JobState
    created_at: Annotated[str, Of[JobView](lambda job: iso(job.created_ms))]
    finished_at: Annotated[str | None, Of[JobView](lambda job: _moment(job.finished_ms))]
    request: dict[str, Any]
    progress: dict[str, Any] | None
    result: dict[str, Any] | None
    error: Annotated[JobError | None, Of(_failure)]


class Liveness(BaseModel):
    """This process answers."""

    status: str


class Readiness(BaseModel):
    """Components and whether they answer."""

    status: str
    components: dict[str, str]
    processes: dict[str, int] = Field(description="live dispatchers and workers")
    replays: str = Field(description="code that replays sweeps, as this machine has it")
    slots: int = Field(description="processes that replay trials")


class RemovedRows(BaseModel):
    """Rows of a series that were deleted, the outermost at these times."""

    symbol: str
    kind: str
    timeframe_ms: int
    rows: int
    first_ms: int
    last_ms: int


class RemovalReport(BaseModel):
    """Rows deleted from a data set, or to be deleted by a dry run."""

    exchange: str
    series: list[RemovedRows]
    rows: int
    reinferred: int = Field(description="settlements that stay, but with another funding interval")
    deleted: bool


class CoverageReport(BaseModel):
    """Series held, by exchange and symbol."""

    exchanges: list[dict[str, Any]]


class StrategyDocument(BaseModel):
    """A strategy: the JSON schema of its own parameters, their defaults, a first grid, named presets."""

    name: str
    version: str
    title: str
    parameters: dict[str, Any]
    defaults: dict[str, Any]
    default_grid: dict[str, Any]
    presets: dict[str, dict[str, Any]]


class StrategyList(BaseModel):
    """The installed strategies, and the parameters that runs of all of them have."""

    strategies: list[StrategyDocument]
    unusable: dict[str, str] = Field(description="installed strategies that cannot be used, and why")
    account: dict[str, Any]


class PlannedAxis(BaseModel):
    """An axis of a planned sweep: how many values, and which come first and last."""

    name: str
    size: int
    first: Any
    last: Any
    linked: list[str]
    conditional: bool


class UnreadAxis(BaseModel):
    """Axis that repeats `trials` trials; `when` would leave them out, null where no trial reads the axis.

    It repeats none where its own condition holds in no trial.
    """

    axis: str
    when: dict[str, list[Any]] | None
    trials: int
    message: str


class Rejection(BaseModel):
    """Number of cells that a constraint alone rejects."""

    constraint: str
    cells: int


class Estimate(BaseModel):
    """Time with the worker processes that live now, and space; `basis` says what the time rests on.

    `warning` says, without a usable replay kernel, that sweeps run plainly and how much slower; else null.
    """

    seconds: float
    core_seconds: float
    workers: int
    trials_per_second: float
    measured: bool
    basis: str
    bytes: int
    warning: str | None


class SweepPlan(BaseModel):
    """Plan of a sweep; `duplicates` differ only in parameters that their runs do not read."""

    trials: int
    cells: int
    axes: list[PlannedAxis]
    rejected: list[Rejection]
    duplicates: int
    unread: list[UnreadAxis]
    estimate: Estimate
    spec: dict[str, Any]
