"""Sign-in of the staff, and what every console asks first."""

from __future__ import annotations

from fastapi import APIRouter, Request

from core.backend.web.auth import AnyStaff, Backend, address_of
from core.protocol.messages import (
    EmbeddedClaim,
    EmbeddedSessions,
    Refresh,
    Session,
    SignIn,
    User,
    Workspace,
)

router = APIRouter(prefix="/api")


@router.post("/staff/sign-in")
async def sign_in(body: SignIn, request: Request, services: Backend) -> Session:
    return await services.accounts.staff_sign_in(body, address=address_of(request))


@router.post("/staff/refresh")
async def refresh(body: Refresh, services: Backend) -> Session:
    """A refresh token is good once; a second use ends every session that came from it."""
    return await services.accounts.staff_refresh(body)


@router.post("/staff/sign-out", status_code=204)
async def sign_out(staff: AnyStaff, services: Backend) -> None:
    await services.accounts.staff_sign_out(staff)


@router.post("/staff/embedded")
async def embedded(body: EmbeddedClaim, services: Backend) -> EmbeddedSessions:
    """Only in a backend that a console started, once, with the token it was given."""
    return await services.accounts.embedded_sessions(body)


@router.get("/staff/me")
async def me(staff: AnyStaff) -> User:
    return User(id=staff.user, name=staff.name, roles=tuple(sorted(staff.roles)))


@router.get("/workspace")
async def workspace(_: AnyStaff, services: Backend) -> Workspace:
    return await services.workspace.current()
