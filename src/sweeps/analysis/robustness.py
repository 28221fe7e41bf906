"""Robustness of settings over the values of one axis, mostly symbols: share in profit, worst value."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.notation import quoted
from bot.statistics.trial_columns import MetricColumn
from sweeps.analysis.grouping import (
    Aggregate,
    Groups,
    Indices,
    Summary,
    eligible_first,
    group_levels,
    is_maximized,
    summarize,
)
from sweeps.analysis.maps.heatmap import checked_metric
from sweeps.analysis.progress import bounded_limit, get_spec
from sweeps.analysis.ranking import smallest
from sweeps.analysis.selection import selected
from sweeps.analysis.setting_ids import setting_ids, shared_axes
from sweeps.spec.axis_positions import checked_axis
from sweeps.spec.spec import SweepSpec

PROFITABLE_SHARE = "profitable_share"
SORTS = (PROFITABLE_SHARE, *Aggregate)
_PROFIT = "net_pnl"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the other parameters: how many trials it has, how many are eligible, and made a profit.

    `mean`, `median` and `worst` are of all of them; `best` is of the eligible ones, or of all where there
    are none.
    """

    params: Mapping[str, Any]
    trials: int
    eligible: int
    profitable: int
    best: Summary
    mean: Summary
    median: Summary
    worst: Summary

    @property
    def profitable_share(self) -> float:
        """Return the share of trials with a profit."""
        return self.profitable / self.trials


@dataclass(frozen=True, slots=True)
class SettingPage:
    """One page of settings; `next_cursor` is None on the last one."""

    over: str
    metric: str
    settings: list[Setting]
    next_cursor: str | None


def over_axis(
    connection: sa.Connection,
    sweep_id: int,
    *,
    over: str = "symbols",
    metric: str | None = None,
    sort: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
    fixed: Mapping[str, str] | None = None,
) -> SettingPage:
    """Return settings of all axes but `over`, each summed up over its values, sorted by one of `SORTS`.

    Axes linked with `over` vary with it. By default the best median comes first; `-` sorts descending.
    Settings without an eligible trial follow the others. `fixed` names axes and metrics with a value or a
    range each, as text.
    Raises: UnknownSweepError, InvalidInputError.
    """
    spec = get_spec(connection, sweep_id)
    checked_axis(spec.space, "over", over)
    metric = checked_metric(spec, metric)
    sort = _checked_sort(sort or ("-median" if is_maximized(spec, metric) else "median"))
    limit = bounded_limit(limit)
    found = _settings(connection, sweep_id, spec, over, metric, fixed or {})
    keys = _keys(found, sort)
    last = None if cursor is None else _setting_of(cursor, len(keys))
    chosen = _next(keys, found.eligible == 0, last, limit + 1)
    shown = chosen[:limit]
    more = _cursor(int(shown[-1])) if len(chosen) > limit else None
    return SettingPage(over, metric, _summed_up(spec, over, found, shown), more)


@dataclass(frozen=True, slots=True)
class _Found:
    """Trials by setting, those that may be the best, and how many of each are eligible, and made a profit."""

    every: Groups
    contenders: Groups
    eligible: Indices
    winners: Indices

    def behind(self, aggregate: Aggregate) -> Groups:
        """Return the trials that an aggregate is of."""
        # A setting that fails on a symbol must not look robust for it, so only the best one is guarded.
        return self.contenders if aggregate is Aggregate.BEST else self.every


def _settings(
    connection: sa.Connection,
    sweep_id: int,
    spec: SweepSpec,
    over: str,
    metric: str,
    fixed: Mapping[str, str],
) -> _Found:
    done, cells = selected(connection, sweep_id, spec, [metric, _PROFIT], fixed)
    kept = done.defined(metric)
    ids, size = setting_ids(spec.space, cells[kept], (over,))
    every = Groups(
        metric, is_maximized(spec, metric), done.numbers[kept], done.values[metric][kept], ids, size
    )
    eligible, profitable = done.eligible[kept], done.values[_PROFIT][kept] > 0
    return _Found(
        every,
        eligible_first(every, eligible)[0],
        np.bincount(ids[eligible], minlength=size),
        np.bincount(ids[profitable], minlength=size),
    )


def _keys(found: _Found, sort: str) -> MetricColumn:
    levels = _levels(found, sort.removeprefix("-"))
    return -levels if sort.startswith("-") else levels


def _levels(found: _Found, name: str) -> MetricColumn:
    if name == PROFITABLE_SHARE:
        return np.asarray(found.winners / found.every.counts)
    aggregate = Aggregate(name)
    return group_levels(found.behind(aggregate), aggregate)


def _next(
    keys: MetricColumn, ineligible: npt.NDArray[np.bool_], last: int | None, count: int
) -> npt.NDArray[np.intp]:
    """Return up to `count` settings after `last`: by key and place, the ineligible ones after the others."""
    later = np.ones(len(keys), dtype=np.bool_)
    if last is not None:
        behind = (keys > keys[last]) | ((keys == keys[last]) & (np.arange(len(keys)) > last))
        later = np.where(ineligible == ineligible[last], behind, ineligible)
    chosen = np.empty(0, dtype=np.intp)
    for those in (np.flatnonzero(later & ~ineligible), np.flatnonzero(later & ineligible)):
        chosen = np.append(chosen, those[smallest(keys[those], count - len(chosen))])
    return chosen


def _summed_up(spec: SweepSpec, over: str, found: _Found, shown: npt.NDArray[np.intp]) -> list[Setting]:
    held = zip(
        *(column[shown].tolist() for column in (found.every.counts, found.eligible, found.winners)),
        strict=True,
    )
    levels = zip(
        *(summarize(_only(found.behind(one), shown), one).one_by_one() for one in Aggregate), strict=True
    )
    shared = shared_axes(spec.space, (over,))
    return [
        Setting(_params(spec, shared, level[0].number), *counts, *level)
        for counts, level in zip(held, levels, strict=True)
    ]


def _only(groups: Groups, shown: npt.NDArray[np.intp]) -> Groups:
    """Return the groups shown, numbered as they come."""
    place = np.full(groups.size, -1, dtype=np.int64)
    place[shown] = np.arange(len(shown))
    kept = place[groups.ids] >= 0
    return replace(
        groups,
        numbers=groups.numbers[kept],
        values=groups.values[kept],
        ids=place[groups.ids[kept]],
        size=len(shown),
    )


def _params(spec: SweepSpec, shared: Sequence[str], number: int) -> dict[str, Any]:
    params = spec.params(number)
    return {name: params[name] for name in shared}


def _checked_sort(sort: str) -> str:
    if sort.removeprefix("-") not in SORTS:
        raise InvalidInputError.of(
            "sort", f"{quoted(sort)} is none of {', '.join(SORTS)}, `-` for descending"
        )
    return sort


def _cursor(setting: int) -> str:
    return base64.urlsafe_b64encode(str(setting).encode()).decode().rstrip("=")


def _setting_of(cursor: str, settings: int) -> int:
    try:
        setting = int(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)[:20])
    except (binascii.Error, ValueError):
        setting = -1
    if not 0 <= setting < settings:
        raise InvalidInputError.of("cursor", f"{quoted(cursor[:80])} is not from this list")
    return setting
