"""What the administration asks of the desk behind it. Every method may raise ClientError."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from core.domain.roles import Role
from core.protocol.messages import (
    CourseRow,
    Device,
    DeviceList,
    DeviceRequestRow,
    SessionRow,
    StaffMember,
    UserPassword,
    WorkspaceSettings,
)


class AdministrationPort(Protocol):
    """`core.client.api_admin.AdminApi`, and the two things that this console's own key signs."""

    async def users(self) -> tuple[StaffMember, ...]: ...

    async def add_user(self, *, name: str, email: str, roles: Collection[Role]) -> UserPassword: ...

    async def set_roles(self, user: UUID, roles: Collection[Role]) -> StaffMember: ...

    async def disable_user(self, user: UUID) -> StaffMember: ...

    async def enable_user(self, user: UUID) -> StaffMember: ...

    async def new_password(self, user: UUID) -> UserPassword: ...

    async def sessions_of(self, user: UUID) -> tuple[SessionRow, ...]: ...

    async def end_session_of(self, user: UUID, session: UUID) -> None: ...

    async def end_sessions_of(self, user: UUID) -> None: ...

    async def devices(self) -> DeviceList: ...

    async def refuse_device(self, device: UUID) -> Device: ...

    async def courses(self) -> tuple[CourseRow, ...]: ...

    async def add_course(self, *, title: str, summary: str, price_cents: int) -> CourseRow: ...

    async def change_course(
        self, course: UUID, *, title: str, summary: str, price_cents: int
    ) -> CourseRow: ...

    async def retire_course(self, course: UUID) -> CourseRow: ...

    async def reopen_course(self, course: UUID) -> CourseRow: ...

    async def workspace_settings(self) -> WorkspaceSettings: ...

    async def set_workspace(self, settings: WorkspaceSettings) -> WorkspaceSettings: ...

    @property
    def why_not_sign(self) -> str:
        """Why this console's key cannot sign for others, or nothing."""
        ...

    async def approve(self, asked: DeviceRequestRow) -> None: ...

    async def revoke(self, device: UUID) -> None: ...
