"""Who may ask: staff by bearer token and role, students by cookie, browsers by their Origin.

A route says what it demands by one of the parameter types below; a test reads them back from the
application and fails for a route that demands nothing and is not on the public list.
"""

# No `from __future__ import annotations`: FastAPI cannot resolve the names of a callable object.
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header
from fastapi.security.utils import get_authorization_scheme_param
from starlette.requests import HTTPConnection, Request

from core.backend.services.container import Services
from core.backend.services.errors import SignInNeededError
from core.backend.services.identities import StaffIdentity, StudentIdentity
from core.backend.web.problems import ProblemError
from core.domain.roles import STAFF_ROLES, Role

COOKIE = "bursar_session"
_MAX_TOKEN = 200


def services_of(connection: HTTPConnection) -> Services:
    """The services that `create_app` was given."""
    services = connection.app.state.services
    if not isinstance(services, Services):
        raise TypeError("the application was built without its services")
    return services


def address_of(connection: HTTPConnection) -> str:
    """The address of who asks, for counting wrong guesses; empty where there is none."""
    return connection.client.host if connection.client else ""


@dataclass(frozen=True)
class RequireStaff:
    """A dependency: a live staff session with at least one of these roles."""

    roles: frozenset[Role]

    async def __call__(self, request: Request) -> StaffIdentity:
        header = request.headers.get("authorization", "")
        scheme, token = get_authorization_scheme_param(header)
        if scheme.lower() != "bearer" or not 0 < len(token) <= _MAX_TOKEN:
            raise SignInNeededError
        identity = await services_of(request).accounts.staff_identity(token)
        require_role(identity, self.roles)
        return identity


def require_role(identity: StaffIdentity, roles: frozenset[Role]) -> None:
    """Raises ProblemError (403)."""
    if identity.roles.isdisjoint(roles):
        names = " or ".join(sorted(role.value for role in roles))
        raise ProblemError(403, "wrong-role", f"This needs the role {names}.")


@dataclass(frozen=True)
class RequireStudent:
    """A dependency: a live student session, from the cookie."""

    async def __call__(self, request: Request) -> StudentIdentity:
        return await student_of(request)


async def student_of(connection: HTTPConnection) -> StudentIdentity:
    """The student behind the cookie. Raises SignInNeededError."""
    token = connection.cookies.get(COOKIE, "")
    if not 0 < len(token) <= _MAX_TOKEN:
        raise SignInNeededError
    return await services_of(connection).accounts.student_identity(token)


async def student_or_none(request: Request) -> StudentIdentity | None:
    """A visitor is welcome too."""
    try:
        return await student_of(request)
    except SignInNeededError:
        return None


def origin_allowed(connection: HTTPConnection) -> bool:
    """Browsers send an Origin with writes and websockets; programs without one send no cookies
    that are not their own."""
    origin = connection.headers.get("origin")
    return origin is None or origin in connection.app.state.origins


async def check_origin(request: Request) -> None:
    """Raises ProblemError (403) for a page of another site."""
    if not origin_allowed(request):
        raise ProblemError(403, "wrong-origin", "This page may not ask for that.")


AnyStaff = Annotated[StaffIdentity, Depends(RequireStaff(STAFF_ROLES))]
Administrator = Annotated[StaffIdentity, Depends(RequireStaff(frozenset({Role.ADMINISTRATOR})))]
SignedInStudent = Annotated[StudentIdentity, Depends(RequireStudent())]
Visitor = Annotated[StudentIdentity | None, Depends(student_or_none)]
SameOrigin = Depends(check_origin)
Backend = Annotated[Services, Depends(services_of)]
IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", min_length=8, max_length=100, pattern=r"^[\x21-\x7e]+$")
]
