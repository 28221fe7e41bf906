"""The compose file as the Compose program itself resolves it; no engine is needed for that."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker-compose.yml"
SECRETS = {
    "CARRYGRID_DATABASE_PASSWORD": "database-word",
    "CARRYGRID_BROKER_PASSWORD": "broker-word",
    "CARRYGRID_API_TOKEN": "token-word",
    "CARRYGRID_FLOWER_AUTH": "user:word",
}


def tool(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this Python's environment, with no more variables than it is given."""
    command = [str(Path(sys.executable).parent / name), *arguments]
    clean = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environment}
    return subprocess.run(command, env=clean, capture_output=True, text=True, check=False)


def config(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return tool("docker-compose", "-f", str(COMPOSE), *arguments, **environment)


def resolved(*profiles: str) -> dict[str, Any]:
    """Return the whole file with every variable filled in, and with the services of `profiles`."""
    chosen = [argument for profile in profiles for argument in ("--profile", profile)]
    result = config(*chosen, "config", "--format", "json", **SECRETS)
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


def unescaped(value: Any) -> Any:
    """Return `value` with the dollar signs that a container would see."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, Mapping):
        return {key: unescaped(one) for key, one in value.items()}
    return [unescaped(one) for one in value] if isinstance(value, list) else value
