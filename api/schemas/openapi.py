"""The OpenAPI document: what FastAPI derives, with problem documents, the sweep's schema and the token."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.errors.problems import MEDIA_TYPE
from api.schemas.answers import ProblemDocument
from api.schemas.marks import MarkChange
from api.schemas.patches import SweepChange, SweepClone
from api.schemas.seals import NewLook, NewSeal, PromotionRequest
from api.schemas.shares import NewShare
from bot.config.run_config import run_model
from bot.config.strategy_registry import usable_strategies
from bot.market.rules import TIMEFRAMES_MS
from bot.market_store.fetch.exchanges import EXCHANGES
from bot.market_store.fetch.fetch_request import DEFAULT_TIMEFRAME, MOST_SYMBOLS
from bot.selection.settings import ValidationSettings
from sweeps.spec.spec import SweepSpec

_COMPONENTS = "#/components/schemas/"
_OPEN = "/healthz"

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem document says what is wrong",
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_COMPONENTS}{ProblemDocument.__name__}"}}},
    }
}
"""Every answer but the documented ones."""


def _body(model: str, example: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a body that the route parses itself to keep its numbers exact."""
    return _described({"$ref": f"{_COMPONENTS}{model}"}, example)


def _described(schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": schema, "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


_ANY_RUN = "RunParameters"
_BODIES = (
    SweepSpec,
    SweepChange,
    SweepClone,
    MarkChange,
    ValidationSettings,
    NewSeal,
    NewLook,
    PromotionRequest,
    NewShare,
)
_YEAR = {
    "exchange": "binance",
    "symbols": ["BTC/USDT:USDT"],
    "start": "2023-01-01",
    "end": "2024-01-01",
}
SWEEP_BODY = _body(
    SweepSpec.__name__,
    {
        "name": "btc entry x exit",
        "base": _YEAR,
        "grid": {
            "min_funding_rate": {"start": "0.0001", "stop": "0.0010", "step": "0.0001"},
            "exit_funding_rate": ["0", "0.00005", "0.0001"],
            "perp_leverage": [1, 2, 3],
        },
        "constraints": ["exit_funding_rate <= min_funding_rate"],
    },
)
CHANGE_BODY = _body(SweepChange.__name__, {"tags": ["btc"], "add_values": {"perp_leverage": [5]}})
MARK_BODY = _body(MarkChange.__name__, {"name": "the calm one", "pinned": True})
CLONE_BODY = _body(SweepClone.__name__, {"name": "btc, more slippage", "base": {"slippage_bps": "10"}})
VALIDATION_BODY = _body(ValidationSettings.__name__, {"blocks": 10, "walk_forward": {"test_days": 60}})
SEAL_BODY = _body(NewSeal.__name__, {"exchange": "binance", "from": "2026-01-01"})
HOLDOUT_BODY = _body(NewLook.__name__, {"sweep": 3, "trial": 17})
SHARE_BODY = _body(NewShare.__name__, {"name": "for the desk", "view": "metric=net_pnl&perp_leverage=1..3"})
PROMOTION_BODY = _body(PromotionRequest.__name__, {})
RUN_BODY = _body(_ANY_RUN, {**_YEAR, "perp_leverage": 2})
_MOMENT: dict[str, Any] = {"type": ["string", "integer"], "description": "ISO date or time, or ms UTC"}
FETCH_BODY = _described(
    {
        "type": "object",
        "additionalProperties": False,
        "required": ["exchange", "symbols", "since"],
        "properties": {
            "exchange": {"enum": list(EXCHANGES)},
            "symbols": {
                "description": "perps, or text that names them with commas",
                "type": ["array", "string"],
                "items": {"type": "string"},
                "minItems": 1,
                "maxItems": MOST_SYMBOLS,
            },
            "since": _MOMENT,
            "until": {**_MOMENT, "type": ["string", "integer", "null"]},
            "timeframe": {"enum": [*TIMEFRAMES_MS, "", None], "default": DEFAULT_TIMEFRAME},
        },
    },
    {"exchange": "bybit", "symbols": ["BTC/USDT:USDT"], "since": "2023-01-01"},
)


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
    """Return the parameters of a run under each usable strategy, equal ones once."""
    return list(dict.fromkeys(run_model(plugin.name) for plugin in usable_strategies()[0]))
