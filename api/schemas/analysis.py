"""Answers that look at many trials at once, as the OpenAPI document describes them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.schemas.answers import Params
from sweeps.analysis.maps.cell_states import CellState
from sweeps.spec.scenarios import Scenarios

MatrixPlace = Annotated[list[int], Field(min_length=2, max_length=2)]


class HeatmapAxis(BaseModel):
    """The values along one side of a heatmap; the last ones of each step where neighbours were merged."""

    name: str
    values: list[Any]
    until: list[Any] | None


class Heatmap(BaseModel):
    """`cells[row][column]` belongs to `y.values[row]` and `x.values[column]`; null where nothing ran."""

    x: HeatmapAxis
    y: HeatmapAxis
    metric: str
    agg: str
    scenarios: Scenarios = Field(description="axes that settings stand at the worst or median of")
    best: MatrixPlace | None = Field(description="row and column of the best cell")
    plateau: MatrixPlace | None = Field(
        description="cell of the trial whose worst neighbour, one step away on any axis of numbers, is best"
    )
    cells: list[list[str | float | int | None]]
    trials: list[list[int | None]] = Field(description="the trial behind each cell")
    counts: list[list[int]] = Field(description="finished trials behind each cell")
    eligible: list[list[bool]] = Field(
        description="whether eligible trials are behind each cell; only those are summed up then"
    )
    states: list[list[CellState | None]] = Field(
        description="why no eligible trial is behind a cell, null where there is one"
    )
    p_luck: list[list[float | None]] | None = Field(
        None,
        description="chance that luck alone shows the trial of each cell somewhere, if asked for and judged",
    )


class Panels(BaseModel):
    """A heatmap for each value of a third axis, ascending; `omitted` of them are left out."""

    name: str
    values: list[Any]
    omitted: int
    heatmaps: list[Heatmap]


class SliceDocument(BaseModel):
    """One axis: at each value, how many trials are eligible, and the best of them."""

    axis: HeatmapAxis
    counts: list[int]
    levels: list[list[float] | None] = Field(
        description="lowest, quartile, median, quartile and highest at each value, null without a trial"
    )
    best: list[int | None]


class SlicesDocument(BaseModel):
    """A slice for each axis, in the order written."""

    metric: str
    slices: list[SliceDocument]


class PointsDocument(BaseModel):
    """Trials column by column: `axes` hold places among the ascending values, `metrics` rounded numbers."""

    trials: list[int]
    axes: dict[str, list[int]]
    metrics: dict[str, list[float | None]]


class DistributionDocument(BaseModel):
    """`every[i]` values from `edges[i]` up to `edges[i + 1]`, `counts[i]` of them selected.

    Of those selected, the quantiles of 5, 25, 50, 75 and 95 %.
    """

    edges: list[float]
    every: list[int]
    counts: list[int]
    quantiles: list[float]
    undefined: int = Field(description="selected trials without a value")


class ImportanceDocument(BaseModel):
    """The share of the metric's variance that the value of one axis explains, adjusted for chance."""

    axis: str
    share: float
    groups: int


class Overview(BaseModel):
    """The trials selected: distribution, importance and front are of all of them, points may be fewer."""

    metric: str
    risk: str
    gain: str
    finished: int
    selected: int
    complete: bool = Field(description="whether all trials selected are among the points")
    points: PointsDocument
    front: PointsDocument
    distribution: DistributionDocument
    importance: list[ImportanceDocument] | None = Field(description="null where all values are equal")
    maximize: dict[str, bool] = Field(description="of each metric drawn, whether more of it is better")


class SummaryDocument(BaseModel):
    """One value and the trial that shows it."""

    value: str | float | int
    trial: int


class SettingDocument(BaseModel):
    """One setting of the other parameters, summed up over an axis."""

    params: Params
    trials: int
    eligible: int = Field(description="eligible trials; where there are some, `best` is of them alone")
    profitable: int
    profitable_share: float
    best: SummaryDocument
    mean: SummaryDocument
    median: SummaryDocument
    worst: SummaryDocument


class SettingPage(BaseModel):
    """Settings in the order asked for."""

    over: str
    metric: str
    settings: list[SettingDocument]
    next_cursor: str | None
