"""Every route demands a session and a role, or is on the public list here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute, Mount

from core.backend.web.app import create_app
from core.backend.web.auth import RequireStaff, RequireStudent, check_origin
from core.domain.roles import STAFF_ROLES, Role
from tests.backend.web.asking import bearer, problem
from tests.support.live_backend import LiveBackend

PUBLIC = {
    ("GET", "/"),
    ("GET", "/tokens.css"),
    ("GET", "/fonts/{name}"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("POST", "/api/staff/sign-in"),
    ("POST", "/api/staff/refresh"),
    ("POST", "/api/staff/embedded"),
    ("POST", "/api/decisions/held"),  # the refresh token of somebody disabled, and signatures
    ("POST", "/api/student/sign-up"),
    ("POST", "/api/student/sign-in"),
    ("GET", "/api/student/cards"),
    ("GET", "/api/student/house"),
    ("POST", "/webhooks/ikhokha"),  # signed by the provider
}
MOUNTS = {"/static"}
# These read their sessions themselves: tests/backend/web/test_live_*.py.
SOCKETS = {"/live", "/live/student"}
_ANY_ID = "00000000-0000-7000-8000-000000000000"


def _demands(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for part in dependant.dependencies:
        yield from _demands(part)


def _all(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """FastAPI keeps an included router whole; ours carry their own prefixes."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from _all(included.routes)


def _methods(route: APIRoute) -> set[str]:
    return (route.methods or set()) - {"HEAD"}


def _protected(app: FastAPI) -> Iterator[tuple[str, str, RequireStaff | RequireStudent]]:
    for route in _all(app.routes):
        if not isinstance(route, APIRoute):
            continue
        method = next(iter(_methods(route)))
        if (method, route.path) in PUBLIC:
            continue
        demands = [
            demand
            for demand in _demands(route.dependant)
            if isinstance(demand, RequireStaff | RequireStudent)
        ]
        assert len(demands) == 1, f"{method} {route.path} demands {demands}"
        yield method, re.sub(r"\{\w+\}", _ANY_ID, route.path), demands[0]


@pytest.fixture
def app(live_backend: LiveBackend) -> FastAPI:
    return create_app(live_backend.services)


def test_the_public_list_and_the_protected_routes_are_all_there_is(app: FastAPI) -> None:
    found = set()
    for route in _all(app.routes):
        if isinstance(route, APIRoute):
            found |= {(method, route.path) for method in _methods(route)}
        elif isinstance(route, APIWebSocketRoute):
            assert route.path in SOCKETS
        else:
            assert isinstance(route, Mount)
            assert route.path in MOUNTS
    assert found >= PUBLIC
    assert len(found - PUBLIC) == len(list(_protected(app))) >= 15


def test_no_protected_route_answers_without_its_session(
    app: FastAPI, live_backend: LiveBackend, http: httpx.Client
) -> None:
    student, officer = live_backend.student(), live_backend.staff()
    for method, path, demand in _protected(app):
        foreign = student.headers if isinstance(demand, RequireStaff) else bearer(officer)
        expired = {"Authorization": "Bearer " + "x" * 40}
        wrong: list[dict[str, str]] = [{}, foreign, expired, {"Cookie": "bursar_session="}]
        for headers in wrong:
            answer = http.request(method, path, headers=headers)
            problem(answer, 401, "sign-in-needed")


def test_a_role_that_is_not_demanded_is_refused(
    app: FastAPI, live_backend: LiveBackend, http: httpx.Client
) -> None:
    sessions = {role: live_backend.staff(role) for role in STAFF_ROLES}
    refused = set()
    for method, path, demand in _protected(app):
        if not isinstance(demand, RequireStaff):
            continue
        for role in STAFF_ROLES - demand.roles:
            problem(http.request(method, path, headers=bearer(sessions[role])), 403, "wrong-role")
            refused.add((path, role))
    assert refused >= {
        (path, role)
        for path in ("/api/devices", "/api/users", "/api/courses", "/api/workspace/settings")
        for role in (Role.OFFICER, Role.SUPERVISOR)
    }


def test_every_write_of_a_student_checks_the_origin(app: FastAPI, http: httpx.Client) -> None:
    checked = set()
    for route in _all(app.routes):
        if not isinstance(route, APIRoute) or _methods(route) == {"GET"}:
            continue
        if not route.path.startswith("/api/student/"):
            continue
        assert check_origin in set(_demands(route.dependant)), route.path
        (method,) = _methods(route)
        evil = {"Origin": "https://evil.example"}
        answer = http.request(method, route.path, json={}, headers=evil)
        assert answer.status_code in (401, 403), route.path
        checked.add((method, route.path))
    assert len(checked) == 11
