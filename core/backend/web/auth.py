"""Who may ask: staff by bearer token and role, students by cookie, browsers by their Origin.

A route says whom it is for by one of the parameter types below, or by `Public`; tests read them
back from the application and fail for a route that says nothing. The OpenAPI document has them as
its security schemes.
"""

# No `from __future__ import annotations`: FastAPI cannot resolve the names of a callable object.
import ipaddress
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Header
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.openapi.models import SecurityBase as SecurityScheme
from fastapi.security.base import SecurityBase
from fastapi.security.utils import get_authorization_scheme_param
from starlette.requests import HTTPConnection, Request

from core.backend.services.container import Services
from core.backend.services.errors import SignInNeededError
from core.backend.services.identities import StaffIdentity, StudentIdentity
from core.backend.web.devicewords import device_words
from core.backend.web.problems import ProblemError
from core.domain.roles import DECIDING_ROLES, REPLAYING_ROLES, STAFF_ROLES, Role

COOKIE = "bursar_session"
_MAX_TOKEN = 200
_OWN_SITE = frozenset({"none", "same-origin"})


def services_of(connection: HTTPConnection) -> Services:
    """The services that `create_app` was given."""
    services = connection.app.state.services
    if not isinstance(services, Services):
        raise TypeError("the application was built without its services")
    return services


def address_of(connection: HTTPConnection) -> str:
    """Where who asks is, for counting wrong guesses; empty where that is not known.

    Of IPv6 the network: one customer has 2**64 addresses of it, and could guess from each.
    """
    host = connection.client.host if connection.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


@dataclass(frozen=True)
class RequireStaff(SecurityBase):
    """A dependency: a live staff session with at least one of these roles, and, unless told
    otherwise, a password that its owner chose."""

    roles: frozenset[Role]
    even_with_first_password: bool = False
    model: SecurityScheme = field(default_factory=HTTPBearer, init=False, compare=False)
    scheme_name: str = field(default="staff", init=False)

    async def __call__(self, request: Request) -> StaffIdentity:
        header = request.headers.get("authorization", "")
        scheme, token = get_authorization_scheme_param(header)
        if scheme.lower() != "bearer" or not 0 < len(token) <= _MAX_TOKEN:
            raise SignInNeededError
        identity = await services_of(request).accounts.staff_identity(token)
        require_role(identity, self.roles)
        if not self.even_with_first_password:
            require_own_password(identity)
        return identity


def require_own_password(identity: StaffIdentity) -> None:
    """Raises ProblemError (403) for somebody whose password somebody else has set."""
    if identity.must_change_password:
        detail = "Please choose a password of your own first."
        raise ProblemError(403, "password-change-needed", detail)


def require_role(identity: StaffIdentity, roles: frozenset[Role]) -> None:
    """Raises ProblemError (403)."""
    if identity.roles.isdisjoint(roles):
        names = " or ".join(sorted(role.value for role in roles))
        raise ProblemError(403, "wrong-role", f"This needs the role {names}.")


def _cookie_scheme() -> APIKey:
    return APIKey.model_validate({"in": APIKeyIn.cookie, "name": COOKIE})


@dataclass(frozen=True)
class RequireStudent(SecurityBase):
    """A dependency: a live student session, from the cookie."""

    model: SecurityScheme = field(default_factory=_cookie_scheme, init=False, compare=False)
    scheme_name: str = field(default="student", init=False)

    async def __call__(self, request: Request) -> StudentIdentity:
        return await student_of(request)


def cookie_name(connection: HTTPConnection) -> str:
    """The student's cookie here."""
    return cookie_over(https=connection.app.state.https)


def cookie_over(*, https: bool) -> str:
    """Over https with the prefix that keeps every other host and path from setting it."""
    return f"__Host-{COOKIE}" if https else COOKIE


def label_of(connection: HTTPConnection) -> str:
    """A few words about the browser or console that asks, for the list of sessions."""
    return device_words(connection.headers.get("user-agent", ""))


async def student_of(connection: HTTPConnection) -> StudentIdentity:
    """The student behind the cookie. Raises SignInNeededError."""
    token = connection.cookies.get(cookie_name(connection), "")
    if not 0 < len(token) <= _MAX_TOKEN:
        raise SignInNeededError
    return await services_of(connection).accounts.student_identity(token)


async def student_or_none(request: Request) -> StudentIdentity | None:
    """A visitor is welcome too."""
    try:
        return await student_of(request)
    except SignInNeededError:
        return None


async def anybody() -> None:
    """Nothing is demanded: said aloud, because a route that says nothing is a mistake."""


def origin_allowed(connection: HTTPConnection) -> bool:
    """Browsers send an Origin with writes and websockets; programs without one send no cookies
    that are not their own."""
    origins = connection.headers.getlist("origin")
    if not origins:
        return connection.headers.get("sec-fetch-site", "none") in _OWN_SITE
    return len(origins) == 1 and origins[0] in connection.app.state.origins


async def check_origin(request: Request) -> None:
    """Raises ProblemError (403) for a page of another site."""
    if not origin_allowed(request):
        raise ProblemError(403, "wrong-origin", "This page may not ask for that.")


# Also for somebody who must choose a password of their own first.
AnyStaffAtAll = Annotated[
    StaffIdentity, Depends(RequireStaff(STAFF_ROLES, even_with_first_password=True))
]
AnyStaff = Annotated[StaffIdentity, Depends(RequireStaff(STAFF_ROLES))]
Decider = Annotated[StaffIdentity, Depends(RequireStaff(DECIDING_ROLES))]
Replayer = Annotated[StaffIdentity, Depends(RequireStaff(REPLAYING_ROLES))]
Administrator = Annotated[StaffIdentity, Depends(RequireStaff(frozenset({Role.ADMINISTRATOR})))]
SignedInStudent = Annotated[StudentIdentity, Depends(RequireStudent())]
Visitor = Annotated[StudentIdentity | None, Depends(student_or_none)]
SameOrigin = Depends(check_origin)
Public = Depends(anybody)
Backend = Annotated[Services, Depends(services_of)]
IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", min_length=8, max_length=100, pattern=r"^[\x21-\x7e]+$")
]
