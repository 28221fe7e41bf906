"""Orders of trials and the next page of one, found among all keys without sorting them."""

import base64
import binascii
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.errors import InvalidInputError
from bot.notation import quoted
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.money import plain
from bot.statistics.trial_columns import MetricColumn
from bot.statistics.trial_metrics import JUDGED, is_real
from sweeps.errors import ResultRangeError
from sweeps.spec.metrics import METRICS, MetricKind
from sweeps.spec.spec import SweepSpec
from sweeps.storage.columns import money_of_units, money_units

NUMBER = "number"
MOST_ORDERS = 4
_LARGEST_NUMBER = 2**31 - 1
_LARGEST_KEY = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Order:
    """Sort order of trials: by a metric, an axis or their number; equal ones are sorted by number.

    By a metric, either direction, ineligible trials follow the eligible ones.
    """

    name: str
    descending: bool

    @classmethod
    def parse(cls, spec: SweepSpec, sort: str | None) -> "Order":
        """Return the order that `sort` names (`-` for descending), by default best first.

        Raises: InvalidInputError if it is neither metric nor axis.
        """
        if sort is None:
            return cls(spec.objective.metric, spec.objective.direction == "maximize")
        order = cls(sort.removeprefix("-"), sort.startswith("-"))
        known = order.name == NUMBER or order.name in METRICS or order.name in JUDGED
        if not known and order.name not in spec.space.by_name:
            raise InvalidInputError.of(
                "sort", f"{quoted(order.name)} is neither a metric nor an axis of this sweep"
            )
        return order

    @classmethod
    def parse_all(cls, spec: SweepSpec, sort: str | None) -> "tuple[Order, ...]":
        """Return the orders that `sort` names by comma, each for ties of those before it.

        Raises: InvalidInputError as `parse`, for a name that comes twice, and for more than `MOST_ORDERS`.
        """
        asked: list[str | None] = [None] if sort is None else [*sort.split(",")]
        orders = tuple(cls.parse(spec, one) for one in asked)
        names = [order.name for order in orders]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InvalidInputError.of("sort", f"{quoted(twice)} is named twice")
        if len(names) > MOST_ORDERS:
            raise InvalidInputError.of("sort", f"names {len(names)} orders, more than {MOST_ORDERS}")
        return orders

    @property
    def metric(self) -> str | None:
        """The metric sorted by, if it is one."""
        return self.name if self.name in METRICS or self.name in JUDGED else None

    def keys(self, column: MetricColumn) -> MetricColumn:
        """Return keys that ascend where the order goes on."""
        return -column if self.descending else column


@dataclass(frozen=True, slots=True)
class Place:
    """Last place of a page: the stored value sorted by, None if undefined, and the trial's number.

    `ineligible` ones come after all that are not.
    """

    value: int | float | None
    number: int
    ineligible: bool

    def after(self, order: Order, keys: MetricColumn, numbers: IntArray) -> BoolArray:
        """Return the mask of trials with a value that come later."""
        if self.value is None:
            return np.zeros(len(keys), dtype=np.bool_)
        key = -self.value if order.descending else self.value
        later: npt.NDArray[np.bool_] = (keys > key) | ((keys == key) & (numbers > self.number))
        return later

    def cursor(self, order: Order) -> str:
        """Return the place as text for the reader to bring back."""
        shown: Any = self.value
        if order.metric and METRICS.get(order.metric) is MetricKind.MONEY and self.value is not None:
            shown = plain(money_of_units(int(self.value)))
        return (
            base64.urlsafe_b64encode(json.dumps([shown, self.number, int(self.ineligible)]).encode())
            .decode()
            .rstrip("=")
        )

    @classmethod
    def parse(cls, cursor: str, order: Order) -> "Place":
        """Return the place that `cursor` describes; raises InvalidInputError if it is not from this list."""
        try:
            text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            shown, number, ineligible = json.loads(text)
            place = cls(_stored(shown, order), number, bool((False, True)[ineligible]))
        except (binascii.Error, ValueError, TypeError, IndexError, ArithmeticError, ResultRangeError):
            place = None
        if place is None or type(place.number) is not int or not 0 <= place.number <= _LARGEST_NUMBER:
            raise InvalidInputError.of("cursor", f"{quoted(cursor[:80])} is not from this list")
        return place


def _stored(shown: Any, order: Order) -> int | float | None:
    if shown is None:
        return None
    if order.metric and METRICS.get(order.metric) is MetricKind.MONEY:
        return money_units(Decimal(str(shown)))
    if order.metric and is_real(order.metric):
        return float(shown)
    if type(shown) is not int or abs(shown) > _LARGEST_KEY:
        raise ValueError
    return shown


def smallest(keys: MetricColumn, count: int) -> npt.NDArray[np.intp]:
    """Return the places of the `count` smallest keys in ascending order, equal ones as they stand."""
    if count >= len(keys):
        return np.argsort(keys, kind="stable")
    if not count:
        return np.empty(0, dtype=np.intp)
    edge = np.partition(keys, count - 1)[count - 1]
    below = np.flatnonzero(keys < edge)
    chosen = np.concatenate([below, np.flatnonzero(keys == edge)[: count - len(below)]])
    return chosen[np.argsort(keys[chosen], kind="stable")]
