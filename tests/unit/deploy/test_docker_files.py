"""Container files, as far as they can be checked without a container engine."""

import json
import re
import shlex
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from cluster import cluster_broker
from composing import COMPOSE, ROOT, SECRETS, config, resolved, tool, unescaped
from dockerfile_parse import DockerfileParser
from packaging.requirements import Requirement
from servers import LOOPBACK

from carrygrid.local import broker, programs

OURS = ("migrate", "api", "dispatcher", "worker", "flower")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(resolved()["services"])


@pytest.fixture(scope="module")
def watched() -> dict[str, Any]:
    """Return the file with the profile that measures."""
    return resolved("metrics")


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


def test_the_image_can_fetch_data_and_trade_on_paper() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted = tomllib.load(file)["project"]["optional-dependencies"]["live"]
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(locked[requirement.name])


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
    assert not {"container_name", "hostname", "ports", "volumes"} & worker.keys()


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


def test_every_lasting_service_has_a_health_check_or_a_heartbeat(watched: dict[str, Any]) -> None:
    services = watched["services"]
    checked = {name for name, one in services.items() if "test" in one.get("healthcheck", {})}
    from_image = {"api"}
    by_heartbeat = {"dispatcher"}
    assert checked | from_image | by_heartbeat == services.keys() - {"migrate"}
    assert all(one["restart"] == "unless-stopped" for name, one in services.items() if name != "migrate")


def test_everything_waits_for_the_migration(services: dict[str, Any]) -> None:
    assert services["migrate"]["command"] == ["carrygrid", "migrate"]
    for name in ("api", "dispatcher", "worker", "flower"):
        needs = {one: value["condition"] for one, value in services[name]["depends_on"].items()}
        assert needs == {"migrate": "service_completed_successfully", "redis": "service_healthy"}


def test_what_must_last_is_in_named_volumes(watched: dict[str, Any]) -> None:
    kept = {
        mount["source"]: mount["target"]
        for one in watched["services"].values()
        for mount in one.get("volumes", [])
        if mount["type"] == "volume"
    }
    assert kept == {
        "broker": "/data",
        "database": "/var/lib/postgresql/data",
        "measurements": "/prometheus",
        "dashboards": "/var/lib/grafana",
    }
    assert watched["volumes"].keys() == kept.keys()


def test_secrets_are_given_not_kept(watched: dict[str, Any]) -> None:
    written = COMPOSE.read_text() + (ROOT / "Dockerfile").read_text()
    assert not re.search(r"(PASSWORD|TOKEN|AUTH)\w*:-", written)
    for one in watched["services"].values():
        texts = json.dumps([one["command"], one.get("entrypoint"), one.get("healthcheck")])
        assert not any(secret in texts for secret in SECRETS.values())


def test_prometheus_finds_the_api_and_its_token(watched: dict[str, Any], tmp_path: Path) -> None:
    prometheus = watched["services"]["prometheus"]
    (job,) = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    token = tmp_path / "api-token"
    script = unescaped(prometheus["command"][0]).replace(job["authorization"]["credentials_file"], str(token))
    (tmp_path / "prometheus").write_text("#!/bin/sh\n")
    (tmp_path / "prometheus").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", **prometheus["environment"]}
    subprocess.run([*prometheus["entrypoint"], script], env=environment, check=True)
    assert token.read_text() == SECRETS["CARRYGRID_API_TOKEN"]
    assert token.stat().st_mode & 0o777 == 0o600
    assert job["static_configs"][0]["targets"] == ["api:8000"]
    assert "api" in watched["services"]
    assert "ports" not in prometheus


def test_grafana_comes_with_the_dashboard_its_data_and_a_password(watched: dict[str, Any]) -> None:
    grafana = watched["services"]["grafana"]
    mounted = {
        mount["target"]: Path(mount["source"]) for mount in grafana["volumes"] if mount["type"] == "bind"
    }
    assert all(source.exists() for source in mounted.values())
    provisioning = mounted["/etc/grafana/provisioning"]
    (provider,) = yaml.safe_load((provisioning / "dashboards/carrygrid.yml").read_text())["providers"]
    assert f"{provider['options']['path']}/carrygrid.json" in mounted
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert grafana["environment"]["GF_SECURITY_ADMIN_PASSWORD"] == SECRETS["CARRYGRID_API_TOKEN"]
    assert [port["host_ip"] for port in grafana["ports"]] == ["127.0.0.1"]
