"""The API and its OpenAPI document agree, whatever a generator of requests thinks of."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from pydantic import SecretStr
from servers import eventually
from webservice import serving, sweep_body, working

TOKEN = "a-token-for-generated-requests"
CONFIGURATION = Path(__file__).parents[2] / "schemathesis.toml"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(params=["open", "guarded"])
def service(home: Path, request: pytest.FixtureRequest) -> Iterator[tuple[str, list[str]]]:
    """Give the address of a service at work with one finished sweep, and how a generator is let in."""
    guarded = request.param == "guarded"
    settings = {"api_token": SecretStr(TOKEN)} if guarded else {}
    with serving(home, rate_limit=0, **settings) as url, working(home):
        with httpx.Client(base_url=url, headers=HEADERS, timeout=60) as client:
            place = client.post("/sweeps", json=sweep_body()).raise_for_status().headers["Location"]
            eventually(lambda: client.get(place).json()["state"] == "completed", 20, "the sweep is done")
        yield url, [f"--header=Authorization: Bearer {TOKEN}"] if guarded else []


def generated_requests(url: str, *options: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Check answers to generated requests, single ones and chains along links; return what was found."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "--no-color"),
            *("run", f"{url}/openapi.json", "--checks=all", "--seed=20261122", "--request-timeout=100"),
            *("--continue-on-failure", "--generation-database=none", "--max-response-time=100", *options),
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )


def test_generated_requests_are_answered_as_documented(
    service: tuple[str, list[str]], tmp_path: Path
) -> None:
    url, entry = service
    run = generated_requests(url, *entry, "--max-examples=3", folder=tmp_path)
    assert run.returncode == 0, run.stdout


@pytest.mark.slow
def test_many_generated_requests_are_answered_as_documented(
    service: tuple[str, list[str]], tmp_path: Path
) -> None:
    url, entry = service
    run = generated_requests(url, *entry, "--max-time=120", folder=tmp_path)
    assert run.returncode == 0, run.stdout
