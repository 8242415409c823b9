"""Who is asking: what a valid token says about the person behind a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.domain.roles import Actor, Role, staff, student


@dataclass(frozen=True, slots=True)
class StaffIdentity:
    """`session` is one row of the sessions and of its `family`; `expires_at` (UTC) is when it
    cannot be renewed."""

    session: UUID
    user: UUID
    name: str
    roles: frozenset[Role]
    expires_at: datetime
    family: UUID
    must_change_password: bool = False

    @property
    def actor(self) -> Actor:
        return staff(self.user, self.roles)

    def asking(self, key: str) -> Asker:
        """This person asks for a change; `key` is the request's idempotency key."""
        return Asker(self.actor, self.session, key)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for a change, from which session (None: somebody at the machine itself)."""

    actor: Actor
    session: UUID | None
    key: str


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
