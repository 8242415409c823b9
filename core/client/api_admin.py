"""What staff do about their own sign-in, and what administrators do: one typed method per route.

Everything may raise what `Api` raises. Writes carry a key of their own, so that a renewed session
in between never does a thing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel

from core.client.api import Api, checked, understood
from core.domain.roles import Role
from core.protocol import messages
from core.protocol.messages import CourseRow, Device, StaffMember, WorkspaceSettings

_M = TypeVar("_M", bound=BaseModel)


class AccountApi:
    """One's own password and sessions."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def change_password(self, old: str, new: str) -> None:
        """Every other session ends. A wrong old password is a ProblemError."""
        body = checked(messages.PasswordChange, old_password=old, new_password=new)
        await self._api.ask("POST", "/api/staff/password", body)

    async def sessions(self) -> tuple[messages.SessionRow, ...]:
        """Newest first; this console's is `current`."""
        content = await self._api.ask("GET", "/api/staff/sessions")
        return understood(content, messages.SessionList).sessions

    async def end_session(self, session: UUID) -> None:
        await self._api.ask("DELETE", f"/api/staff/sessions/{session}")

    async def end_other_sessions(self) -> None:
        await self._api.ask("DELETE", "/api/staff/sessions")


class AdminApi:
    """For administrators; anybody else gets a ProblemError."""

    def __init__(self, api: Api, new_id: Callable[[], UUID]) -> None:
        """`new_id` makes the keys of the writes."""
        self._api = api
        self._new_id = new_id

    # --- users ---

    async def users(self) -> tuple[StaffMember, ...]:
        return (await self._get("/api/users", messages.StaffList)).users

    async def add_user(
        self, *, name: str, email: str, roles: Collection[Role]
    ) -> messages.UserPassword:
        """The password that the backend made up is in the answer, this once."""
        body = checked(messages.NewUser, name=name, email=email, roles=tuple(roles))
        return await self._write("POST", "/api/users", messages.UserPassword, body)

    async def set_roles(self, user: UUID, roles: Collection[Role]) -> StaffMember:
        body = checked(messages.NewRoles, roles=tuple(roles))
        return await self._write("PUT", f"/api/users/{user}/roles", StaffMember, body)

    async def disable_user(self, user: UUID) -> StaffMember:
        return await self._write("POST", f"/api/users/{user}/disable", StaffMember)

    async def enable_user(self, user: UUID) -> StaffMember:
        return await self._write("POST", f"/api/users/{user}/enable", StaffMember)

    async def new_password(self, user: UUID) -> messages.UserPassword:
        """A password made up by the backend, shown once; the user's sessions end."""
        path = f"/api/users/{user}/password"
        return await self._write("POST", path, messages.UserPassword, messages.NewPassword())

    async def sessions_of(self, user: UUID) -> tuple[messages.SessionRow, ...]:
        return (await self._get(f"/api/users/{user}/sessions", messages.SessionList)).sessions

    async def end_session_of(self, user: UUID, session: UUID) -> None:
        await self._api.ask("DELETE", f"/api/users/{user}/sessions/{session}", key=self._key())

    async def end_sessions_of(self, user: UUID) -> None:
        """All of them; of oneself all but this one."""
        await self._api.ask("DELETE", f"/api/users/{user}/sessions", key=self._key())

    # --- devices ---

    async def devices(self) -> messages.DeviceList:
        return await self._get("/api/devices", messages.DeviceList)

    async def refuse_device(self, device: UUID) -> Device:
        return await self._write("POST", f"/api/devices/requests/{device}/refuse", Device)

    # --- courses ---

    async def courses(self) -> tuple[CourseRow, ...]:
        return (await self._get("/api/courses", messages.CourseList)).courses

    async def add_course(self, *, title: str, summary: str, price_cents: int) -> CourseRow:
        body = checked(messages.NewCourse, title=title, summary=summary, price_cents=price_cents)
        return await self._write("POST", "/api/courses", CourseRow, body)

    async def change_course(
        self, course: UUID, *, title: str, summary: str, price_cents: int
    ) -> CourseRow:
        body = checked(messages.CourseChange, title=title, summary=summary, price_cents=price_cents)
        return await self._write("PUT", f"/api/courses/{course}", CourseRow, body)

    async def retire_course(self, course: UUID) -> CourseRow:
        return await self._write("POST", f"/api/courses/{course}/retire", CourseRow)

    async def reopen_course(self, course: UUID) -> CourseRow:
        return await self._write("POST", f"/api/courses/{course}/reopen", CourseRow)

    # --- workspace ---

    async def workspace_settings(self) -> WorkspaceSettings:
        return await self._get("/api/workspace/settings", WorkspaceSettings)

    async def set_workspace(self, settings: WorkspaceSettings) -> WorkspaceSettings:
        return await self._write("PUT", "/api/workspace/settings", WorkspaceSettings, settings)

    # --- how ---

    async def _get(self, path: str, answer: type[_M]) -> _M:
        return understood(await self._api.ask("GET", path), answer)

    async def _write(
        self, method: str, path: str, answer: type[_M], body: BaseModel | None = None
    ) -> _M:
        return understood(await self._api.ask(method, path, body, key=self._key()), answer)

    def _key(self) -> str:
        return str(self._new_id())
