"""Walk-forward of a sweep, as the OpenAPI document describes it and as it is answered."""

from typing import Any

from pydantic import BaseModel, Field

from api.schemas.runs import EquityPoints, TradeDocument
from bot.selection.report import SelectionReport
from sweeps.analysis.judged.judged_panels import JudgedPanels
from sweeps.jobs.selection_jobs import SelectionView

Figures = dict[str, Any]
NO_CURVES = dict.fromkeys(("equity", "hold", "seams", "trades"))
_NO_FOLDS = dict.fromkeys(("folds", "changes", "efficiency", "metrics", "hold"))


class FoldDocument(BaseModel):
    """Days to choose on and days to test on, the trial in force on the latter (null: cash), its results."""

    train: list[int] = Field(description="first day, and the day after the last, from `first_day` on")
    test: list[int]
    train_dates: list[str] = Field(description="first and last day")
    test_dates: list[str]
    trial: int | None
    train_sharpe: float | None = Field(description="daily, of the trial by itself")
    test_sharpe: float | None
    net_pnl: str | None = Field(description="of the stitched run; those of all folds add up to its own")


class WalkForward(BaseModel):
    """Folds, and the one run over all test days in which their trials follow each other."""

    sweep: int
    settings_digest: str
    panel: int
    first_day: str
    days: int
    folds: list[FoldDocument] | None
    changes: int | None = Field(description="seams that put another trial in force")
    efficiency: float | None = Field(description="mean test Sharpe over mean train Sharpe")
    metrics: Figures | None = Field(description="of the stitched run")
    hold: Figures | None = Field(description="of holding over the same days")
    missing: str | None = Field(None, description="why there are no folds, or no stitched run")


class WalkForwardCurves(BaseModel):
    """Curves of a stitched run and of holding: times (ms UTC) and equity. Null where `missing` says why."""

    equity: EquityPoints | None
    hold: EquityPoints | None
    seams: list[int] | None = Field(description="events at which other parameters came into force, ms UTC")
    trades: list[TradeDocument] | None
    missing: str | None = None


def walk_forward_answer(view: SelectionView, panels: JudgedPanels, place: int | None) -> dict[str, Any]:
    """Return the folds of a report that is made, as JSON values."""
    report = panels.at(place).report
    missing = stitched_missing(report)
    return {
        "sweep": view.sweep.id,
        "settings_digest": view.settings.digest,
        "panel": panels.best if place is None else place,
        "first_day": report.panel.calendar.first_day.isoformat(),
        "days": report.panel.calendar.days,
        **(report.document()["walk_forward"] or _NO_FOLDS),
        **({"missing": missing} if missing else {}),
    }


def stitched_missing(report: SelectionReport) -> str | None:
    """Return why a report has no folds or no stitched run, None if it has both."""
    return report.missing.get("walk_forward") or report.missing.get("stitched")
