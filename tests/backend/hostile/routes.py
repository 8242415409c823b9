"""The routes of the application, read back from it: whom each is for and what it takes.

Nothing here names a route, so that a new one is covered as soon as it exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute, Mount

from core.backend.web.auth import (
    RequireStaff,
    RequireStudent,
    anybody,
    check_origin,
    student_or_none,
)

Audience = RequireStaff | RequireStudent | None
"""None: everybody, and the route says so aloud."""

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Route:
    """`operation` is its part of the OpenAPI document, empty for what is not described there."""

    method: str
    path: str
    audience: Audience
    origin_checked: bool
    operation: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The schema of the JSON body."""
        content = self.operation.get("requestBody", {}).get("content", {})
        return next((part["schema"] for part in content.values()), None)

    def parameters(self, place: str) -> list[Mapping[str, Any]]:
        """Those in `place`: path, query or header."""
        return [p for p in self.operation.get("parameters", ()) if p["in"] == place]

    @property
    def keyed(self) -> bool:
        """It takes an idempotency key."""
        return any(p["name"] == "Idempotency-Key" for p in self.parameters("header"))

    def url(self, values: Mapping[str, object]) -> str:
        """The path with its parameters filled in. KeyError: nobody gave a value for one."""
        return self.path.format_map(values)


def all_routes(app: FastAPI) -> list[Route]:
    """Every HTTP route. AssertionError for one that does not say whom it is for."""
    paths = app.openapi()["paths"]
    found = []
    for route in flat(app.routes):
        if not isinstance(route, APIRoute):
            continue
        for method in sorted(route.methods or ()):
            operation = paths.get(route.path, {}).get(method.lower(), {})
            calls = list(demands(route.dependant))
            audience = audience_of(f"{method} {route.path}", calls)
            found.append(Route(method, route.path, audience, check_origin in calls, operation))
    return found


def audience_of(name: str, calls: Iterable[object]) -> Audience:
    """Whom these dependencies let in; there must be one answer."""
    said = [call for call in calls if isinstance(call, RequireStaff | RequireStudent)]
    open_to_all = [call for call in calls if call in (anybody, student_or_none)]
    assert len(said) + len(open_to_all) == 1, f"{name} does not say whom it is for: {said}"
    return said[0] if said else None


def flat(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """FastAPI keeps an included router whole; ours carry their own prefixes."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from flat(included.routes)


def sockets(app: FastAPI) -> set[str]:
    return {route.path for route in flat(app.routes) if isinstance(route, APIWebSocketRoute)}


def mounts(app: FastAPI) -> set[str]:
    return {route.path for route in flat(app.routes) if isinstance(route, Mount)}


def demands(dependant: Dependant) -> Iterator[object]:
    """What is called for a request, the parts of parts too."""
    yield dependant.call
    for part in dependant.dependencies:
        yield from demands(part)
