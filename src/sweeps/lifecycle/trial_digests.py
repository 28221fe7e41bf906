"""Digest by which one trial is known, wherever it stops and in whatever sweep it is."""

import hashlib
import json

from bot.config.run_config import RunConfig
from bot.config.run_key import identifying


def trial_digest(config: RunConfig) -> str:
    """Return the hex SHA-256 of a trial's parameters but its end."""
    document = {name: value for name, value in identifying(config.document()).items() if name != "end"}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
