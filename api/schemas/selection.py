"""Report on the selection of a sweep, as the OpenAPI document describes it and as it is answered."""

from typing import Any

from pydantic import BaseModel, Field

from bot.selection.settings import ValidationSettings
from sweeps.jobs.selection_jobs import SelectionView
from sweeps.storage.states import SweepState

Figures = dict[str, Any]


class PanelHead(BaseModel):
    """Trials of one market and window, and the verdict on the best of them."""

    exchange: str | None
    symbols: list[str]
    start: str
    end: str
    first_day: str = Field(description="the first UTC day with a settlement; days count from it")
    days: int
    winner: int | None = Field(description="number of the best eligible trial")
    verdict: str = Field(description="`too_little`, `luck`, `holding`, `fragile` or `holds_up`")
    meaning: str = Field(description="the verdict in words")
    sentence: str = Field(description="verdict, reason and figures for people; Sharpe ratios a year")


class PanelReport(PanelHead):
    """Report on one panel; Sharpe ratios in figures are daily. A part that is null is named in `missing`."""

    trials: Figures = Field(description="tried at these days, eligible, distinct, worth so many independent")
    cash: Figures | None = Field(description="luck of the search, and the record of the winner")
    hold: Figures | None = Field(description="the same of returns less those of holding")
    pbo: Figures | None = Field(description="probability of backtest overfitting")
    cv: Figures | None = Field(description="purged cross-validation")
    walk_forward: Figures | None = Field(
        description="folds, and metrics of their stitched run beside holding over the same days"
    )
    plateau: float | None = Field(
        description="worst objective of the winner and the trials one step away on any axis of numbers"
    )
    random_entries: float | None = Field(
        description="chance that the winner's trips at random moments earn as much"
    )
    transfer: Figures | None = Field(description="ranks of what is chosen on other pairs, and their mean")
    missing: dict[str, str] | None = Field(None, description="why a part is null")
    panel: int = Field(description="its place among the panels")
    panels: list[PanelHead] = Field(description="all panels of the sweep")


class Selection(PanelReport):
    """Report on the selection of a sweep."""

    sweep: int
    state: SweepState
    settings: ValidationSettings
    settings_digest: str


class SelectionSoFar(BaseModel):
    """The report so far: on the trials that there are while the sweep runs, null while it is made."""

    sweep: int
    state: SweepState
    settings: ValidationSettings
    settings_digest: str
    trials_total: int
    trials_done: int
    share: float | None = Field(description="the share of the report that is made; null while trials run")
    so_far: PanelReport | None = Field(description="the report on the trials so far")


def selection_document(view: SelectionView, panel: int | None) -> dict[str, Any]:
    """Return a report, or what there is of it, as JSON values."""
    sweep = view.sweep
    head = {
        "sweep": sweep.id,
        "state": sweep.state,
        "settings": view.settings.document(),
        "settings_digest": view.settings.digest,
    }
    report = None if view.panels is None else view.panels.document(panel)
    if view.complete and report is not None:
        return {**head, **report}
    counts = {"trials_total": sweep.trials_total, "trials_done": sweep.trials_done}
    return {**head, **counts, "share": view.share, "so_far": report}
