"""Rendering: templates, the addresses of static files, and what every page knows."""

import hashlib
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.dashboard.advice import advice
from api.errors.problems import Problem
from api.presentation import formats
from api.presentation.glossary import TERMS
from api.presentation.metric_catalogue import METRIC_LABELS, explained
from bot.backtest.window_findings import words
from bot.numbers.money import plain
from bot.plurals import counted
from bot.timestamps import iso

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
STATIC_PREFIX = "/dashboard/static"


class ImmutableFiles(StaticFiles):
    """Files whose address changes with their content, so that a browser may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, cacheable for a year."""
        response = await super().get_response(path, scope)
        if response.status_code < 400:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


class Pages:
    """The templates with what all of them share."""

    def __init__(self, flower_url: str | None, *, docs: bool = True) -> None:
        self._own = f"{STATIC_PREFIX}/{_digest(_STATIC)}"
        self._templates = _environment()
        self._templates.globals.update(
            static=lambda name: f"{self._own}/{name}",
            flower_url=flower_url,
            docs=docs,
            metrics=METRIC_LABELS,
            glossary=TERMS,
        )

    def mounts(self) -> list[Mount]:
        """Return the routes of the static files."""
        return [Mount(self._own, ImmutableFiles(directory=_STATIC))]

    def render(self, request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Return the page that `template` makes of `context`."""
        signed_in = bool(request.cookies) and request.app.state.settings.api_token is not None
        text = self._templates.get_template(template).render(signed_in=signed_in, **context)
        return HTMLResponse(text, status)

    def problem(self, request: Request, problem: Problem) -> HTMLResponse:
        """Return the page of an error."""
        query = f"?{request.url.query}" if request.url.query else ""
        return self.render(
            request,
            "problem.html",
            status=problem.status,
            section="",
            problem=problem,
            advice=advice(problem),
            here=f"{request.url.path}{query}",
        )


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}  # the order of a sweep's axes counts
    environment.filters.update(
        shown=formats.shown,
        duration=formats.duration,
        percent=formats.percent,
        plain=plain,
        rate=formats.rate,
        fixed=formats.fixed,
        bps=formats.bps,
        utc=formats.utc,
        breakable=formats.breakable,
        lower_first=formats.lower_first,
        counted=counted,
        words=words,
        iso=iso,
        explained=explained,
    )
    return environment
