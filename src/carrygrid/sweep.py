"""One sweep: progress, control and results."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from carrygrid.connection import Connection
from carrygrid.encoding import Body, body_bytes, query_text
from carrygrid.errors import ServiceError
from carrygrid.heatmaps import Heatmap
from carrygrid.marks import Marks
from carrygrid.progress import Progress, ProgressLine
from carrygrid.promotion import promoted
from carrygrid.records import (
    EquityPoint,
    FailureReason,
    Finding,
    Trade,
    Trial,
    WalkForwardCurves,
    equity_table,
    finding,
    trade_table,
)
from carrygrid.shares import Shares
from carrygrid.tables import Table
from carrygrid.trial_evidence import TrialEvidence
from carrygrid.trials import TrialColumns
from carrygrid.waiting import wait_for

STOPPED = frozenset({"completed", "failed", "cancelled", "paused"})
"""The states in which a sweep does not go on by itself."""

Aggregate = Literal["best", "mean", "median", "worst"]
ExportFormat = Literal["csv", "jsonl", "parquet"]
_FORMATS: Mapping[str, ExportFormat] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}


class Sweep(Marks, Shares, TrialEvidence):
    """A sweep of the service; `document` is what was last read of it."""

    def __init__(self, connection: Connection, document: dict[str, Any]) -> None:
        self._connection = connection
        self.document = document
        self.id = int(document["id"])
        self._path = f"/sweeps/{self.id}"

    def __repr__(self) -> str:
        return f"<Sweep {self.id} {self.name!r}: {Progress.of(self.document)}>"

    @property
    def name(self) -> str:
        """Return the name given by its author."""
        return str(self.document["name"])

    @property
    def state(self) -> str:
        """Return the state when it was last read."""
        return str(self.document["state"])

    @property
    def data_changed(self) -> str | None:
        """Return the change of its market data since it was submitted, None if there was none."""
        reason = self.document["data_change"]
        return None if reason is None else str(reason)

    @property
    def outcome(self) -> str | None:
        """Return its outcome when it was last read, None before its end.

        That is `completed`, `completed_with_failures`, `failed` (every trial did) or `cancelled`.
        """
        outcome = self.document.get("outcome")
        return None if outcome is None else str(outcome)

    def failures(self) -> list[FailureReason]:
        """Return the failure reasons of trials, the most frequent first; empty if none failed.

        Reasons that differ in figures only count as one.
        """
        found = self._connection.call("GET", f"{self._path}/failures")
        return [FailureReason(**reason) for reason in found["reasons"]]

    def findings(self) -> list[Finding]:
        """Return the findings about its data, warnings first, as far as workers have read them.

        Those of a trial are with the trial.
        """
        return [
            finding(found) for found in self._connection.call("GET", f"{self._path}/findings")["findings"]
        ]

    @property
    def page(self) -> str:
        """Return the address of its page."""
        return f"{self._connection.url}/dashboard{self._path}"

    def refresh(self) -> Self:
        """Read it anew."""
        return self._take(self._connection.call("GET", self._path))

    def progress(self) -> Progress:
        """Return its progress now."""
        return Progress.of(self.refresh().document)

    def wait(
        self, progress: bool | Callable[[Progress], object] = True, timeout_s: float | None = None
    ) -> Self:
        """Wait until it has ended or is paused; `progress` draws a bar on stderr, or is called at each look.

        Raises: TimeoutError, ServiceError.
        """
        line = ProgressLine()
        tell = progress if callable(progress) else line if progress else _tell_nobody

        def stopped() -> str | None:
            tell(self.progress())
            return self.state if self.state in STOPPED else None

        try:
            wait_for(stopped, timeout_s, f"sweep {self.id}")
        finally:
            line.end()
        return self

    def cancel(self) -> Self:
        """End it, keeping what is done."""
        return self._do("cancel")

    def pause(self) -> Self:
        """Start no more trials until it is resumed."""
        return self._do("pause")

    def resume(self) -> Self:
        """Finish the rest and retry what failed."""
        return self._do("resume")

    def retry(self) -> Self:
        """Run the failed trials again, and nothing else."""
        return self._do("retry")

    def delete(self) -> None:
        """Remove it with all its trials."""
        self._connection.call("DELETE", self._path)

    def notification(self, *, again: bool = False) -> dict[str, Any]:
        """Return the notification of its end and whether it was delivered; `again` sends it once more."""
        return self._connection.call("POST" if again else "GET", f"{self._path}/notification")

    def label(
        self, *, name: str | None = None, tags: Sequence[str] | None = None, note: str | None = None
    ) -> Self:
        """Replace name, tags, note, or all of them."""
        return self._change(name=name, tags=None if tags is None else list(tags), note=note)

    def extend(
        self,
        values: Mapping[str, Sequence[Any]] | None = None,
        *,
        to: str | None = None,
        samples: int | None = None,
    ) -> Self:
        """Extend it by values of axes, a later end or more samples; only new trials run."""
        return self._change(add_values=values or None, extend_to=to, n=samples)

    def clone(self, changes: Body = b"{}") -> "Sweep":
        """Submit a copy, changed by `changes`, on the data as they are now."""
        body = body_bytes(changes)
        return Sweep(self._connection, self._connection.call("POST", f"{self._path}/clone", body=body))

    def top(self, n: int = 10, sort: str | None = None) -> Table[Trial]:
        """Return the best trials by the objective, or the first in the order `sort`."""
        return self.trials(sort=sort, limit=n)

    def trials(
        self,
        *,
        sort: str | None = None,
        where: Mapping[str, Any] | None = None,
        state: str | None = None,
        limit: int | None = None,
        distinct: bool = False,
    ) -> Table[Trial]:
        """Return finished trials, all unless limited, best first.

        `sort` is a metric, an axis or `number`, with a leading `-` descending, or several by comma; `where`
        fixes axes at a value. With `distinct`, trials of equal results are one, and `equal` says how many.
        For hundreds of thousands of trials `export` to Parquet is quicker and takes less memory.
        """
        found = self.documents(sort=sort, where=where, state=state, limit=limit, distinct=distinct)
        return self._columns().table(found)

    def documents(
        self,
        *,
        sort: str | None = None,
        where: Mapping[str, Any] | None = None,
        state: str | None = None,
        limit: int | None = None,
        distinct: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Yield finished trials as the service writes them, page by page."""
        fixed = {name: query_text(value) for name, value in (where or {}).items()}
        asked = {name: value for name, value in (("sort", sort), ("state", state)) if value is not None}
        asked |= {"distinct": "true"} if distinct else {}
        return self._connection.rows(f"{self._path}/trials", "trials", query={**fixed, **asked}, limit=limit)

    def heatmap(
        self,
        x: str,
        y: str,
        metric: str | None = None,
        agg: Aggregate = "best",
        *,
        where: Mapping[str, Any] | None = None,
    ) -> Heatmap:
        """Return a metric, by default the objective, over two axes; `where` fixes others, the rest is
        aggregated.
        """
        query = {name: query_text(value) for name, value in (where or {}).items()}
        query |= {"x": x, "y": y, "agg": agg} | ({"metric": metric} if metric else {})
        document = self._connection.call("GET", f"{self._path}/heatmap", query=query)
        return Heatmap.of(document, self._columns())

    def verdict(self) -> dict[str, Any]:
        """Return the verdict on its trials so far: a sentence, the candidate with its badges, and the funnel.

        The candidate is the centre of the largest plateau over all axes.
        """
        return self._connection.call("GET", f"{self._path}/verdict")

    def positive_years(self) -> dict[str, Any]:
        """Return how many trials at the end of the funnel made something in every year (`among`, `count`).

        They are replayed for it; `count` is None where `missing` says why.
        """
        return self._connection.call("GET", f"{self._path}/verdict/positive-years")

    def selection(
        self,
        settings: Body | None = None,
        *,
        panel: int | None = None,
        progress: Callable[[float], object] | None = None,
        timeout_s: float | None = None,
    ) -> dict[str, Any]:
        """Return the report on its selection: the chance that its best trial is luck.

        `settings` change those that it was submitted with. Where it has several windows, the report is on the
        one with the best trial, or on that at the place `panel`. A report that is being made is waited for;
        `progress` is called with the share that is. Raises: ServiceError, for a sweep that has not ended as
        well; TimeoutError.
        """
        query = {} if panel is None else {"panel": str(panel)}
        document = self._selection(query, None if settings is None else body_bytes(settings))
        query["settings"] = document["settings_digest"]

        def made() -> dict[str, Any] | None:
            document = self._selection(query)
            if "verdict" in document:
                return document
            if document["share"] is None:
                raise ServiceError("state_conflict", 409, f"sweep {self.id} is {document['state']}")
            if progress:
                progress(document["share"])
            return None

        if "verdict" in document:
            return document
        return wait_for(made, timeout_s, f"the report on the selection of sweep {self.id}")

    def walk_forward(
        self,
        settings: Body | None = None,
        *,
        panel: int | None = None,
        progress: Callable[[float], object] | None = None,
        timeout_s: float | None = None,
    ) -> dict[str, Any]:
        """Return the folds of its walk-forward, and metrics of the one run over all test days beside holding.

        `settings` and the rest are those of `selection`, whose report is waited for.
        """
        return self._walk_forward("", settings, panel, progress, timeout_s)

    def walk_forward_curves(
        self, settings: Body | None = None, *, panel: int | None = None, timeout_s: float | None = None
    ) -> WalkForwardCurves | None:
        """Return the exact curves of the stitched run and of holding, None if there is no such run."""
        found = self._walk_forward("/equity", settings, panel, None, timeout_s)
        return None if found["equity"] is None else WalkForwardCurves.of(found)

    def selection_now(self) -> dict[str, Any]:
        """Return the report on its selection, or what there is of it now: that of its trials so far."""
        return self._selection({})

    def equity(self, number: int) -> Table[EquityPoint]:
        """Return the exact equity curve of a trial."""
        return equity_table(self._trial(number, "/equity")["equity"])

    def trades(self, number: int) -> Table[Trade]:
        """Return the exact round trips of a trial."""
        return trade_table(self._trial(number, "/trades")["trades"])

    def trial(self, number: int) -> Trial:
        """Return one trial."""
        return self._columns().trial(self._trial(number))

    def promote(self, number: int, *, override: str | None = None) -> dict[str, Any]:
        """Return a trial's configuration as `backtest` and paper trading take it, with the evidence for it.

        Raises: ServiceError, `not_validated` for one that too little speaks for while its exchange is sealed;
        an `override`, which is a reason, lets it pass.
        """
        body = body_bytes({} if override is None else {"override": override})
        path = f"{self._path}/trials/{number}/promote"
        return promoted(self._connection.call("POST", path, body=body))

    def export(self, path: str | Path, format: ExportFormat | None = None) -> Path:  # noqa: A002
        """Write all finished trials to a file, and its manifest beside it; the suffix tells the format.

        Raises: ServiceError, OSError, ValueError if the format is not told.
        """
        target = Path(path)
        chosen = format or format_of(target)
        if chosen is None:
            raise ValueError(f"{target.name}: its suffix names no format; it is one of {', '.join(_FORMATS)}")
        self._connection.download(f"{self._path}/export", target, query={"format": chosen})
        text = json.dumps(self.manifest(), indent=2, ensure_ascii=False)
        manifest_path(target).write_text(f"{text}\n", encoding="utf-8")
        return target

    def exported(self, format: ExportFormat) -> Iterator[bytes]:  # noqa: A002
        """Yield an export as it arrives."""
        return self._connection.chunks(f"{self._path}/export", query={"format": format})

    def view(self, query: Mapping[str, str]) -> Iterator[bytes]:
        """Yield trials as CSV: `query` is that of its page's link “CSV of this view”."""
        return self._connection.chunks(f"{self._path}/export/view", query=query)

    def manifest(self) -> dict[str, Any]:
        """Return the manifest of exported numbers: spec, data, versions, columns."""
        return self._connection.call("GET", f"{self._path}/export/manifest")

    def _selection(self, query: Mapping[str, str], settings: bytes | None = None) -> dict[str, Any]:
        method = "GET" if settings is None else "POST"
        return self._connection.call(method, f"{self._path}/selection", query=query, body=settings)

    def _walk_forward(
        self,
        part: str,
        settings: Body | None,
        panel: int | None,
        progress: Callable[[float], object] | None,
        timeout_s: float | None,
    ) -> dict[str, Any]:
        report = self.selection(settings, panel=panel, progress=progress, timeout_s=timeout_s)
        query = {"settings": report["settings_digest"], "panel": str(report["panel"])}
        return self._connection.call("GET", f"{self._path}/selection/walk-forward{part}", query=query)

    def _columns(self) -> TrialColumns:
        return TrialColumns.of(self.manifest())

    def _do(self, action: str) -> Self:
        return self._take(self._connection.call("POST", f"{self._path}/{action}"))

    def _change(self, **changes: Any) -> Self:
        body = body_bytes({name: value for name, value in changes.items() if value is not None})
        return self._take(self._connection.call("PATCH", self._path, body=body))

    def _take(self, document: dict[str, Any]) -> Self:
        self.document = document
        return self


def format_of(export: Path) -> ExportFormat | None:
    """Return the format that a file's suffix names, if it names one."""
    return _FORMATS.get(export.suffix.lower())


def manifest_path(export: Path) -> Path:
    """Return the path of the manifest of an exported file."""
    return export.with_name(f"{export.name}.manifest.json")


def _tell_nobody(_: Progress) -> None:
    """Show no progress."""
