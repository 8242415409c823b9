"""The commands: who wants what, under which idempotency key. Nothing is written but by them.

Everything random or slow (ids, references, password hashes, checked signatures, sealed data) is
made before and comes with the command. `digest` is only over what the asker sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from core.backend.storage.command import Needs
from core.backend.storage.records import Course, Note, Student, User, WorkspaceSettings
from core.domain.decisions import Decision, Verdict
from core.domain.enrollment import PaymentMethod
from core.domain.roles import Actor, Role
from core.ledger.canonical import canonical
from core.protocol.signing import Withdrawal

# What opens a refund, or takes it back.
_REFUNDS = frozenset({Verdict.REVERSE_APPROVAL, Verdict.REINSTATE})


def request_digest(*parts: str) -> bytes:
    """SHA-256 over the texts of a request, in order."""
    return sha256(canonical(list(parts))).digest()


def asker_needs(actor: Actor, session: UUID | None, **more: frozenset[Any]) -> Needs:
    """`more`, and what tells whether the asker may still ask: user and session."""
    users = more.pop("users", frozenset())
    return Needs(
        users=users | (frozenset({actor.id}) if actor.id else frozenset()),
        sessions=frozenset({session}) if session else frozenset(),
        **more,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollCommand:
    """A student wants a place, for the first time or again.

    `enrollment` and `references` (several, should one be taken) are used where a record is made.
    """

    student: UUID
    course: UUID
    method: PaymentMethod
    enrollment: UUID
    references: tuple[str, ...]
    key: str

    @property
    def scope(self) -> str:
        return f"student:{self.student}"

    @property
    def digest(self) -> bytes:
        return request_digest("enroll", str(self.course), self.method.value)

    def needs(self) -> Needs:
        return Needs(
            places=frozenset({(self.student, self.course)}),
            references=frozenset(self.references),
            courses=frozenset({self.course}),
            students=frozenset({self.student}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitEftCommand:
    """A student says: I have paid by EFT. `claim` is the id of the claim that this makes."""

    student: UUID
    course: UUID
    claim: UUID
    key: str

    @property
    def scope(self) -> str:
        return f"student:{self.student}"

    @property
    def digest(self) -> bytes:
        return request_digest("submit-eft", str(self.course))

    def needs(self) -> Needs:
        return Needs(places=frozenset({(self.student, self.course)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideCommand:
    """An officer's decision; `signature` was checked under the device's key before.

    `session` is the officer's session row; `note` the officer's own words, sealed.
    """

    decision: Decision
    payload: bytes
    signature: bytes
    session: UUID
    note: Note | None = None

    @property
    def made(self) -> Decision:
        """What the device signed; `WithdrawCommand` has the same."""
        return self.decision

    @property
    def scope(self) -> str:
        return f"device:{self.decision.device}"

    @property
    def key(self) -> str:
        return str(self.decision.id)

    @property
    def digest(self) -> bytes:
        return sha256(self.payload + self.signature).digest()

    def needs(self) -> Needs:
        decision = self.decision
        return Needs(
            enrollments=frozenset({decision.enrollment}),
            users=frozenset({decision.officer}),
            sessions=frozenset({self.session}),
            devices=frozenset({decision.device}),
            numbers=frozenset({(decision.device, decision.n)}),
            entries=frozenset({decision.as_of}),
            notes=frozenset({self.note.commitment} if self.note else set()),
            refunds=frozenset({decision.enrollment} if decision.verdict in _REFUNDS else set()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawCommand:
    """An officer takes back a decision that waited in a console's queue.

    `signature` was checked under the device's key before; `session` is the officer's session row.
    """

    withdrawal: Withdrawal
    payload: bytes
    signature: bytes
    session: UUID

    @property
    def made(self) -> Withdrawal:
        return self.withdrawal

    @property
    def scope(self) -> str:
        return f"device:{self.withdrawal.device}"

    @property
    def key(self) -> str:
        return str(self.withdrawal.id)

    @property
    def digest(self) -> bytes:
        return sha256(self.payload + self.signature).digest()

    def needs(self) -> Needs:
        made = self.withdrawal
        return Needs(
            enrollments=frozenset({made.enrollment}),
            users=frozenset({made.officer}),
            sessions=frozenset({self.session}),
            devices=frozenset({made.device}),
            numbers=frozenset({(made.device, made.n)}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterStudentCommand:
    student: Student

    @property
    def scope(self) -> str:
        return f"student:{self.student.id}"

    @property
    def key(self) -> str:
        return "register"

    @property
    def digest(self) -> bytes:
        return request_digest("register", self.student.commitment)

    def needs(self) -> Needs:
        return Needs(email_indexes=frozenset({self.student.email_index}))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollDeviceCommand:
    """`payload` was read and `signature` checked before: for a root under the new key itself.

    `code` is the SHA-256 of the one-time code, for a root only; `actor` is who asks.
    """

    id: UUID
    device: UUID
    user: UUID
    roles: frozenset[Role]
    public_key: bytes
    by_device: UUID
    payload: bytes
    signature: bytes
    actor: Actor
    session: UUID
    code: bytes | None

    @property
    def scope(self) -> str:
        return f"device-enrollment:{self.device}"

    @property
    def key(self) -> str:
        return str(self.id)

    @property
    def digest(self) -> bytes:
        return sha256(self.payload + self.signature).digest()

    def needs(self) -> Needs:
        return Needs(
            devices=frozenset({self.device, self.by_device}),
            users=frozenset({self.user} | ({self.actor.id} if self.actor.id else set())),
            sessions=frozenset({self.session}),
            codes=frozenset({self.code} if self.code else set()),
            requests=frozenset({self.device}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRevocation:
    """`signature` of `by_device` over `payload` was checked before."""

    by_device: UUID
    payload: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeDeviceCommand:
    """`signed` is None only where the system asks: somebody at the machine itself."""

    device: UUID
    actor: Actor
    key: str
    session: UUID | None = None
    signed: SignedRevocation | None = None

    @property
    def scope(self) -> str:
        return self.actor.code

    @property
    def digest(self) -> bytes:
        return request_digest("revoke-device", str(self.device))

    def needs(self) -> Needs:
        by = frozenset({self.signed.by_device} if self.signed else set())
        return asker_needs(self.actor, self.session, devices=frozenset({self.device}) | by)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUserCommand:
    """`session` is the asker's; None at the machine itself."""

    user: User
    actor: Actor
    key: str
    session: UUID | None = None

    @property
    def scope(self) -> str:
        return self.actor.code

    @property
    def digest(self) -> bytes:
        user = self.user
        return request_digest("add-user", user.email, user.name, *sorted(user.roles))

    def needs(self) -> Needs:
        emails = frozenset({self.user.email})
        return asker_needs(self.actor, self.session, user_emails=emails)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCourseCommand:
    course: Course
    actor: Actor
    key: str
    session: UUID | None = None

    @property
    def scope(self) -> str:
        return self.actor.code

    @property
    def digest(self) -> bytes:
        course = self.course
        return request_digest(
            "add-course", course.title, course.summary, str(course.price_cents),
            *(text for lesson in course.lessons for text in (lesson.title, lesson.body)),
        )  # fmt: skip

    def needs(self) -> Needs:
        return asker_needs(self.actor, self.session)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWorkspaceCommand:
    settings: WorkspaceSettings
    actor: Actor
    key: str
    session: UUID | None = None

    @property
    def scope(self) -> str:
        return self.actor.code

    @property
    def digest(self) -> bytes:
        s = self.settings
        return request_digest(
            "set-workspace", s.name, str(s.demo), str(s.threshold_cents),
            s.bank, s.account_name, s.account_number, s.branch_code,
        )  # fmt: skip

    def needs(self) -> Needs:
        return asker_needs(self.actor, self.session)
