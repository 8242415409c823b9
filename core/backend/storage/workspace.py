"""`Workspace`: what the commands of one batch need, read in bulk, kept up to date in memory.

Each command is decided over it and sees the changes of those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, or_, select

from core.backend.storage import lookups, payments, webhooks
from core.backend.storage.command import (
    Add,
    Answer,
    Change,
    Command,
    EndSessions,
    EndStudentSessions,
    Needs,
    Record,
    RequeueDeliveries,
    RevokeDevice,
    Save,
    SaveEnrollment,
    SetWorkspace,
    UseCode,
    merge,
)
from core.backend.storage.enrollments import read_enrollments
from core.backend.storage.keys import among
from core.backend.storage.ledger import Head, read_head
from core.backend.storage.payment_records import CardLink, CardMoney, LateMoney, Refund
from core.backend.storage.records import (
    Course,
    Device,
    DeviceNumber,
    DeviceRequest,
    Note,
    OneTimeCode,
    StaffSession,
    Student,
    User,
    WorkspaceSettings,
)
from core.backend.storage.tables import enrollments, idempotency
from core.domain.enrollment import Enrollment
from core.domain.webhooks import DeliveryState
from core.protocol.messages import AnswerKind

_K = TypeVar("_K")
_V = TypeVar("_V")

AskKey = tuple[str, str]


@dataclass(slots=True)
class Workspace:
    """`head` is the ledger before the batch; `size` counts the entries of this batch, too."""

    head: Head
    size: int
    settings: WorkspaceSettings
    answers: dict[AskKey, tuple[bytes, Answer]] = field(default_factory=dict)
    enrollments: dict[UUID, Enrollment] = field(default_factory=dict)
    places: dict[tuple[UUID, UUID], UUID] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)
    courses: dict[UUID, Course] = field(default_factory=dict)
    commitments: dict[UUID, str] = field(default_factory=dict)
    email_indexes: set[bytes] = field(default_factory=set)
    users: dict[UUID, User] = field(default_factory=dict)
    user_emails: set[str] = field(default_factory=set)
    sessions: dict[UUID, StaffSession] = field(default_factory=dict)
    devices: dict[UUID, Device] = field(default_factory=dict)
    numbers: dict[tuple[UUID, int], DeviceNumber] = field(default_factory=dict)
    entry_times: dict[int, datetime] = field(default_factory=dict)
    codes: dict[bytes, OneTimeCode] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)
    accounts: dict[UUID, Student] = field(default_factory=dict)
    requests: dict[UUID, DeviceRequest] = field(default_factory=dict)
    links: dict[UUID, CardLink] = field(default_factory=dict)
    late_money: dict[UUID, LateMoney] = field(default_factory=dict)
    refunds: dict[UUID, Refund] = field(default_factory=dict)
    deliveries: dict[UUID, DeliveryState] = field(default_factory=dict)

    def place(self, student: UUID, course: UUID) -> Enrollment | None:
        """The one enrollment of a student in a course."""
        found = self.places.get((student, course))
        return None if found is None else self.enrollments[found]

    def name_of(self, user: UUID) -> str:
        known = self.users.get(user)
        return known.name if known else "Somebody"

    def apply(self, change: Change) -> None:
        """Take a change into memory, so that the next command sees it."""
        match change:
            case SaveEnrollment(after=after):
                self.enrollments[after.id] = after
                self.places[after.student, after.course] = after.id
                self.references.add(after.reference)
            case Add(record=record) | Save(record=record):
                self._take_any(record)
            case SetWorkspace(settings=settings):
                self.settings = settings
            case UseCode(code=code):
                self.codes[code.hash] = code
            case RevokeDevice(device=device, index=index):
                self.devices[device] = replace(self.devices[device], revoked_index=index)
            case RequeueDeliveries(deliveries=again):
                self.deliveries |= dict.fromkeys(again, DeliveryState.WAITING)
            case EndSessions() | EndStudentSessions():
                self._end_sessions(change)

    def _end_sessions(self, ended: EndSessions | EndStudentSessions) -> None:
        if isinstance(ended, EndStudentSessions):
            return  # no command looks at them
        for session in list(self.sessions.values()):
            if (
                session.user_id == ended.user
                and session.revoked_at is None
                and ended.family in {None, session.family}
                and session.family != ended.keep
            ):
                self.sessions[session.id] = replace(session, revoked_at=ended.at)

    def _take_any(self, record: Record) -> None:
        if isinstance(record, CardLink | LateMoney | Refund):
            self._take_money(record)
        else:
            self._take(record)

    def _take(
        self, record: Student | User | Course | Device | DeviceNumber | Note | DeviceRequest
    ) -> None:
        match record:
            case Student():
                self.accounts[record.id] = record
                self.email_indexes.add(record.email_index)
                self.commitments[record.id] = record.commitment
            case User():
                self.users[record.id] = record
                self.user_emails.add(record.email)
            case Course():
                self.courses[record.id] = record
            case Device():
                self.devices[record.id] = record
            case DeviceNumber():
                self.numbers[record.device_id, record.n] = record
            case Note():
                self.notes.add(record.commitment)
            case DeviceRequest():
                self.requests[record.device] = record

    def _take_money(self, record: CardMoney) -> None:
        match record:
            case CardLink():
                self.links[record.attempt] = record
            case LateMoney():
                self.late_money[record.id] = record
            case Refund():
                self.refunds[record.attempt] = record


def load(connection: Connection, commands: Sequence[Command]) -> Workspace:
    """Read what the commands need: at most one statement per kind of thing."""
    needs = merge([command.needs() for command in commands])
    head = read_head(connection)
    workspace = Workspace(head=head, size=head.size, settings=lookups.read_settings(connection))
    workspace.answers = _read_answers(connection, [(c.scope, c.key) for c in commands])
    _load_enrollments(connection, workspace, needs)
    _load_people(connection, workspace, needs)
    _load_devices(connection, workspace, needs)
    _load_card_money(connection, workspace, needs)
    return workspace


def _load_enrollments(connection: Connection, workspace: Workspace, needs: Needs) -> None:
    conditions: list[ColumnElement[bool]] = []
    if needs.enrollments:
        conditions.append(enrollments.c.id.in_(list(needs.enrollments)))
    if needs.places:
        conditions.append(among(enrollments.c.student, enrollments.c.course, needs.places))
    if conditions:
        workspace.enrollments = read_enrollments(connection, or_(*conditions))
    workspace.places = {(e.student, e.course): e.id for e in workspace.enrollments.values()}
    if needs.references:
        workspace.references = lookups.read_taken_references(connection, needs.references)
    if needs.courses:
        found = lookups.read_courses(connection, needs.courses)
        workspace.courses = {course.id: course for course in found}


def _load_people(connection: Connection, workspace: Workspace, needs: Needs) -> None:
    known = workspace.enrollments.values()
    if students := needs.students | {e.student for e in known}:
        workspace.commitments = lookups.read_commitments(connection, students)
    if needs.email_indexes:
        same = lookups.read_students_by_index(connection, needs.email_indexes)
        workspace.email_indexes = {student.email_index for student in same}
    # Whoever decided before is named in the answer to whoever comes late.
    deciders = {user for e in known if (user := user_of(e.status_by)) is not None}
    if user_ids := needs.users | deciders:
        workspace.users = {u.id: u for u in lookups.read_users(connection, user_ids)}
    if needs.staff:
        everybody = lookups.read_all_users(connection)
        workspace.users |= {u.id: u for u in everybody if not u.roles.isdisjoint(needs.staff)}
    if needs.accounts:
        workspace.accounts = _index(
            lookups.read_students(connection, needs.accounts), lambda s: s.id
        )
    if needs.user_emails:
        taken = lookups.read_users_by_email(connection, needs.user_emails)
        workspace.user_emails = {user.email for user in taken}
    if needs.sessions:
        found = lookups.read_sessions(connection, needs.sessions)
        workspace.sessions = {session.id: session for session in found}


def _load_devices(connection: Connection, workspace: Workspace, needs: Needs) -> None:
    if needs.devices:
        workspace.devices = _index(lookups.read_devices(connection, needs.devices), lambda d: d.id)
    if needs.numbers:
        used = lookups.read_numbers(connection, needs.numbers)
        workspace.numbers = _index(used, lambda number: (number.device_id, number.n))
    if needs.entries and workspace.head.size:
        last = workspace.head.size - 1
        indexes = {min(index, last) for index in needs.entries}
        workspace.entry_times = lookups.read_entry_times(connection, indexes)
    if needs.requests:
        asked = lookups.read_device_requests(connection, needs.requests)
        workspace.requests = _index(asked, lambda r: r.device)
    if needs.codes:
        workspace.codes = _index(lookups.read_codes(connection, needs.codes), lambda c: c.hash)
    if needs.notes:
        workspace.notes = lookups.read_known_notes(connection, needs.notes)


def _load_card_money(connection: Connection, workspace: Workspace, needs: Needs) -> None:
    there = {workspace.places[p] for p in needs.linked_places if p in workspace.places}
    if needs.links or there:
        found = payments.read_links(connection, attempts=needs.links, enrollments=there)
        workspace.links = _index(found, lambda link: link.attempt)
    if needs.late_money:
        late = payments.read_late_money(connection, needs.late_money)
        workspace.late_money = _index(late, lambda money: money.id)
    if needs.refunds:
        due = payments.read_refunds(connection, needs.refunds)
        workspace.refunds = _index(due, lambda refund: refund.attempt)
    if needs.deliveries:
        workspace.deliveries = webhooks.read_states(connection, needs.deliveries)


def _index(records: Iterable[_V], key: Callable[[_V], _K]) -> dict[_K, _V]:
    return {key(record): record for record in records}


def user_of(actor: str) -> UUID | None:
    """The user in an actor's code, None for anybody else."""
    kind, _, text = actor.partition(":")
    return UUID(text) if kind == "user" else None


def _read_answers(connection: Connection, keys: list[AskKey]) -> dict[AskKey, tuple[bytes, Answer]]:
    condition = among(idempotency.c.scope, idempotency.c.key, keys)
    rows = connection.execute(select(idempotency).where(condition)).mappings()
    return {
        (row["scope"], row["key"]): (
            row["digest"],
            Answer(
                kind=AnswerKind(row["kind"]),
                code=row["code"],
                message=row["message"],
                index=row["index"],
                subject=row["subject"],
            ),
        )
        for row in rows
    }
