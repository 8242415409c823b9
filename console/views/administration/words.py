"""How roles, users, devices and courses are worded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from console.models.records import Cell
from console.words import when_words
from core.domain.roles import STAFF_ROLES, Role
from core.protocol.messages import CourseRow, DeviceRow, DeviceState, StaffMember

ROLES = (
    (Role.OFFICER, "Finance officer: decides payments"),
    (Role.SUPERVISOR, "Supervisor: decides payments, reverses, reviews the audit trail"),
    (Role.ADMINISTRATOR, "Administrator: users, devices, courses; decides no payments"),
)


def roles_words(roles: Iterable[Role]) -> str:
    """`Officer, Supervisor`, in the order of the house."""
    held = set(roles) & STAFF_ROLES
    return ", ".join(role.value.capitalize() for role, _ in ROLES if role in held)


def user_state(user: StaffMember) -> Cell:
    if user.disabled:
        return Cell("Disabled", sort="4", icon="circle-x", tone="text_muted")
    if user.must_change_password:
        return Cell("Password due", sort="2", icon="key-round", tone="warn")
    if user.sessions:
        return Cell("Signed in", sort="1", icon="circle-check", tone="ok")
    return Cell("Signed out", sort="3", icon="circle-dot", tone="text_muted")


def device_state(device: DeviceRow) -> Cell:
    if device.state is DeviceState.REVOKED:
        return Cell("Revoked", sort="3", icon="circle-x", tone="text_muted")
    if device.root:
        return Cell("First device", sort="1", icon="key-round", tone="accent")
    return Cell("Enrolled", sort="2", icon="circle-check", tone="ok")


def course_state(course: CourseRow) -> Cell:
    if course.retired:
        return Cell("Retired", sort="2", icon="circle-x", tone="text_muted")
    return Cell("Open", sort="1", icon="circle-check", tone="ok")


def seen_cell(at: datetime | None, now: datetime) -> Cell:
    """A moment; what never was sorts first."""
    if at is None:
        return Cell("never", sort=0.0)
    return Cell(when_words(at, now), sort=at.timestamp())
