"""The identity of a run, from everything its numbers depend on."""

import hashlib
import json

from bot import ENGINE_VERSION
from bot.config import RunConfig


def run_key(config: RunConfig, data_fingerprint: str) -> str:
    """Return the hex SHA-256 of parameters, data and engine version in canonical JSON."""
    document = {"config": config.document(), "data": data_fingerprint, "engine": ENGINE_VERSION}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
