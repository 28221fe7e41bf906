"""The identity of a run, from everything its numbers depend on."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from bot import ENGINE_VERSION
from bot.config import RunConfig
from bot.strategies.registry import strategy_plugin


def run_key(config: RunConfig, data_fingerprint: str) -> str:
    """Return the hex SHA-256 of parameters, data, engine and strategy version in canonical JSON."""
    model = type(config)
    values = vars(config)
    parameters = ",".join(_member(model, name, values[name]) for name in _names(model))
    strategy = strategy_plugin(config.strategy_mode)
    text = (
        f'{{"config":{{{parameters}}},"data":{_canonical(data_fingerprint)},'
        f'"engine":{_canonical(ENGINE_VERSION)},'
        f'"strategy":{_canonical(f"{strategy.name} {strategy.version}")}}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache
def _names(model: type[RunConfig]) -> tuple[str, ...]:
    return tuple(sorted(model.model_fields))


@lru_cache(maxsize=100_000)
def _member(model: type[RunConfig], name: str, value: Any) -> str:
    """Return one parameter as it stands in the canonical JSON; trials share most of them."""
    alone = model.model_construct(**{name: value}).model_dump(mode="json", include={name})
    return _canonical(alone)[1:-1]


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
