"""What can be known of the container files without a container engine."""

import json
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import redis
from cluster import cluster_broker
from composing import COMPOSE, ROOT, SECRETS, config, resolved, tool
from dockerfile_parse import DockerfileParser
from servers import LOOPBACK

from api.local import broker, programs

OURS = ("migrate", "api", "dispatcher", "worker", "flower")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(resolved()["services"])


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    parsed = DockerfileParser(path=str(ROOT)).structure
    return [(one["instruction"], one["value"]) for one in parsed]


def test_compose_accepts_the_file_once_every_secret_is_set() -> None:
    result = config("config", "-q", **SECRETS)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@pytest.mark.parametrize("name", SECRETS)
def test_compose_refuses_to_start_without_a_secret_and_names_it(name: str) -> None:
    others = {key: value for key, value in SECRETS.items() if key != name}
    result = config("config", "-q", **others)
    assert result.returncode != 0
    assert f"required variable {name} is missing a value: set " in result.stderr


def test_the_compose_file_follows_the_specification() -> None:
    result = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE))
    assert result.returncode == 0, result.stdout


def test_the_dockerfile_passes_its_linter() -> None:
    result = tool("hadolint", "--no-color", str(ROOT / "Dockerfile"))
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("service", "argv"),
    [
        ("api", programs.api("0.0.0.0", 8000)),
        ("dispatcher", programs.DISPATCHER),
        ("worker", programs.worker(2)),
        ("flower", programs.flower("0.0.0.0", 5555)),
    ],
)
def test_the_cluster_runs_the_commands_that_the_local_service_runs(
    services: dict[str, Any], service: str, argv: programs.Argv
) -> None:
    assert services[service]["command"] == programs.as_command(argv, python="python")


def test_the_image_serves_the_api_by_itself(instructions: list[tuple[str, str]]) -> None:
    command = json.loads(next(value for name, value in reversed(instructions) if name == "CMD"))
    assert command == programs.as_command(programs.api("0.0.0.0", 8000), python="python")


def test_the_image_does_not_run_as_root_and_installs_only_what_is_locked(
    instructions: list[tuple[str, str]],
) -> None:
    assert ("USER", "10001") in instructions
    installs = [value for name, value in instructions if name == "RUN" and "pip install" in value]
    assert installs
    assert all("--require-hashes" in value or "--no-deps" in value for value in installs)


def test_every_copied_source_exists_and_is_not_ignored(instructions: list[tuple[str, str]]) -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = [
        source
        for name, value in instructions
        if name == "COPY" and "--from=" not in value
        for source in shlex.split(value)[:-1]
    ]
    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert any(fnmatch(source, pattern) for pattern in kept)


def test_workers_take_a_soft_shutdown_with_time_for_it_and_can_be_scaled(services: dict[str, Any]) -> None:
    worker = services["worker"]
    assert worker["environment"].items() >= programs.WORKER_ENVIRONMENT.items()
    assert worker["stop_grace_period"] == "30s"
    assert not {"container_name", "ports"} & worker.keys()


def test_our_services_restart_and_hold_no_rights_they_do_not_need(services: dict[str, Any]) -> None:
    for name in OURS:
        service = services[name]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_nothing_but_the_api_is_reachable_from_outside(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published.keys() == {"api", "flower"}
    assert [port["host_ip"] for port in published["flower"]] == ["127.0.0.1"]


@pytest.mark.broker
def test_the_broker_of_the_cluster_starts_with_its_settings(services: dict[str, Any], tmp_path: Path) -> None:
    with cluster_broker(services["redis"], tmp_path) as port:
        url = f"redis://{broker.USER}:{SECRETS['CARRYGRID_BROKER_PASSWORD']}@{LOOPBACK}:{port}/0"
        with redis.Redis.from_url(url) as client:
            assert client.acl_whoami() == broker.USER
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.flushall()
        with redis.Redis(port=port) as stranger, pytest.raises(redis.exceptions.AuthenticationError):
            stranger.ping()


def test_the_broker_of_the_cluster_grants_what_the_private_one_grants(services: dict[str, Any]) -> None:
    script = services["redis"]["command"][-1]
    assert f"user {broker.USER} on >$$BROKER_PASSWORD {broker.PERMISSIONS}\n" in script
