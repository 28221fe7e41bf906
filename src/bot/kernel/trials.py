"""Trials as the kernel takes them: rows of parameters, filled column by column."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.config.account_rules import PatienceParameters
from bot.config.parameter_columns import ParameterColumns, distinct_rows
from bot.config.run_config import RunConfig
from bot.kernel.decision_tables import WrittenDecisions
from bot.kernel.exact_parts import ABSENT, parts
from bot.kernel.layouts import TRIAL
from bot.kernel.unfit import Reason
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.numbering import first_places
from bot.statistics.metrics import money_units

_MOST_CAPITAL = 2**52
"""Sums of money stay exact in float64 below it."""
_MOST_WHOLE = 2**62
_NUMBERS = {
    "slippage_bps": "slippage",
    "spot_taker": "spot_taker",
    "perp_taker": "perp_taker",
    "perp_leverage": "leverage",
    "margin_exit_ratio": "margin_exit_ratio",
    "allocation": "allocation",
    "max_position_size": "max_position_size",
    "max_portfolio_exposure": "max_portfolio_exposure",
}
"""Parameters, and the fields of a trial that hold their whole numbers and places."""
_WHOLE = {
    "initial_capital": "capital",
    "max_simultaneous_positions": "slots",
    "sizing_base": "compounds",
    "end_dead_markets": "ends_dead",
}
"""Parameters, and the fields of a trial that hold one whole number."""
_OF_EACH = frozenset(("enter_from", "stay_from"))
"""Decisions in which trials differ that share the others."""
_FEES = {"long_taker": "spot_taker", "short_taker": "perp_taker"}
"""Fee rates of a leg, where they are set, and the fields that they take the place of."""
_FIELDS = {**_NUMBERS, **_WHOLE, **_FEES}


class TrialRows:
    """Rows of the trials of one chunk with the parameters of their accounts; decisions are written later.

    `fits` masks the trials all of whose parameters the kernel has room for, `impatient` those without rules
    of patience, `takes` those without maker orders, `flat` those at the fees that they name: it knows no
    others. `accounts` numbers the account of each trial: those of one number share all of its parameters.
    """

    def __init__(self, parameters: ParameterColumns) -> None:
        count = len(parameters)
        self.rows = np.zeros(count, dtype=TRIAL)
        self.fits: BoolArray = np.ones(count, dtype=np.bool_)
        for name in _FIELDS:
            self._put(name, parameters)
        self.impatient = without(PatienceParameters.model_fields, parameters)
        self.takes = without(("order_style",), parameters)
        self.flat = without(("fee_model",), parameters)
        varied = [column for name, column in parameters.places.items() if name in _FIELDS]
        self._first, self.accounts = distinct_rows(varied, count)

    def fitting(self) -> Iterator[tuple[Reason, BoolArray]]:
        """Yield the reasons of plain replays, each with the mask of the trials that it leaves here."""
        yield Reason.PATIENCE, self.impatient
        yield Reason.ORDER_STYLE, self.takes
        yield Reason.FEE_MODEL, self.flat
        yield Reason.RANGE, self.fits

    def decide(self, places: Sequence[IntArray], decided: Sequence[WrittenDecisions]) -> None:
        """Write decisions, each those of the trials at some of the places."""
        counts = [len(some) for some in places]
        everywhere = np.concatenate(places)
        for name, values in zip(WrittenDecisions._fields, zip(*decided, strict=True), strict=True):
            if name in _OF_EACH:
                # One value for each trial, or one for all of them.
                rows = [
                    one if len(one) == count else one.repeat(count, axis=0)
                    for one, count in zip(values, counts, strict=True)
                ]
                self.rows[name][everywhere] = np.concatenate(rows)
            else:
                self.rows[name][everywhere] = np.repeat(np.array(values, dtype=np.int64), counts, axis=0)

    def holds(self, accounts: IntArray, holding: WrittenDecisions) -> npt.NDArray[Any]:
        """Return the rows of the hold baselines of accounts, by number."""
        rows = self.rows[self._first[accounts]]
        for name, value in zip(WrittenDecisions._fields, holding, strict=True):
            rows[name] = value
        return rows

    def _put(self, name: str, parameters: ParameterColumns) -> None:
        """Write the field of a parameter, each of its values worked out once."""
        field, shared = _FIELDS[name], parameters.shared
        if name not in parameters.values:
            values, places = [getattr(shared, name)], np.zeros(len(self.rows), dtype=np.int64)
        else:
            values, places = list(parameters.values[name]), parameters.places[name]
        known, fits = _column(shared, name, values)
        said = np.ones(len(self.rows), dtype=np.bool_)
        if name in _FEES:
            said = np.array([value is not None for value in values], dtype=np.bool_)[places]
        self.rows[field][said] = known[places][said]
        self.fits &= fits[places]


def distinct_runs(rows: npt.NDArray[Any]) -> tuple[IntArray, IntArray]:
    """Return the place of the first of each kind of equal rows, and the kind of each row."""
    known: dict[bytes, int] = {}
    as_bytes = rows.view(f"V{rows.itemsize}").tolist()
    kind = np.array([known.setdefault(row, len(known)) for row in as_bytes], dtype=np.int64)
    return first_places(kind, len(known)), kind


def without(names: Collection[str], parameters: ParameterColumns) -> BoolArray:
    """Return the mask of the trials that have the parameters `names` at their defaults."""
    mask: BoolArray = np.ones(len(parameters), dtype=np.bool_)
    for name in names:
        default = RunConfig.model_fields[name].default
        if name in parameters.values:
            own = np.array([value == default for value in parameters.values[name]], dtype=np.bool_)
            mask &= own[parameters.places[name]]
        elif getattr(parameters.shared, name) != default:
            mask[:] = False
    return mask


def _column(shared: RunConfig, name: str, values: Sequence[Any]) -> tuple[IntArray, BoolArray]:
    """Return values of a parameter as its field has them, and the mask of those that fit there."""
    found = [_field(shared, name, value) for value in values]
    fits = np.array([one is not None for one in found], dtype=np.bool_)
    stand_in = 0 if name in _WHOLE else ABSENT
    return np.array([stand_in if one is None else one for one in found], dtype=np.int64), fits


def _field(shared: RunConfig, name: str, value: Any) -> tuple[int, int] | int | None:
    """Return a value as its field has it, None if it does not fit."""
    if name == "initial_capital":
        units = money_units(value)
        return units if units < _MOST_CAPITAL else None
    if name == "sizing_base":
        return int(value == "equity")
    if name in _WHOLE:
        return int(value)
    if name == "slippage_bps":
        value = shared.model_copy(update={name: value}).slippage
    if value is None:
        return ABSENT
    whole, places = parts(value)
    return (whole, places) if abs(whole) < _MOST_WHOLE else None
