"""The Carrygrid service from Python: submit a sweep, follow it, and study its trials as data frames."""

from carrygrid.client import Client
from carrygrid.errors import FieldProblem, ServiceError
from carrygrid.heatmaps import Heatmap
from carrygrid.progress import Progress
from carrygrid.records import EquityPoint, FailureReason, Finding, Trade, Trial
from carrygrid.runs import Run
from carrygrid.sweep import Sweep
from carrygrid.tables import Table

__all__ = [
    "Client",
    "EquityPoint",
    "FailureReason",
    "FieldProblem",
    "Finding",
    "Heatmap",
    "Progress",
    "Run",
    "ServiceError",
    "Sweep",
    "Table",
    "Trade",
    "Trial",
]
