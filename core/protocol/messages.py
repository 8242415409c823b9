"""What travels between backend and console: bodies of requests, answers, and feed messages.

Every model refuses unknown fields and has a limit on each text and list. Amounts are cents, times
are UTC with zone, ids are UUIDs, digests are lower-case hex.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from core.domain.enrollment import ClaimStatus, EnrollmentStatus, PaymentMethod, PaymentStatus
from core.domain.roles import Role

Cents = Annotated[int, Field(ge=0, le=10_000_000_000, strict=True)]
Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# One line without control characters: PostgreSQL takes no NUL, and no name hides part of itself.
ShortText = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
# The same, where nothing need be said.
Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
# Some lines of text, kept as they came.
Summary = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
LessonText = Annotated[str, StringConstraints(max_length=65536, pattern=r"^[^\x00]*$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]
Email = Annotated[
    str,
    StringConstraints(
        min_length=3, max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$"
    ),
]
Password = Annotated[str, StringConstraints(min_length=8, max_length=200, pattern=r"^[^\x00]+$")]
Secret = Annotated[str, StringConstraints(min_length=16, max_length=200, pattern=r"^[\x20-\x7e]+$")]
Base64 = Annotated[str, StringConstraints(max_length=8192, pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
Index = Annotated[int, Field(ge=0, le=2**53 - 1, strict=True)]

MAX_INBOUND_BYTES = 64 * 1024
MAX_DECISIONS = 100
PAGE_ROWS = 500
AUDIT_PAGE_ROWS = 100


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# --- sign-in ---------------------------------------------------------------------------------


class SignIn(Message):
    email: Email
    password: Password


class Refresh(Message):
    refresh_token: Secret


class EmbeddedClaim(Message):
    """The one-time token that the console gave its own child on standard input."""

    token: Secret


class User(Message):
    """`must_change_password`: nothing else is answered before `PasswordChange` was done."""

    id: UUID
    name: ShortText
    roles: tuple[Role, ...]
    must_change_password: bool = False


class Session(Message):
    """Opaque tokens; the access token is short-lived, the refresh token is used once."""

    access_token: Secret
    refresh_token: Secret
    access_expires_at: AwareDatetime
    user: User


class EmbeddedSessions(Message):
    administrator: Session
    officer: Session


class Workspace(Message):
    """`demo` marks data that is not real; `threshold_cents` None: one signature is enough.

    `root_fingerprints`: of every first device there ever was, in the order of the ledger.
    """

    name: ShortText
    demo: bool
    threshold_cents: Cents | None
    checkpoint_name: ShortText
    checkpoint_key: Base64
    root_fingerprints: tuple[ShortText, ...] = ()


# --- devices ---------------------------------------------------------------------------------


class EnrollDevice(Message):
    """`payload`: canonical JSON (see core.protocol.signing.device_payload), signed by `by_device`.

    The first administrator's device signs itself and brings the one-time code.
    """

    payload: Annotated[str, StringConstraints(max_length=4096)]
    signature: Base64
    code: Secret | None = None


class DeviceState(StrEnum):
    """A device that was refused may ask again, with a new request."""

    UNKNOWN = "unknown"
    WAITING = "waiting"
    REFUSED = "refused"
    ENROLLED = "enrolled"
    REVOKED = "revoked"


class Device(Message):
    id: UUID
    user: UUID
    state: DeviceState
    fingerprint: ShortText
    root: bool
    next_n: Index


# --- enrollments -----------------------------------------------------------------------------


class Student(Message):
    """`salt` (hex) and name and email make the commitment that an officer's decision carries."""

    id: UUID
    name: ShortText
    email: Email
    salt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Signature(Message):
    officer: UUID
    officer_name: ShortText
    at: AwareDatetime


class ClaimRow(Message):
    id: UUID
    method: PaymentMethod
    status: ClaimStatus
    amount_cents: Cents
    submitted_at: AwareDatetime
    proof: Hex32 | None = None
    first_signature: Signature | None = None


class EnrollmentRow(Message):
    """The current state of one enrollment as staff see it; newer `version` wins."""

    enrollment: UUID
    version: Index
    status: EnrollmentStatus
    round: Index
    reference: ShortText
    student: Student
    course: UUID
    course_title: ShortText
    method: PaymentMethod | None
    payment_status: PaymentStatus
    amount_cents: Cents
    claim: ClaimRow | None
    waiting: bool
    status_by: ShortText
    status_by_name: ShortText
    status_at: AwareDatetime
    created_at: AwareDatetime


class TimelineEntry(Message):
    """One ledger entry of an enrollment; worded when shown."""

    index: Index
    leaf: Annotated[str, StringConstraints(max_length=65536)]
    actor_name: ShortText


class CardView(Message):
    """One course card as one student sees it. `version` 0: no enrollment yet."""

    course: UUID
    title: ShortText
    summary: Summary
    price_cents: Cents
    label: ShortText
    action: ShortText
    enabled: bool
    message: Annotated[str, StringConstraints(max_length=500)]
    version: Index
    enrollment: UUID | None = None


class EnrollmentDetail(Message):
    row: EnrollmentRow
    timeline: tuple[TimelineEntry, ...]
    card: CardView


class RowPage(Message):
    rows: tuple[EnrollmentRow, ...]
    next_after: str | None


# --- decisions -------------------------------------------------------------------------------


class Note(Message):
    """The officer's own words; only their commitment is signed."""

    text: Words
    salt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class SignedDecision(Message):
    """`id` repeats the decision's own id, so that an unreadable payload can still be answered."""

    id: UUID
    payload: Annotated[str, StringConstraints(max_length=4096)]
    signature: Base64
    note: Note | None = None


class DecisionBatch(Message):
    items: Annotated[tuple[SignedDecision, ...], Field(min_length=1, max_length=MAX_DECISIONS)]


class AnswerKind(StrEnum):
    ACCEPTED = "accepted"
    CONFLICT_DECIDED = "conflict_decided"
    CONFLICT_CHANGED = "conflict_changed"
    REFUSED = "refused"
    TRANSIENT = "transient"


class DecisionAnswer(Message):
    """`code` and `message` say why, in plain words; transient answers are never stored.

    `index` is the ledger index of an accepted decision; `row` is what the enrollment is now.
    """

    id: UUID
    kind: AnswerKind
    code: ShortText
    message: Annotated[str, StringConstraints(max_length=500)]
    index: Index | None = None
    row: EnrollmentRow | None = None


class DecisionAnswers(Message):
    results: tuple[DecisionAnswer, ...]


# --- ledger ----------------------------------------------------------------------------------


class LedgerHead(Message):
    """`note` is the signed checkpoint; `peaks` (base64) rebuild the tree at its size."""

    epoch: UUID
    size: Index
    note: Annotated[str, StringConstraints(max_length=4096)]
    peaks: tuple[Base64, ...]


class ConsistencyProof(Message):
    size1: Index
    size2: Index
    hashes: tuple[Base64, ...]


# --- audit -----------------------------------------------------------------------------------


class AuditEntry(Message):
    """One ledger entry with the names that are in no leaf; `leaf` is its exact text.

    `about` is what its subject is called, empty where it has no name; `reference` (plain) is there
    where the subject is an enrollment.
    """

    index: Index
    leaf: Annotated[str, StringConstraints(max_length=65536)]
    actor_name: ShortText
    about: Annotated[str, StringConstraints(max_length=200)]
    reference: Annotated[str, StringConstraints(max_length=16)] | None


class AuditPage(Message):
    """Matching entries, newest first, of a ledger that had `size` entries then."""

    size: Index
    entries: Annotated[tuple[AuditEntry, ...], Field(max_length=AUDIT_PAGE_ROWS)]


class AuditOutline(Message):
    """Where the pages of a filtered list begin, newest first.

    `starts` are the indexes of every AUDIT_PAGE_ROWS-th of `total` matching entries; without any
    filter there are none, since every entry matches. There are more than `total` where
    `next_before` is an index: ask again with it as `before`. `subject` is what `about` stood for.
    """

    size: Index
    total: Index
    starts: tuple[Index, ...]
    next_before: Index | None
    subject: Annotated[str, StringConstraints(max_length=80)] | None


class AuditActor(Message):
    """`actor` is a code such as `user:<id>`, as leaves have it."""

    actor: ShortText
    name: ShortText


class AuditActors(Message):
    actors: tuple[AuditActor, ...]


class InclusionProof(Message):
    """Entry `index` is in the tree of the first `size` entries; `hashes` are base64."""

    index: Index
    size: Index
    hashes: Annotated[tuple[Base64, ...], Field(max_length=64)]


# --- feed: console to backend ----------------------------------------------------------------


class Hello(Message):
    """`next` is the first index the console lacks; None asks for a snapshot."""

    type: Literal["hello"] = "hello"
    token: Secret
    epoch: UUID | None = None
    next: Index | None = None


# --- feed: backend to console ----------------------------------------------------------------


class Resumed(Message):
    type: Literal["resumed"] = "resumed"
    epoch: UUID
    next: Index


class SnapshotBegin(Message):
    """The rows that follow stand for the ledger at `size`; entries from `size` on come after.

    `peaks` (base64) are the tree's at `size`. Nobody signed them: a console believes them only
    when they lead to the root of a signed checkpoint.
    """

    type: Literal["snapshot"] = "snapshot"
    epoch: UUID
    size: Index
    peaks: Annotated[tuple[Base64, ...], Field(max_length=64)] = ()


class SnapshotRows(Message):
    type: Literal["rows"] = "rows"
    rows: tuple[EnrollmentRow, ...]


class SnapshotEnd(Message):
    type: Literal["snapshot_end"] = "snapshot_end"


class EntryMessage(Message):
    """One ledger entry. `row` is the enrollment now, perhaps newer than the entry."""

    type: Literal["entry"] = "entry"
    index: Index
    leaf: Annotated[str, StringConstraints(max_length=65536)]
    row: EnrollmentRow | None = None


class CheckpointMessage(Message):
    """A signed checkpoint over the entries sent before it, never over later ones."""

    type: Literal["checkpoint"] = "checkpoint"
    size: Index
    note: Annotated[str, StringConstraints(max_length=4096)]


ServerMessage = Annotated[
    Resumed | SnapshotBegin | SnapshotRows | SnapshotEnd | EntryMessage | CheckpointMessage,
    Field(discriminator="type"),
]


class CloseCode:
    """Why the backend closed a live connection; the console acts on each differently."""

    BAD_MESSAGE = 4400
    SIGN_IN_NEEDED = 4401
    NOT_ALLOWED = 4403
    NO_HELLO = 4408
    AHEAD = 4409  # the console knows more entries than the ledger holds: an alarm
    OTHER_EPOCH = 4410  # another ledger: an alarm
    TOO_SLOW = 4429
    GOING_AWAY = 1001
    # Said by the server beneath, over `MAX_INBOUND_BYTES`: nothing of ours has seen the message.
    TOO_LARGE = 1009
    UNEXPECTED = 1011  # a bug on our side: resume


# --- student ---------------------------------------------------------------------------------


class SignUp(Message):
    name: ShortText
    email: Email
    password: Password


class StudentSelf(Message):
    id: UUID
    name: ShortText


class EnrollRequest(Message):
    course: UUID
    method: PaymentMethod


class CourseRequest(Message):
    course: UUID


class BankDetails(Message):
    """Where to pay. `qr_svg` shows the reference; `reference` is grouped for reading."""

    bank: ShortText
    account_name: ShortText
    account_number: ShortText
    branch_code: ShortText
    reference: ShortText
    amount_cents: Cents
    qr_svg: Annotated[str, StringConstraints(max_length=65536)]


class Payment(Message):
    card: CardView
    bank: BankDetails


class Lesson(Message):
    title: ShortText
    body: LessonText


class LessonPage(Message):
    course: UUID
    title: ShortText
    lessons: tuple[Lesson, ...]


class StudentCards(Message):
    """Everything the student's page shows; first message of the student's feed, and of each GET."""

    type: Literal["cards"] = "cards"
    student: StudentSelf | None
    cards: tuple[CardView, ...]


class StudentCard(Message):
    """One changed card; a browser tab applies it only if its version is newer."""

    type: Literal["card"] = "card"
    card: CardView


# --- administration --------------------------------------------------------------------------


class PasswordChange(Message):
    """One's own, staff and students alike. Every other session of the person ends."""

    old_password: Password
    new_password: Password


class SessionRow(Message):
    """A signed-in console or browser. `device` is a few words such as "Firefox on Windows".

    `seen_at` may lag some 15 minutes behind; `current` is the session that asks.
    """

    id: UUID
    device: Annotated[str, StringConstraints(max_length=80)]
    created_at: AwareDatetime
    seen_at: AwareDatetime
    current: bool = False


class SessionList(Message):
    """Newest first."""

    sessions: tuple[SessionRow, ...]


class StaffMember(Message):
    """`devices` and `sessions` are how many are enrolled and signed in now."""

    id: UUID
    name: ShortText
    email: Email
    roles: tuple[Role, ...]
    disabled: bool
    must_change_password: bool
    devices: Index
    sessions: Index
    seen_at: AwareDatetime | None


class StaffList(Message):
    """By name."""

    users: tuple[StaffMember, ...]


StaffRoles = Annotated[
    tuple[Literal[Role.OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR], ...],
    Field(min_length=1, max_length=3),
]


class NewUser(Message):
    """Without `password` the backend makes one up. Either must be changed at first sign-in."""

    name: ShortText
    email: Email
    roles: StaffRoles
    password: Password | None = None


class NewRoles(Message):
    roles: StaffRoles


class NewPassword(Message):
    """Set by an administrator for somebody else; without `password` one is made up."""

    password: Password | None = None


class UserPassword(Message):
    """`password` is shown once: only where the backend made it up, never when asked again."""

    user: StaffMember
    password: Password | None = None


class CourseRow(Message):
    """`retired`: nobody enrolls any more; whoever did keeps access."""

    id: UUID
    title: ShortText
    summary: Summary
    price_cents: Cents
    retired: bool
    lessons: Index
    enrollments: Index


class CourseList(Message):
    """As they were added."""

    courses: tuple[CourseRow, ...]


class CourseLesson(Message):
    title: ShortText
    body: LessonText


class NewCourse(Message):
    title: ShortText
    summary: Summary = ""
    price_cents: Cents
    lessons: Annotated[tuple[CourseLesson, ...], Field(max_length=200)] = ()


class CourseChange(Message):
    """A new price is for later rounds only. `lessons` None leaves them as they are."""

    title: ShortText
    summary: Summary
    price_cents: Cents
    lessons: Annotated[tuple[CourseLesson, ...], Field(max_length=200)] | None = None


class WorkspaceSettings(Message):
    """The bank fields are empty until somebody sets them: all of them, or none."""

    name: ShortText
    threshold_cents: Cents | None
    bank: Line
    account_name: Line
    account_number: Line
    branch_code: Line


class DeviceRequest(Message):
    """A console asks to be enrolled. `payload` (core.protocol.signing.device_request_payload) is
    signed by the device itself, so that nobody asks with a key that is not theirs."""

    payload: Annotated[str, StringConstraints(max_length=4096)]
    signature: Base64


class DeviceRequestRow(Message):
    """What an administrator compares and then signs for: `public_key` is base64."""

    device: UUID
    user: UUID
    user_name: ShortText
    roles: tuple[Role, ...]
    public_key: Base64
    fingerprint: ShortText
    requested_at: AwareDatetime


class DeviceRow(Message):
    """`by_name`: who enrolled it; a root device enrolled itself."""

    id: UUID
    user: UUID
    user_name: ShortText
    roles: tuple[Role, ...]
    state: DeviceState
    fingerprint: ShortText
    root: bool
    by_name: ShortText
    enrolled_at: AwareDatetime
    revoked_at: AwareDatetime | None = None


class DeviceList(Message):
    """Requests: oldest first. Devices: newest first."""

    requests: tuple[DeviceRequestRow, ...]
    devices: tuple[DeviceRow, ...]


class RevokeDevice(Message):
    """`payload` (core.protocol.signing.device_revocation_payload) is signed by the
    administrator's own enrolled device."""

    payload: Annotated[str, StringConstraints(max_length=4096)]
    signature: Base64


# --- problems (RFC 9457) ---------------------------------------------------------------------


class Problem(Message):
    """`type` is a stable code such as `urn:bursar:wrong-role`; `detail` is for people."""

    type: ShortText
    title: ShortText
    status: int
    detail: Annotated[str, StringConstraints(max_length=1000)]
