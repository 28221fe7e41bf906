"""The identity of a run, from everything its numbers depend on."""

import hashlib
import json

from bot import ENGINE_VERSION
from bot.config import RunConfig
from bot.strategies.registry import strategy_plugin


def run_key(config: RunConfig, data_fingerprint: str) -> str:
    """Return the hex SHA-256 of parameters, data, engine and strategy version in canonical JSON."""
    strategy = strategy_plugin(config.strategy_mode)
    document = {
        "config": config.document(),
        "data": data_fingerprint,
        "engine": ENGINE_VERSION,
        "strategy": f"{strategy.name} {strategy.version}",
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
