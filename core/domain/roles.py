"""Who acts: the kinds of people and programs that cause events, and what a role allows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What somebody may be. Staff can hold several; the last three are never held by people."""

    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    STUDENT = "student"
    GATEWAY = "gateway"
    SYSTEM = "system"


STAFF_ROLES = frozenset({Role.OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR})
# A supervisor may do whatever an officer may; an administrator runs the house but decides no money.
DECIDING_ROLES = frozenset({Role.OFFICER, Role.SUPERVISOR})
# Who may have the card provider's callbacks worked on again.
REPLAYING_ROLES = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who causes an event. `id` is None for the gateway and the system, which are not persons."""

    roles: frozenset[Role]
    id: UUID | None = None

    def has_any(self, roles: frozenset[Role]) -> bool:
        return not self.roles.isdisjoint(roles)

    @property
    def code(self) -> str:
        """The actor as the ledger writes it: `user:<id>`, `student:<id>`, `gateway` or `system`."""
        if self.id is None:
            return "gateway" if Role.GATEWAY in self.roles else "system"
        return f"student:{self.id}" if Role.STUDENT in self.roles else f"user:{self.id}"


SYSTEM = Actor(roles=frozenset({Role.SYSTEM}))
GATEWAY = Actor(roles=frozenset({Role.GATEWAY}))


def student(id: UUID) -> Actor:  # noqa: A002 - the field it fills has this name
    return Actor(roles=frozenset({Role.STUDENT}), id=id)


def staff(id: UUID, roles: frozenset[Role]) -> Actor:  # noqa: A002 - as above
    return Actor(roles=roles & STAFF_ROLES, id=id)
