"""Sign-in of the staff, and what every console asks first."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request

from core.backend.web.auth import (
    AnyStaff,
    AnyStaffAtAll,
    Backend,
    Public,
    address_of,
    label_of,
)
from core.protocol.messages import (
    EmbeddedClaim,
    EmbeddedSessions,
    PasswordChange,
    Refresh,
    Session,
    SessionList,
    SignIn,
    User,
    Workspace,
)

router = APIRouter(prefix="/api")


@router.post("/staff/sign-in", dependencies=[Public])
async def sign_in(body: SignIn, request: Request, services: Backend) -> Session:
    return await services.accounts.staff_sign_in(
        body, address=address_of(request), label=label_of(request)
    )


@router.post("/staff/refresh", dependencies=[Public])
async def refresh(body: Refresh, services: Backend) -> Session:
    """A refresh token is good once; a second use ends every session that came from it."""
    return await services.accounts.staff_refresh(body)


@router.post("/staff/sign-out", status_code=204)
async def sign_out(staff: AnyStaffAtAll, services: Backend) -> None:
    await services.accounts.staff_sign_out(staff)


@router.post("/staff/embedded", dependencies=[Public])
async def embedded(body: EmbeddedClaim, services: Backend) -> EmbeddedSessions:
    """Only in a backend that a console started, once, with the token it was given."""
    return await services.accounts.embedded_sessions(body)


@router.get("/staff/me")
async def me(staff: AnyStaffAtAll) -> User:
    return User(
        id=staff.user,
        name=staff.name,
        roles=tuple(sorted(staff.roles)),
        must_change_password=staff.must_change_password,
    )


@router.post("/staff/password", status_code=204)
async def change_password(body: PasswordChange, staff: AnyStaffAtAll, services: Backend) -> None:
    """Every other session of this person ends."""
    await services.own_account.change_staff_password(staff, body)


@router.get("/staff/sessions")
async def sessions(staff: AnyStaffAtAll, services: Backend) -> SessionList:
    return await services.own_account.staff_sessions(staff)


@router.delete("/staff/sessions", status_code=204)
async def end_other_sessions(staff: AnyStaffAtAll, services: Backend) -> None:
    await services.own_account.end_other_staff_sessions(staff)


@router.delete("/staff/sessions/{session}", status_code=204)
async def end_session(session: UUID, staff: AnyStaffAtAll, services: Backend) -> None:
    await services.own_account.end_staff_session(staff, session)


@router.get("/workspace")
async def workspace(_: AnyStaff, services: Backend) -> Workspace:
    return await services.workspace.current()
