"""Run key: the identity of a run, from everything its numbers depend on."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import repeat
from operator import itemgetter
from typing import Any

import numpy as np

from bot import ENGINE_VERSION
from bot.config.account_rules import OrderParameters, PatienceParameters, ReportParameters
from bot.config.hedge_rules import HedgeParameters
from bot.config.parameter_columns import ParameterColumns
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.notation import plain
from bot.statistics.trial_columns import DigestArray

KEY_BYTES = hashlib.sha256().digest_size
_GROUP = 8


def _as_json(default: object) -> object:
    if isinstance(default, Decimal):
        return plain(default)
    return list(default) if isinstance(default, tuple) else default


_LATER = {
    name: (default, _as_json(default))
    for name in (
        "end_dead_markets",
        *(
            name
            for group in (PatienceParameters, OrderParameters, ReportParameters, HedgeParameters)
            for name in group.model_fields
        ),
    )
    for default in [RunConfig.model_fields[name].default]
}
"""Parameters that came after the first results were stored, with their defaults, as values and as text: there
they are left out, so that runs, sweeps and sessions keep the identity that they had without them."""


def run_key(config: RunConfig, data_fingerprint: str) -> str:
    """Return the hex SHA-256 of parameters, data, engine and strategy version in canonical JSON."""
    model, values = type(config), vars(config)
    groups = (_members(model, place, group(values)) for place, group in enumerate(_groups(model)))
    parameters = ",".join(filter(None, groups))
    text = f'{{"config":{{{parameters}}},{_surroundings(config.strategy_mode, data_fingerprint)}}}'
    return hashlib.sha256(text.encode()).hexdigest()


def run_keys(parameters: ParameterColumns, data_fingerprint: str) -> DigestArray:
    """Return the `run_key` of each trial as bytes, shape (n, KEY_BYTES).

    The text up to the first parameter that varies is hashed once.
    """
    head, varied = key_texts(parameters, data_fingerprint)
    begun = hashlib.sha256(head)
    if not varied:
        return key_array([begun.digest()] * len(parameters))
    columns: list[Iterable[bytes]] = []
    for name, (own, after) in varied.items():
        columns += [
            [own[place] for place in parameters.places[name].tolist()],
            repeat(after, len(parameters)),
        ]
    keys = []
    for texts in zip(*columns, strict=True):
        one = begun.copy()
        one.update(b"".join(texts))
        keys.append(one.digest())
    return key_array(keys)


def key_array(keys: Sequence[bytes]) -> DigestArray:
    """Return run keys as an array, shape (n, KEY_BYTES)."""
    return np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), KEY_BYTES)


def key_list(keys: DigestArray) -> list[bytes]:
    """Return the rows of an array of run keys."""
    rows: list[bytes] = np.ascontiguousarray(keys).view(f"V{KEY_BYTES}").reshape(-1).tolist()
    return rows


def key_texts(
    parameters: ParameterColumns, data_fingerprint: str
) -> tuple[bytes, dict[str, tuple[Sequence[bytes], bytes]]]:
    """Return the text up to the first parameter that varies, and for each of those, in order, its values.

    Beside them stands the text from there up to the next parameter that varies, or up to the end.
    """
    model, shared = type(parameters.shared), vars(parameters.shared)
    names = _sorted_names(model)
    varied = tuple(name for name in names if name in parameters.values)
    alike = tuple(shared[name] for name in names if name not in parameters.values)
    texts = list(_shared_texts(model, varied, alike))
    texts[0] = '{"config":{' + texts[0]
    texts[-1] += f"}},{_surroundings(parameters.shared.strategy_mode, data_fingerprint)}}}"
    head, *afters = (text.encode() for text in texts)
    own = (_values(model, name, tuple(parameters.values[name]), _comma(model, name)) for name in varied)
    return head, dict(zip(varied, zip(own, afters, strict=True), strict=True))


@lru_cache(maxsize=32)
def _shared_texts(model: type[RunConfig], varied: tuple[str, ...], values: tuple[Any, ...]) -> Sequence[str]:
    """Return the texts of the parameters that trials share, by what varies between them.

    They are those up to the first one of `varied`, between two of these, and after the last. All batches of
    a sweep have the same.
    """
    texts, left = [""], iter(values)
    for name in _sorted_names(model):
        if name in varied:
            texts.append("")
        else:
            texts[-1] += _piece(model, name, next(left), _comma(model, name))
    return texts


@lru_cache(maxsize=32)
def _values(model: type[RunConfig], name: str, values: tuple[Any, ...], comma: str) -> Sequence[bytes]:
    """Return the texts of the values of a parameter; batches of a sweep have the same, or some of them."""
    return [_piece(model, name, value, comma).encode() for value in values]


def _comma(model: type[RunConfig], name: str) -> str:
    """Return what stands before a parameter: nothing before the first one."""
    return "" if name == _sorted_names(model)[0] else ","


def _piece(model: type[RunConfig], name: str, value: Any, comma: str) -> str:
    return "" if _left_out(name, value) else comma + _member(model, name, value)


def identifying(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document of parameters without those that no identity names."""
    return {name: value for name, value in parameters.items() if not _left_out(name, value)}


def _left_out(name: str, value: Any) -> bool:
    return name in _LATER and value in _LATER[name]


@lru_cache
def _sorted_names(model: type[RunConfig]) -> tuple[str, ...]:
    """Return the parameters in order."""
    return tuple(sorted(model.model_fields))


@lru_cache
def _names(model: type[RunConfig]) -> tuple[tuple[str, ...], ...]:
    """Return the parameters in order, a few at a time: trials share most of these groups."""
    names = _sorted_names(model)
    return tuple(tuple(names[first : first + _GROUP]) for first in range(0, len(names), _GROUP))


@lru_cache
def _groups(model: type[RunConfig]) -> tuple[Callable[[Mapping[str, Any]], tuple[Any, ...]], ...]:
    """Return the reader of each group of parameters."""
    return tuple(_reader(names) for names in _names(model))


def _reader(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    return itemgetter(*names) if len(names) > 1 else lambda values: (values[names[0]],)


@lru_cache(maxsize=20_000)
def _members(model: type[RunConfig], place: int, values: tuple[Any, ...]) -> str:
    """Return a group of parameters as they stand in the canonical JSON."""
    named = zip(_names(model)[place], values, strict=True)
    return ",".join(_member(model, name, value) for name, value in named if not _left_out(name, value))


@lru_cache(maxsize=100_000)
def _member(model: type[RunConfig], name: str, value: Any) -> str:
    alone = _unset(model).model_copy(update={name: value}).model_dump(mode="json", include={name})
    return _canonical(alone)[1:-1]


@lru_cache
def _unset(model: type[RunConfig]) -> RunConfig:
    """Return a run of defaults: to make one takes many times as long as to copy it with a value."""
    nothing: dict[str, Any] = {}
    return model.model_construct(**nothing)


@lru_cache
def _surroundings(strategy_mode: str, data_fingerprint: str) -> str:
    """Return the other parts of an identity, in the order of canonical JSON."""
    strategy = strategy_plugin(strategy_mode)
    parts = {
        "data": data_fingerprint,
        "engine": ENGINE_VERSION,
        "strategy": f"{strategy.name} {strategy.version}",
    }
    return _canonical(parts)[1:-1]


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
