"""The commands: who wants what, under which idempotency key. Nothing is written but by them.

Everything random or slow (ids, references, password hashes, checked signatures, sealed data) is
made before and comes with the command. `digest` is only over what the asker sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.backend.services.asking import (
    AskedByStaff,
    AskedByStudent,
    Signed,
    SignedByOfficer,
    request_digest,
)
from core.backend.storage.command import Needs
from core.backend.storage.records import Course, Note, Student, User, WorkspaceSettings
from core.domain.decisions import Decision, Verdict
from core.domain.enrollment import PaymentMethod
from core.domain.roles import Actor, Role
from core.protocol.signing import Withdrawal

# What opens a refund, or takes it back.
_REFUNDS = frozenset({Verdict.REVERSE_APPROVAL, Verdict.REINSTATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollCommand(AskedByStudent):
    """A student wants a place, for the first time or again.

    `enrollment` and `references` (several, should one be taken) are used where a record is made.
    """

    course: UUID
    method: PaymentMethod
    enrollment: UUID
    references: tuple[str, ...]

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
class SubmitEftCommand(AskedByStudent):
    """A student says: I have paid by EFT. `claim` is the id of the claim that this makes."""

    course: UUID
    claim: UUID

    @property
    def digest(self) -> bytes:
        return request_digest("submit-eft", str(self.course))

    def needs(self) -> Needs:
        return Needs(places=frozenset({(self.student, self.course)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideCommand(SignedByOfficer):
    """An officer's decision; `note` is the officer's own words, sealed."""

    decision: Decision
    note: Note | None = None

    @property
    def made(self) -> Decision:
        return self.decision

    def needs(self) -> Needs:
        decision = self.decision
        return self.signer_needs(
            entries=frozenset({decision.as_of}),
            notes=frozenset({self.note.commitment} if self.note else set()),
            refunds=frozenset({decision.enrollment} if decision.verdict in _REFUNDS else set()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawCommand(SignedByOfficer):
    """An officer takes back a decision that waited in a console's queue."""

    withdrawal: Withdrawal

    @property
    def made(self) -> Withdrawal:
        return self.withdrawal


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
class EnrollDeviceCommand(Signed):
    """`payload` was read before; a root is signed for by its own new key.

    `code` is the SHA-256 of the one-time code, for a root only; `actor` is who asks.
    """

    id: UUID
    device: UUID
    user: UUID
    roles: frozenset[Role]
    public_key: bytes
    by_device: UUID
    actor: Actor
    session: UUID
    code: bytes | None

    @property
    def scope(self) -> str:
        return f"device-enrollment:{self.device}"

    @property
    def key(self) -> str:
        return str(self.id)

    def needs(self) -> Needs:
        return Needs(
            devices=frozenset({self.device, self.by_device}),
            users=frozenset({self.user} | ({self.actor.id} if self.actor.id else set())),
            sessions=frozenset({self.session}),
            codes=frozenset({self.code} if self.code else set()),
            requests=frozenset({self.device}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRevocation(Signed):
    by_device: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeDeviceCommand(AskedByStaff):
    """`signed` is None only where the system asks: somebody at the machine itself."""

    device: UUID
    signed: SignedRevocation | None = None

    @property
    def digest(self) -> bytes:
        return request_digest("revoke-device", str(self.device))

    def needs(self) -> Needs:
        by = frozenset({self.signed.by_device} if self.signed else set())
        return self.asker_needs(devices=frozenset({self.device}) | by)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUserCommand(AskedByStaff):
    user: User

    @property
    def digest(self) -> bytes:
        user = self.user
        return request_digest("add-user", user.email, user.name, *sorted(user.roles))

    def needs(self) -> Needs:
        return self.asker_needs(user_emails=frozenset({self.user.email}))


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCourseCommand(AskedByStaff):
    course: Course

    @property
    def digest(self) -> bytes:
        course = self.course
        return request_digest(
            "add-course", course.title, course.summary, str(course.price_cents),
            *(text for lesson in course.lessons for text in (lesson.title, lesson.body)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWorkspaceCommand(AskedByStaff):
    settings: WorkspaceSettings

    @property
    def digest(self) -> bytes:
        s = self.settings
        return request_digest(
            "set-workspace", s.name, str(s.demo), str(s.threshold_cents),
            s.bank, s.account_name, s.account_number, s.branch_code,
        )  # fmt: skip
