"""Trials as the kernel takes them: rows of their accounts, and of their thresholds beside those."""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bot.config.account_rules import PatienceParameters
from bot.config.parameter_columns import ParameterColumns, distinct_rows
from bot.config.parameters import slippage_of
from bot.config.run_config import RunConfig
from bot.kernel.decision_tables import WrittenDecisions
from bot.kernel.exact_parts import ABSENT, parts
from bot.kernel.layouts import CONDITIONS, DECISIONS, PARAMETERS, RUN
from bot.kernel.unfit import Reason
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.numbering import numbered
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
"""Parameters, and the fields of an account that hold their whole numbers and places."""
_WHOLE = {
    "initial_capital": "capital",
    "max_simultaneous_positions": "slots",
    "sizing_base": "compounds",
    "end_dead_markets": "ends_dead",
}
"""Parameters, and the fields of an account that hold one whole number."""
_FEES = {"long_taker": "spot_taker", "short_taker": "perp_taker"}
"""Fee rates of a leg, where they are set, and the fields that they take the place of."""
_FIELDS = {**_NUMBERS, **_WHOLE, **_FEES}
_DEFAULTS = {name: field.default for name, field in RunConfig.model_fields.items()}


class TrialAccounts:
    """Accounts of the trials of one chunk: `rows` of their parameters, and by number the one of each trial.

    Trials of one number share all of its parameters. `fits` masks the trials all of whose parameters the
    kernel has room for, `impatient` those without rules of patience, `takes` those without maker orders,
    `flat` those at the fees that they name: it knows no others. None stands for all of them.
    """

    def __init__(self, parameters: ParameterColumns) -> None:
        varied = [column for name, column in parameters.places.items() if name in _FIELDS]
        first, self.numbers = distinct_rows(varied, len(parameters))
        shared = _shared_account(tuple(_shared_values(parameters)))
        self.rows = np.repeat(shared.row, len(first))
        fits: BoolArray | None = None
        for name, field in _FIELDS.items():
            own: BoolArray | None = None
            if name in parameters.values:
                own = self._put(name, self.rows[field], parameters, first)
            elif name in _FEES and getattr(parameters.shared, name) is not None:
                self.rows[field] = _field(name, getattr(parameters.shared, name)) or ABSENT
            if name in shared.unfit:
                own = np.zeros(len(first), dtype=np.bool_)
            if own is not None:
                fits = own if fits is None else fits & own
        self.fits = None if fits is None else fits[self.numbers]
        self.impatient = without(PatienceParameters.model_fields, parameters)
        self.takes = without(("order_style",), parameters)
        self.flat = without(("fee_model",), parameters)

    def fitting(self) -> Iterator[tuple[Reason, BoolArray]]:
        """Yield the reasons of plain replays that trials have, each with the mask of those left here."""
        masks = {
            Reason.PATIENCE: self.impatient,
            Reason.ORDER_STYLE: self.takes,
            Reason.FEE_MODEL: self.flat,
            Reason.RANGE: self.fits,
        }
        for reason, mask in masks.items():
            if mask is not None:
                yield reason, mask

    def _put(
        self, name: str, field: npt.NDArray[Any], parameters: ParameterColumns, first: IntArray
    ) -> BoolArray | None:
        """Write the field of a parameter that varies, each of its values worked out once.

        Return the mask of accounts for which it fits, None where it does for all.
        """
        values, own = list(parameters.values[name]), parameters.places[name][first]
        known, fits = _column(name, values)
        if name not in _FEES:
            field[:] = known.take(own, axis=0)
        elif any(value is not None for value in values):
            said = np.array([value is not None for value in values], dtype=np.bool_)[own]
            field[said] = known.take(own, axis=0)[said]
        return None if fits is None else fits[own]


class _SharedAccount(NamedTuple):
    """Row of the parameters that trials share, and the names of those that do not fit there."""

    row: npt.NDArray[Any]
    unfit: frozenset[str]


@lru_cache(maxsize=64)
def _shared_account(common: Sequence[tuple[str, Any]]) -> _SharedAccount:
    """Return the account of parameters by name; those that vary are 0, fees of a leg left out."""
    row, unfit = np.zeros(1, dtype=PARAMETERS), set()
    for name, value in common:
        found = _field(name, value)
        if found is None:
            unfit.add(name)
        elif name not in _FEES:
            row[_FIELDS[name]] = found
    return _SharedAccount(row, frozenset(unfit))


def _shared_values(parameters: ParameterColumns) -> Iterator[tuple[str, Any]]:
    for name in _FIELDS:
        if name not in parameters.values:
            yield name, getattr(parameters.shared, name)


def run_rows(
    accounts: IntArray, places: Sequence[IntArray], decided: Sequence[WrittenDecisions]
) -> tuple[IntArray, npt.NDArray[Any]]:
    """Return the trials at all of `places`, ascending, and their rows: each is decided as its part is."""
    everywhere = places[0]
    at: IntArray | slice = slice(None)
    if len(places) > 1:
        everywhere, at = numbered(np.concatenate(places), len(accounts))
    rows = np.empty(len(everywhere), dtype=RUN)
    rows["account"] = accounts if len(everywhere) == len(accounts) else accounts[everywhere]
    rows["decisions"][at] = np.repeat(np.arange(len(places)), list(map(len, places)))
    for condition in range(CONDITIONS):
        entering = [own.enter_from[condition] for own in decided]
        rows["enter_from"][:, condition] = _of_parts(entering, places, everywhere, at)
    rows["stay_from"] = _of_parts([own.stay_from for own in decided], places, everywhere, at)
    return everywhere, rows


def _of_parts(
    numbers: Sequence[IntArray], places: Sequence[IntArray], everywhere: IntArray, at: IntArray | slice
) -> IntArray:
    """Return the numbers of the trials `everywhere`: those of each part are of all trials, or one for all.

    `at` are the places of the parts' trials among these. Parts mostly share what a threshold says of all.
    """
    first = numbers[0]
    if all(own is first for own in numbers):
        return first if len(first) == 1 else first[everywhere]
    found = np.empty(len(everywhere), dtype=np.int64)
    found[at] = np.concatenate(
        [
            np.repeat(own, len(some)) if len(own) == 1 else own[some]
            for own, some in zip(numbers, places, strict=True)
        ]
    )
    return found


def decision_rows(decided: Sequence[WrittenDecisions]) -> npt.NDArray[Any]:
    """Return the rows of decisions, but for what their columns are compared with."""
    return np.array(
        [tuple(getattr(one, name) for name in DECISIONS.names or ()) for one in decided], DECISIONS
    )


def without(names: Collection[str], parameters: ParameterColumns) -> BoolArray | None:
    """Return the mask of the trials that have the parameters `names` at their defaults, None for all."""
    mask: BoolArray | None = None
    for name in names:
        default = _DEFAULTS[name]
        if name in parameters.values:
            own = np.array([value == default for value in parameters.values[name]], dtype=np.bool_)
            own = own[parameters.places[name]]
            mask = own if mask is None else mask & own
        elif getattr(parameters.shared, name) != default:
            mask = np.zeros(len(parameters), dtype=np.bool_)
    return mask


def _column(name: str, values: Sequence[Any]) -> tuple[IntArray, BoolArray | None]:
    """Return values of a parameter as its field has them, and the mask of those that fit; None for all."""
    found = [_field(name, value) for value in values]
    if all(one is not None for one in found):
        return np.array(found, dtype=np.int64), None
    fits = np.array([one is not None for one in found], dtype=np.bool_)
    stand_in = 0 if name in _WHOLE else ABSENT
    return np.array([stand_in if one is None else one for one in found], dtype=np.int64), fits


def _field(name: str, value: Any) -> tuple[int, int] | int | None:
    """Return a value as its field has it, None if it does not fit."""
    if name == "initial_capital":
        units = money_units(value)
        return units if units < _MOST_CAPITAL else None
    if name == "sizing_base":
        return int(value == "equity")
    if name in _WHOLE:
        return int(value)
    if name == "slippage_bps":
        value = slippage_of(value)
    if value is None:
        return ABSENT
    whole, places = parts(value)
    return (whole, places) if abs(whole) < _MOST_WHOLE else None
