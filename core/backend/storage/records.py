"""Rows as frozen dataclasses. Field names are column names; ids are UUIDs, times UTC, money cents.

The enrollment itself is `core.domain.enrollment.Enrollment`; see `storage/enrollments.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.domain.roles import Role


@dataclass(frozen=True, slots=True)
class User:
    """One of the staff. `email` is normalised; `salt` goes into the ledger's commitment.

    `must_change_password`: somebody else set it.
    """

    id: UUID
    email: str
    name: str
    salt: bytes
    password_hash: str
    roles: frozenset[Role]
    disabled: bool = False
    must_change_password: bool = False


@dataclass(frozen=True, slots=True)
class StaffSession:
    """One pair of tokens. Refreshing makes a new row of the same `family`.

    `started_at` is when the family began; `label` a few words about the console it is on.
    """

    id: UUID
    user_id: UUID
    family: UUID
    access_hash: bytes
    access_expires_at: datetime
    refresh_hash: bytes
    refresh_expires_at: datetime
    replaced: bool = False
    revoked_at: datetime | None = None
    started_at: datetime | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Student:
    """`sealed` holds name and email; `commitment` is over both with `salt`."""

    id: UUID
    email_index: bytes
    sealed: bytes
    salt: bytes
    commitment: str
    password_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StudentSessionRow:
    """`seen_at` is written now and then only; `label` is a few words about the browser."""

    id: UUID
    student_id: UUID
    token_hash: bytes
    expires_at: datetime
    revoked_at: datetime | None = None
    seen_at: datetime | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class LessonText:
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Course:
    id: UUID
    title: str
    summary: str
    price_cents: int
    salt: bytes
    lessons: tuple[LessonText, ...]
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """`enrolled_index` and `revoked_index` are ledger indexes."""

    id: UUID
    user_id: UUID
    roles: frozenset[Role]
    public_key: bytes
    by_device: UUID
    root: bool
    enrolled_index: int
    revoked_index: int | None = None


class RequestState(StrEnum):
    WAITING = "waiting"
    REFUSED = "refused"
    ENROLLED = "enrolled"


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """A console asked to be enrolled. `payload` is what it signed, with its own key."""

    device: UUID
    id: UUID
    user_id: UUID
    roles: frozenset[Role]
    public_key: bytes
    payload: str
    signature: bytes
    requested_at: datetime
    state: RequestState = RequestState.WAITING


@dataclass(frozen=True, slots=True)
class DeviceNumber:
    """The number `n` of a device was used up: for this decision, or by its withdrawal.

    `applied_index` is the ledger index of the entry that carried the decision out.
    """

    device_id: UUID
    n: int
    decision: UUID
    applied_index: int | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """An officer's own words; `sealed` holds text and salt."""

    commitment: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    hash: bytes
    purpose: str
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """The one row about the house. The bank fields are empty until somebody sets them."""

    name: str
    demo: bool
    threshold_cents: int | None
    bank: str
    account_name: str
    account_number: str
    branch_code: str
    salt: bytes

    @property
    def has_bank(self) -> bool:
        return all((self.bank, self.account_name, self.account_number, self.branch_code))
