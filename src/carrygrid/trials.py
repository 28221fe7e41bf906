"""The columns of a sweep's trials, as the service describes them, and trials read by them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from carrygrid.marks import mark_of
from carrygrid.records import Trial, amounts, finding, read
from carrygrid.tables import Column, Kind, Table

_BEFORE = (Column("number", Kind.WHOLE), Column("state", Kind.TEXT))
_AFTER = (Column("error", Kind.TEXT), Column("run_key", Kind.TEXT), Column("eligible", Kind.FLAG))
_JUDGED = (Column("p_luck", Kind.REAL), Column("plateau", Kind.REAL))
_RENAMED = "param_"


class TrialColumns(NamedTuple):
    """The columns of parameters and metrics, and the names of the parameters behind the former."""

    params: Sequence[Column]
    metrics: Sequence[Column]
    axes: Sequence[str]

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> "TrialColumns":
        """Return the columns that an export's manifest describes; a parameter named like another column
        is called `param_...` there.
        """
        params, metrics = _described(manifest, "params"), _described(manifest, "metrics")
        taken = {column.name for column in (*metrics, *_BEFORE, *_AFTER)} | {"error_code"}
        plain = (name.removeprefix(_RENAMED) for name, _ in params)
        axes = [bare if bare in taken else name for bare, (name, _) in zip(plain, params, strict=True)]
        return cls(params, metrics, axes)

    def kind(self, name: str) -> Kind:
        """Return the kind of the values of a parameter or metric."""
        kinds = {column.name: column.kind for column in self.metrics}
        kinds |= {axis: column.kind for axis, column in zip(self.axes, self.params, strict=True)}
        return kinds[name]

    def trial(self, document: Mapping[str, Any]) -> Trial:
        """Return a trial from its document."""
        kinds = {axis: column.kind for axis, column in zip(self.axes, self.params, strict=True)}
        given = document["params"]
        return Trial(
            number=document["number"],
            state=document["state"],
            params={axis: read(kind, given.get(axis)) for axis, kind in kinds.items()},
            metrics=amounts(document["metrics"]),
            error=document["error"],
            run_key=document["run_key"],
            findings=tuple(map(finding, document.get("findings", ()))),
            eligible=document.get("eligible"),
            ineligible=document.get("ineligible"),
            p_luck=document.get("p_luck"),
            plateau=document.get("plateau"),
            equal=document.get("equal"),
            mark=mark_of(document.get("mark")),
        )

    def table(self, documents: Iterable[Mapping[str, Any]]) -> Table[Trial]:
        """Return trials from their documents."""
        columns = [*_BEFORE, *self.params, *self.metrics, *_AFTER, *_JUDGED]
        return Table([self.trial(document) for document in documents], columns, self._cells)

    def _cells(self, trial: Trial) -> list[Any]:
        params = (trial.params[axis] for axis in self.axes)
        metrics = (trial.metrics.get(column.name) for column in self.metrics)
        after = trial.error, trial.run_key, trial.eligible, trial.p_luck, trial.plateau
        return [trial.number, trial.state, *params, *metrics, *after]


def _described(manifest: Mapping[str, Any], group: str) -> list[Column]:
    columns = (column for column in manifest["columns"] if column["of"] == group)
    return [Column(column["name"], Kind(column["kind"])) for column in columns]
