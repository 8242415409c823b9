"""The commands of administration: staff, their sessions, courses, and requests of devices.

See `commands.py` for the manner, `asking.py` for what is the same in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.backend.services.asking import AskedByStaff, AskedByStudent, request_digest
from core.backend.storage.command import Needs
from core.backend.storage.records import Course, DeviceRequest
from core.domain.roles import Role

_ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutUser(AskedByStaff):
    """Asked about one of the staff; whether an administrator would be left must be seen."""

    user: UUID

    def needs(self) -> Needs:
        return self.asker_needs(users=frozenset({self.user}), staff=_ADMINISTRATORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRolesCommand(AboutUser):
    roles: frozenset[Role]

    @property
    def digest(self) -> bytes:
        return request_digest("set-roles", str(self.user), *sorted(self.roles))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDisabledCommand(AboutUser):
    """Disable or enable somebody."""

    disabled: bool

    @property
    def digest(self) -> bytes:
        return request_digest("set-disabled", str(self.user), str(self.disabled))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPasswordCommand(AboutUser):
    """An administrator gives somebody a new password, to be changed at the next sign-in.

    `password_hash` is not in the digest: asked again with the same key nothing is set anew.
    """

    password_hash: str

    @property
    def digest(self) -> bytes:
        return request_digest("reset-password", str(self.user))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePasswordCommand(AskedByStaff):
    """The actor's own; the old password was compared with `old_hash` before. `keep` is the family
    of the session that asks."""

    old_hash: str
    new_hash: str
    keep: UUID

    @property
    def digest(self) -> bytes:
        return request_digest("change-password")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStudentPasswordCommand(AskedByStudent):
    """As above, of a student; `keep` is the session that asks."""

    old_hash: str
    new_hash: str
    keep: UUID

    @property
    def digest(self) -> bytes:
        return request_digest("change-password")

    def needs(self) -> Needs:
        return Needs(accounts=frozenset({self.student}))


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessionsCommand(AboutUser):
    """End one `family` of somebody's sessions, or all but `keep`."""

    family: UUID | None
    keep: UUID | None

    @property
    def digest(self) -> bytes:
        return request_digest("end-sessions", str(self.user), str(self.family))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCourseCommand(AskedByStaff):
    """`lessons` of the course are kept where `keep_lessons`."""

    course: Course
    keep_lessons: bool

    @property
    def digest(self) -> bytes:
        course = self.course
        lessons = () if self.keep_lessons else course.lessons
        return request_digest(
            "change-course", str(course.id), course.title, course.summary,
            str(course.price_cents), str(self.keep_lessons),
            *(text for lesson in lessons for text in (lesson.title, lesson.body)),
        )  # fmt: skip

    def needs(self) -> Needs:
        return self.asker_needs(courses=frozenset({self.course.id}))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireCourseCommand(AskedByStaff):
    """Retire a course, or offer it again."""

    course: UUID
    retired: bool

    @property
    def digest(self) -> bytes:
        return request_digest("retire-course", str(self.course), str(self.retired))

    def needs(self) -> Needs:
        return self.asker_needs(courses=frozenset({self.course}))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDeviceCommand(AskedByStaff):
    """A console asks to be enrolled; its signature was checked before. The key is the request's
    own id."""

    request: DeviceRequest

    @property
    def digest(self) -> bytes:
        return request_digest("request-device", self.request.payload)

    def needs(self) -> Needs:
        device = frozenset({self.request.device})
        return self.asker_needs(devices=device, requests=device)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseDeviceCommand(AskedByStaff):
    device: UUID

    @property
    def digest(self) -> bytes:
        return request_digest("refuse-device", str(self.device))

    def needs(self) -> Needs:
        return self.asker_needs(requests=frozenset({self.device}))
