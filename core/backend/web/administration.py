"""Administration: the staff, courses and prices, and the house itself."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from core.backend.web.auth import Administrator, Backend, IdempotencyKey
from core.protocol.messages import (
    CourseChange,
    CourseList,
    CourseRow,
    NewCourse,
    NewPassword,
    NewRoles,
    NewUser,
    SessionList,
    StaffList,
    StaffMember,
    UserPassword,
    WorkspaceSettings,
)

router = APIRouter(prefix="/api")

# --- staff -------------------------------------------------------------------------------------


@router.get("/users")
async def users(_: Administrator, services: Backend) -> StaffList:
    return await services.users.list()


@router.post("/users")
async def add_user(
    body: NewUser, admin: Administrator, key: IdempotencyKey, services: Backend
) -> UserPassword:
    """A password that was made up is told here, once."""
    return await services.users.add(admin.asking(key), body)


@router.put("/users/{user}/roles")
async def set_roles(
    user: UUID, body: NewRoles, admin: Administrator, key: IdempotencyKey, services: Backend
) -> StaffMember:
    return await services.users.set_roles(admin.asking(key), user, frozenset(body.roles))


@router.post("/users/{user}/disable")
async def disable(
    user: UUID, admin: Administrator, key: IdempotencyKey, services: Backend
) -> StaffMember:
    """Their sessions end."""
    return await services.users.set_disabled(admin.asking(key), user, disabled=True)


@router.post("/users/{user}/enable")
async def enable(
    user: UUID, admin: Administrator, key: IdempotencyKey, services: Backend
) -> StaffMember:
    return await services.users.set_disabled(admin.asking(key), user, disabled=False)


@router.post("/users/{user}/password")
async def reset_password(
    user: UUID, body: NewPassword, admin: Administrator, key: IdempotencyKey, services: Backend
) -> UserPassword:
    """For somebody who forgot theirs; it must be changed at the next sign-in."""
    return await services.users.reset_password(admin.asking(key), user, body.password)


@router.get("/users/{user}/sessions")
async def sessions(user: UUID, _: Administrator, services: Backend) -> SessionList:
    return await services.users.sessions(user)


@router.delete("/users/{user}/sessions", status_code=204)
async def end_sessions(
    user: UUID, admin: Administrator, key: IdempotencyKey, services: Backend
) -> None:
    """All of them; of oneself all but this one."""
    await services.users.end_sessions(admin, user, session=None, key=key)


@router.delete("/users/{user}/sessions/{session}", status_code=204)
async def end_session(
    user: UUID, session: UUID, admin: Administrator, key: IdempotencyKey, services: Backend
) -> None:
    await services.users.end_sessions(admin, user, session=session, key=key)


# --- courses -----------------------------------------------------------------------------------


@router.get("/courses")
async def courses(_: Administrator, services: Backend) -> CourseList:
    return await services.workspace.courses()


@router.post("/courses")
async def add_course(
    body: NewCourse, admin: Administrator, key: IdempotencyKey, services: Backend
) -> CourseRow:
    return await services.workspace.add(admin.asking(key), body)


@router.put("/courses/{course}")
async def change_course(
    course: UUID, body: CourseChange, admin: Administrator, key: IdempotencyKey, services: Backend
) -> CourseRow:
    """A new price is for later rounds only."""
    return await services.workspace.change(admin.asking(key), course, body)


@router.post("/courses/{course}/retire")
async def retire_course(
    course: UUID, admin: Administrator, key: IdempotencyKey, services: Backend
) -> CourseRow:
    """No new enrollments; whoever has access keeps it."""
    return await services.workspace.retire(admin.asking(key), course, retired=True)


@router.post("/courses/{course}/reopen")
async def reopen_course(
    course: UUID, admin: Administrator, key: IdempotencyKey, services: Backend
) -> CourseRow:
    return await services.workspace.retire(admin.asking(key), course, retired=False)


# --- the house ---------------------------------------------------------------------------------


@router.get("/workspace/settings")
async def settings(_: Administrator, services: Backend) -> WorkspaceSettings:
    return await services.workspace.settings()


@router.put("/workspace/settings")
async def change_settings(
    body: WorkspaceSettings, admin: Administrator, key: IdempotencyKey, services: Backend
) -> WorkspaceSettings:
    """All of them at once: who sends an old name sets it again."""
    return await services.workspace.change_settings(admin.asking(key), body)
