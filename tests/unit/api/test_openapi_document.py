"""The OpenAPI document: complete, and true about errors and the token."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from example_plugin import installed_example
from fastapi.testclient import TestClient
from pydantic import SecretStr
from webservice import Reader


def test_every_reference_leads_to_a_schema(reader: Reader) -> None:
    document = reader.client.get("/openapi.json").json()
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= set(document["components"]["schemas"])
    assert {"SweepSpec", "ProblemDocument"} <= named


def test_every_route_of_sweeps_documents_its_problems(reader: Reader) -> None:
    document = reader.client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if path.startswith(("/sweeps", "/data")):
                assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_token_is_documented_where_it_is_asked_for(make_client: Callable[..., TestClient]) -> None:
    client = make_client(api_token=SecretStr("secret"))
    document = client.get("/openapi.json", headers={"Authorization": "Bearer secret"}).json()
    assert document["security"] == [{"token": []}]
    assert document["paths"]["/healthz"]["get"]["security"] == []


def test_parameters_of_an_installed_strategy_are_described(
    make_client: Callable[..., TestClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed_example(tmp_path, monkeypatch):
        schemas = make_client().get("/openapi.json").json()["components"]["schemas"]
    described = [schemas[run["$ref"].rsplit("/", 1)[1]] for run in schemas["RunParameters"]["anyOf"]]
    assert ["smoothing_settlements" in run["properties"] for run in described] == [False, True]
    assert all("min_funding_rate" in run["properties"] for run in described)
