"""The part of a sweep's page on the chance that its best trial is luck."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse

from api.dashboard.pages import Pages
from api.dependencies import DatabaseDep
from api.routes.parameters import SweepId
from bot.market_names import quote_of
from bot.selection.report import BenchmarkReport, SelectionReport
from sweeps.errors import SweepStateError
from sweeps.jobs.selection_jobs import SelectionView, ask_for_selection, is_asked_for, selection_view

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_DAYS_PER_YEAR = 365
_BINS = 40


async def _pages(request: Request) -> Pages:
    return cast("Pages", request.app.state.pages)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a histogram in shares of its box: left edge, width and height; `count` draws fell there."""

    left: float
    width: float
    height: float
    count: int


@dataclass(frozen=True, slots=True)
class LuckChart:
    """The best Sharpe ratio of each draw by luck alone as bars, and the winner's place among them, a year."""

    low: float
    high: float
    winner: float
    place: float
    bars: tuple[Bar, ...]

    @classmethod
    def of(cls, found: BenchmarkReport | None) -> "LuckChart | None":
        """Return the chart against one benchmark, None without a winner."""
        if found is None or found.winner is None:
            return None
        drawn = [annual(one) for one in found.search.highest]
        winner = annual(found.winner.sharpe)
        low, high = min(*drawn, winner), max(*drawn, winner)
        step = (high - low) / _BINS or 1.0
        counts = [0] * _BINS
        for one in drawn:
            counts[min(int((one - low) / step), _BINS - 1)] += 1
        bars = tuple(
            Bar(place / _BINS, 1 / _BINS, count / max(counts), count)
            for place, count in enumerate(counts)
            if count
        )
        return cls(low, high, winner, (winner - low) / (step * _BINS), bars)


@router.get("/dashboard/sweeps/{sweep_id}/selection")
async def selection_fragment(
    request: Request, pages: Annotated[Pages, Depends(_pages)], database: DatabaseDep, sweep_id: SweepId
) -> HTMLResponse:
    """Return the verdict on the best trial of a sweep, or how far it is, or why there is none."""
    try:
        if not await database.read(is_asked_for, sweep_id):
            await database.write(ask_for_selection, sweep_id)
        view = await database.analyze(selection_view, sweep_id)
    except SweepStateError as error:
        return pages.render(
            request, "sweeps/sweep_selection.html", view=None, refused=error.message, panel=None
        )
    return pages.render(request, "sweeps/sweep_selection.html", view=view, refused=None, **_shown(view))


def annual(daily: float) -> float:
    """Return a daily Sharpe ratio a year."""
    return daily * math.sqrt(_DAYS_PER_YEAR)


def _annual_or_none(daily: float | None) -> float | None:
    return None if daily is None else annual(daily)


def _shown(view: SelectionView) -> dict[str, Any]:
    if view.panels is None:
        return {"panel": None}
    panel = view.panels.panels[view.panels.best]
    return {
        "panel": panel,
        "head": panel.head,
        "report": panel.report,
        "walk": panel.report.document()["walk_forward"],
        "unit": quote_of(panel.symbols),
        "charts": _charts(panel.report),
        "others": [one.head for place, one in enumerate(view.panels.panels) if place != view.panels.best],
        "annual": _annual_or_none,
    }


def _charts(report: SelectionReport) -> list[tuple[str, BenchmarkReport, LuckChart]]:
    found = (("Against cash", report.cash), ("Against holding", report.hold))
    charts = [(title, one, LuckChart.of(one)) for title, one in found]
    return [(title, one, chart) for title, one, chart in charts if one is not None and chart is not None]
