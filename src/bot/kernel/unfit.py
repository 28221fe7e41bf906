"""Reasons for which a run is left to the plain replay."""

from enum import StrEnum


class Reason(StrEnum):
    """Reason that the kernel does not replay a run."""

    NO_LIBRARY = "no_library"
    MANY_PAIRS = "many_pairs"
    NO_COLUMN_DECISIONS = "no_column_decisions"
    RANGE = "range"
    PATIENCE = "patience"
    ORDER_STYLE = "order_style"
    FEE_MODEL = "fee_model"
    HEDGES = "hedges"


class UnfitError(Exception):
    """A window or a run does not fit the kernel, for `reason`."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason
