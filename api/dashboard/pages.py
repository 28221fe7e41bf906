"""Rendering: templates, the addresses of static files, and what every page knows."""

import hashlib
import mimetypes
import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from api.dashboard.advice import advice
from api.errors.problems import Problem
from api.headers import THEME_SCRIPT
from api.presentation import formats
from api.presentation.glossary import TERMS
from api.presentation.metric_catalogue import METRIC_LABELS, explained
from api.presentation.rate_words import rate_words
from bot.backtest.window_findings import words
from bot.numbers.money import plain
from bot.plurals import counted
from bot.timestamps import iso

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
STATIC_PREFIX = "/dashboard/static"
JOINED = "+"
_OWN_ADDRESS = re.compile(r'((?:href|action|data-[a-z]+)=")(?=/(?:dashboard/(?!static/)|sweeps/))')
"""Attributes that lead to pages and answers; templates escape quotation marks in the text of users."""


class ImmutableFiles:
    """Files whose address changes with their content, so that a browser may keep them; read once.

    A page asks for some sixty of them, which from memory cost a fraction of as many reads from disk. An
    address of several names, joined by `+`, has their contents in this order, as one file of its kind.
    """

    def __init__(self, folder: Path) -> None:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        self._contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
        digest = hashlib.sha256()
        for path, content in self._contents.items():
            digest.update(path.encode() + b"\0" + content)
        self.digest = digest.hexdigest()[:12]

    async def answer(self, request: Request) -> Response:
        """Return the files that the address names, as one that is cacheable for a year."""
        names = request.path_params["path"].split(JOINED)
        if len(set(names) & self._contents.keys()) < len(names):
            raise HTTPException(404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{self.digest}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        kind, _ = mimetypes.guess_type(names[0])
        return Response(b"\n".join(self._contents[name] for name in names), media_type=kind, headers=headers)


class Pages:
    """The pages of one application, with what all of them know of it."""

    def __init__(self, flower_url: str | None, *, docs: bool = True) -> None:
        self._links = {"flower_url": flower_url, "docs": docs}

    def routes(self) -> list[Route]:
        """Return the routes of the static files."""
        return [Route(f"{_static_address()}/{{path:path}}", _files().answer, include_in_schema=False)]

    def render(self, request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Return the page that `template` makes of `context`; below a link, its addresses stay there."""
        below = getattr(request.state, "shared_below", "")
        signed_in = not below and bool(request.cookies) and request.app.state.settings.api_token is not None
        text = (
            _templates()
            .get_template(template)
            .render(signed_in=signed_in, shared=bool(below), **self._links, **context)
        )
        return HTMLResponse(_OWN_ADDRESS.sub(rf"\1{below}", text) if below else text, status)

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


@cache
def _files() -> ImmutableFiles:
    return ImmutableFiles(_STATIC)


def _static_address(*names: str) -> str:
    """Return the address of static files, joined to one, or without names of them all."""
    own = f"{STATIC_PREFIX}/{_files().digest}"
    return f"{own}/{JOINED.join(names)}" if names else own


@cache
def _templates() -> jinja2.Environment:
    """Return the templates, compiled once however many applications a process makes."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}  # the order of a sweep's axes counts
    environment.globals.update(
        static=_static_address,
        theme_script=markupsafe.Markup(THEME_SCRIPT),  # noqa: S704 - a file of ours
        metrics=METRIC_LABELS,
        glossary=TERMS,
    )
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
        unbroken=formats.unbroken,
        counted=counted,
        words=words,
        iso=iso,
        explained=explained,
        rate_words=lambda value, name: rate_words(name, value),
    )
    return environment
