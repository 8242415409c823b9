"""What the writer needs to know of a command, and what a decider gives back.

The commands themselves are in `services/commands.py`, the deciders in `services/deciders.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Protocol
from uuid import UUID

from core.backend.storage.payment_records import CardMoney
from core.backend.storage.records import (
    Course,
    Device,
    DeviceNumber,
    DeviceRequest,
    Note,
    OneTimeCode,
    Student,
    User,
    WorkspaceSettings,
)
from core.domain.enrollment import Enrollment
from core.domain.roles import Role
from core.ledger.leaf import Leaf
from core.protocol.messages import AnswerKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What must be read before a command can be decided; the batch reads it in bulk."""

    enrollments: frozenset[UUID] = frozenset()
    places: frozenset[tuple[UUID, UUID]] = frozenset()  # (student, course)
    references: frozenset[str] = frozenset()
    courses: frozenset[UUID] = frozenset()
    students: frozenset[UUID] = frozenset()
    email_indexes: frozenset[bytes] = frozenset()
    users: frozenset[UUID] = frozenset()
    user_emails: frozenset[str] = frozenset()
    sessions: frozenset[UUID] = frozenset()
    devices: frozenset[UUID] = frozenset()
    numbers: frozenset[tuple[UUID, int]] = frozenset()  # (device, n)
    entries: frozenset[int] = frozenset()
    codes: frozenset[bytes] = frozenset()
    notes: frozenset[str] = frozenset()  # commitments
    accounts: frozenset[UUID] = frozenset()  # students with their passwords
    requests: frozenset[UUID] = frozenset()  # of devices, by device
    staff: frozenset[Role] = frozenset()  # everybody who has one of these roles
    links: frozenset[UUID] = frozenset()  # card links, by attempt
    linked_places: frozenset[tuple[UUID, UUID]] = frozenset()  # all links of a place
    late_money: frozenset[UUID] = frozenset()
    refunds: frozenset[UUID] = frozenset()  # by enrollment
    deliveries: frozenset[UUID] = frozenset()  # callbacks of the card provider


def merge(needs: list[Needs]) -> Needs:
    """Everything that any of them needs."""
    return Needs(
        **{f.name: frozenset().union(*(getattr(n, f.name) for n in needs)) for f in fields(Needs)}
    )


class Command(Protocol):
    """Somebody wants something, under an idempotency key.

    `digest` is over what was asked: other bytes under the same (scope, key) are an error.
    """

    @property
    def scope(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def digest(self) -> bytes: ...
    def needs(self) -> Needs: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What the asker is told, kept under the command's key unless it is transient.

    `index` is the ledger index of the entry of an accepted command; `subject` the record it made
    or changed. No personal data of students.
    """

    kind: AnswerKind
    code: str
    message: str
    index: int | None = None
    subject: UUID | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`repeated`: the answer was given before and is given again."""

    answer: Answer
    repeated: bool = False

    @property
    def accepted(self) -> bool:
        return self.answer.kind is AnswerKind.ACCEPTED


@dataclass(frozen=True, slots=True)
class SaveEnrollment:
    """The enrollment's new state; access rows follow from it."""

    before: Enrollment | None
    after: Enrollment


Record = Student | User | Course | Device | DeviceNumber | Note | DeviceRequest | CardMoney


@dataclass(frozen=True, slots=True)
class Add:
    record: Record


@dataclass(frozen=True, slots=True)
class SetWorkspace:
    settings: WorkspaceSettings


@dataclass(frozen=True, slots=True)
class UseCode:
    code: OneTimeCode


@dataclass(frozen=True, slots=True)
class RevokeDevice:
    """`index` is the ledger index of the entry that revokes."""

    device: UUID
    index: int


@dataclass(frozen=True, slots=True)
class Save:
    """The record as it is from now on; it was there before."""

    record: User | Course | Student | DeviceNumber | DeviceRequest | CardMoney


@dataclass(frozen=True, slots=True)
class EndSessions:
    """End sessions of one of the staff: one `family`, or all but `keep`."""

    user: UUID
    at: datetime
    family: UUID | None = None
    keep: UUID | None = None


@dataclass(frozen=True, slots=True)
class EndStudentSessions:
    """End a student's sessions, all but `keep`."""

    student: UUID
    at: datetime
    keep: UUID | None = None


@dataclass(frozen=True, slots=True)
class RequeueDeliveries:
    """Callbacks to be worked on again from this time on."""

    deliveries: tuple[UUID, ...]
    at: datetime


Change = (
    SaveEnrollment
    | Add
    | Save
    | SetWorkspace
    | UseCode
    | RevokeDevice
    | EndSessions
    | EndStudentSessions
    | RequeueDeliveries
)


@dataclass(frozen=True, slots=True)
class Decided:
    """Accepted: exactly one entry, and the changes that go with it."""

    entry: Leaf
    changes: tuple[Change, ...]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Refused:
    """Not accepted. With an entry the refusal is on the ledger and its answer is kept."""

    answer: Answer
    entry: Leaf | None = None
    changes: tuple[Change, ...] = field(default=())


Verdict = Decided | Refused


@dataclass(frozen=True, slots=True)
class Context:
    """The time of the batch (UTC) and a source of fresh ids."""

    now: datetime
    new_id: Callable[[], UUID]
