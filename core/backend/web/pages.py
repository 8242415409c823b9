"""The student page and what it is made of; all of it public, none of it personal."""

from __future__ import annotations

import mimetypes
import re
from typing import Annotated

from fastapi import APIRouter, FastAPI, Path
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

import resources
from core.backend.web.auth import Public
from core.backend.web.problems import ProblemError

router = APIRouter()

_FONT = re.compile(r"[A-Za-z0-9-]{1,60}\.woff2")
# Windows takes these from its registry, where other programs have written other things.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def install(app: FastAPI) -> None:
    for suffix, kind in _TYPES.items():
        mimetypes.add_type(kind, suffix)
    app.include_router(router)
    app.mount("/static", _Files(directory=resources.path("student")), name="static")


class _Files(StaticFiles):
    """Asks the browser to look whether a file changed: their names carry no version."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(_whole(scope), receive, send)

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed on
        response.headers["cache-control"] = "no-cache"
        return response


class _WholeFile(FileResponse):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(_whole(scope), receive, send)


def _whole(scope: Scope) -> Scope:
    """Our files are small: a request for parts of one gets all of it, as HTTP allows."""
    return {**scope, "headers": [h for h in scope["headers"] if h[0] != b"range"]}


@router.get("/", include_in_schema=False, dependencies=[Public])
async def student_page() -> FileResponse:
    page = resources.path("student", "index.html")
    return _WholeFile(page, headers={"cache-control": "no-cache"})


@router.get("/tokens.css", include_in_schema=False, dependencies=[Public])
async def tokens() -> Response:
    css = resources.load_tokens().css()
    return Response(css, media_type="text/css", headers={"cache-control": "no-cache"})


@router.get("/fonts/{name}", include_in_schema=False, dependencies=[Public])
async def font(name: Annotated[str, Path(max_length=80)]) -> FileResponse:
    if not _FONT.fullmatch(name):
        raise ProblemError(404, "not-found", "There is no such font.")
    try:
        file = resources.path("fonts", name)
    except FileNotFoundError as error:
        raise ProblemError(404, "not-found", "There is no such font.") from error
    headers = {"cache-control": "public, max-age=86400"}
    return _WholeFile(file, media_type="font/woff2", headers=headers)
