"""The Carrygrid service from Python: submit a sweep, follow it, and study its trials as data frames."""

TYPE_CHECKING = False
if TYPE_CHECKING:
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

_MODULES = {
    "Client": "client",
    "EquityPoint": "records",
    "FailureReason": "records",
    "FieldProblem": "errors",
    "Finding": "records",
    "Heatmap": "heatmaps",
    "Progress": "progress",
    "Run": "runs",
    "ServiceError": "errors",
    "Sweep": "sweep",
    "Table": "tables",
    "Trade": "records",
    "Trial": "records",
}


def __getattr__(name: str) -> object:
    """Load a name when it is first asked for: the command line lives here too, and needs few of them."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
