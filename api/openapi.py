"""The OpenAPI document: what FastAPI derives, with problem documents, the sweep's schema and the token."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.changes import SweepChange, SweepClone
from api.problems import MEDIA_TYPE
from api.schemas import ProblemDocument
from bot.config import run_model
from bot.strategies.registry import strategy_names
from sweeps.spec import SweepSpec

_COMPONENTS = "#/components/schemas/"
_OPEN = "/healthz"

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem document says what is wrong",
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_COMPONENTS}{ProblemDocument.__name__}"}}},
    }
}
"""Every answer but the documented ones."""


def _body(model: str) -> dict[str, Any]:
    """Return the description of a body that the route parses itself to keep its numbers exact."""
    schema = {"$ref": f"{_COMPONENTS}{model}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


_ANY_RUN = "RunParameters"
_BODIES = (SweepSpec, SweepChange, SweepClone)
SWEEP_BODY, CHANGE_BODY, CLONE_BODY = (_body(model.__name__) for model in _BODIES)
RUN_BODY = _body(_ANY_RUN)


def describe(app: FastAPI, *, guarded: bool) -> None:
    """Complete the OpenAPI document of `app`; `guarded` says that it asks for a token."""
    derived = app.openapi

    def completed() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = derived()
            document["components"]["schemas"].update(_own_schemas())
            if guarded:
                document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
                document["security"] = [{"token": []}]
                document["paths"][_OPEN]["get"]["security"] = []
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = completed  # type: ignore[method-assign]


def _own_schemas() -> dict[str, Any]:
    runs = _run_models()
    wanted: list[Any] = [(model, "validation") for model in (*_BODIES, *runs, ProblemDocument)]
    _, document = models_json_schema(wanted, ref_template=_COMPONENTS + "{model}")
    schemas: dict[str, Any] = document["$defs"]
    return schemas | {_ANY_RUN: {"anyOf": [{"$ref": f"{_COMPONENTS}{run.__name__}"} for run in runs]}}


def _run_models() -> list[type[BaseModel]]:
    """Return the parameters of a run under each installed strategy, equal ones once."""
    return list(dict.fromkeys(run_model(name) for name in strategy_names()))
