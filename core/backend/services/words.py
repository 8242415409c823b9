"""Short sentences for people about who did what, and when."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from core.backend.storage.workspace import Workspace, user_of
from core.domain.enrollment import Enrollment, EnrollmentStatus

# South Africa has one zone and no summer time; Windows has no zone database to ask.
LOCAL = timezone(timedelta(hours=2), "SAST")
_VERBS = {
    EnrollmentStatus.PENDING: "changed",
    EnrollmentStatus.APPROVED: "approved",
    EnrollmentStatus.REJECTED: "rejected",
    EnrollmentStatus.EXPIRED: "closed",
    EnrollmentStatus.REVOKED: "reversed",
    EnrollmentStatus.COMPLETED: "completed",
}


def short_name(name: str) -> str:
    """`Thandi Mokoena` -> `T. Mokoena`."""
    first, _, last = name.strip().rpartition(" ")
    return f"{first[0]}. {last}" if first else last


def local_time(at: datetime, now: datetime) -> str:
    """`at 10:42`, with the day where it is not today (in Johannesburg)."""
    then, today = at.astimezone(LOCAL), now.astimezone(LOCAL)
    if then.date() == today.date():
        return f"at {then:%H:%M}"
    return f"on {then:%Y-%m-%d} at {then:%H:%M}"


def decided_by(workspace: Workspace, enrollment: Enrollment, now: datetime) -> str:
    """`T. Mokoena approved this at 10:42.`"""
    user = user_of(enrollment.status_by)
    if user is not None:
        who = short_name(workspace.name_of(user))
    elif enrollment.status_by == "gateway":
        who = "The card provider"
    else:
        who = "The student" if enrollment.status_by.startswith("student:") else "The system"
    return f"{who} {_VERBS[enrollment.status]} this {local_time(enrollment.status_at, now)}."
