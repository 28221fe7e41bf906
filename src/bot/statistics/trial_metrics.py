"""Metrics of a trial: of its run, beside its hold baseline, and of its hedges; their names and kinds."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from bot.statistics.carry import CarryComparison
from bot.statistics.hedge_metrics import HedgeMetrics
from bot.statistics.run_metrics import Metrics


class MetricKind(StrEnum):
    """Kind of a metric: decides its column and its print."""

    MONEY = "money"
    COUNT = "count"
    STATISTIC = "statistic"


DIGEST_BYTES = 16
"""Length of the digest of a ledger."""

HOLD_NET_PNL = "hold_net_pnl"
CARRY = tuple(field.name for field in fields(CarryComparison))
"""The metrics that compare a trial with holding."""

_KINDS = {Decimal: MetricKind.MONEY, int: MetricKind.COUNT}
_RUN = tuple(field.name for field in fields(Metrics))
_TYPES: Mapping[str, Any] = {
    **get_type_hints(Metrics),
    HOLD_NET_PNL: Decimal,
    **get_type_hints(CarryComparison),
    **get_type_hints(HedgeMetrics),
}
OF_HEDGES = tuple(field.name for field in fields(HedgeMetrics))
"""The metrics that trials replayed as hedges have alone."""
KNOWN_OF_HEDGES = "long_pnl"
"""One of them that is never undefined."""

METRICS: Mapping[str, MetricKind] = MappingProxyType(
    {name: _KINDS.get((get_args(kind) or (kind,))[0], MetricKind.STATISTIC) for name, kind in _TYPES.items()}
)
"""Every metric of a trial by name: those of docs/domain.md, section 9, those beside holding, `OF_HEDGES`."""

USUAL_METRICS = tuple(name for name in METRICS if name not in OF_HEDGES)
"""The metrics that every trial has."""


P_LUCK, PLATEAU = "p_luck", "plateau"
JUDGED = (P_LUCK, PLATEAU)
"""Statistics of a trial that depend on all trials of its sweep: known once its selection is judged."""


@dataclass(frozen=True, slots=True)
class TrialSummary:
    """Result of one trial: its metrics, those of its hold baseline, and the carry it captured.

    `ledger` is the digest of what it booked; `hedges` are the metrics of hedges, None where it was not
    replayed as such.
    """

    metrics: Metrics
    hold: Metrics
    carry: CarryComparison
    ledger: bytes
    hedges: HedgeMetrics | None = None

    def values(self) -> dict[str, Any]:
        """Return every metric by name: money as Decimal, counts, statistics or None."""
        own = metric_values(self.metrics, self.hold, self.carry)
        return own if self.hedges is None else own | {name: getattr(self.hedges, name) for name in OF_HEDGES}


def metrics_in(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metrics of a trial that is read back as a row; those of hedges where it has them."""
    names = USUAL_METRICS if row[KNOWN_OF_HEDGES] is None else METRICS
    return {name: row[name] for name in names}


def metric_values(metrics: Metrics, hold: Metrics, carry: CarryComparison) -> dict[str, Any]:
    """Return a trial's metrics by name: of its run, of the run that holds, and how the two compare."""
    ran = {name: getattr(metrics, name) for name in _RUN}
    return {**ran, HOLD_NET_PNL: hold.net_pnl, **{name: getattr(carry, name) for name in CARRY}}


def metric_kind(metric: str) -> MetricKind:
    """Return the kind of a metric or of one of `JUDGED`, which are float64 whatever they are of."""
    return METRICS.get(metric, MetricKind.STATISTIC)


def is_real(metric: str) -> bool:
    """Return whether a metric is a float64 statistic; the others are whole numbers."""
    return METRICS.get(metric) is MetricKind.STATISTIC or metric in JUDGED
