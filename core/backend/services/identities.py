"""Who is asking: what a valid token says about the person behind a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.domain.roles import Actor, Role, staff, student


@dataclass(frozen=True, slots=True)
class StaffIdentity:
    """`session` is one row of the sessions; `expires_at` (UTC) is when it cannot be renewed."""

    session: UUID
    user: UUID
    name: str
    roles: frozenset[Role]
    expires_at: datetime

    @property
    def actor(self) -> Actor:
        return staff(self.user, self.roles)


@dataclass(frozen=True, slots=True)
class StudentIdentity:
    session: UUID
    student: UUID
    name: str
    expires_at: datetime

    @property
    def actor(self) -> Actor:
        return student(self.student)


@dataclass(frozen=True, slots=True)
class StudentSession:
    """A fresh session: `token` goes into the cookie and is never seen again."""

    token: str
    identity: StudentIdentity
