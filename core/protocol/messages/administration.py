"""Users, own account, devices, courses and workspace, as an administrator sees them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from core.domain.roles import Role
from core.protocol.messages.devices import DeviceState
from core.protocol.messages.fields import (
    Base64,
    Cents,
    Email,
    Index,
    LessonText,
    Line,
    Message,
    Password,
    ShortText,
    Summary,
)


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
