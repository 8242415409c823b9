"""Administration, decided: staff, their passwords and sessions, courses and the house itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol
from uuid import UUID

from core.backend.services import administration_commands as administration
from core.backend.services import commands
from core.backend.services.verdicts import accepted, make_leaf, refused
from core.backend.storage.command import (
    Add,
    Change,
    Context,
    Decided,
    EndSessions,
    EndStudentSessions,
    Save,
    SetWorkspace,
    Verdict,
)
from core.backend.storage.records import Course, User
from core.backend.storage.workspace import Workspace
from core.domain.roles import STAFF_ROLES, SYSTEM, Actor, Role, student
from core.ledger.canonical import Json
from core.ledger.commitments import commit

COURSE_ADDED = "course.added"

Problem = tuple[str, str]
_UNKNOWN_USER: Problem = ("unknown_user", "There is nobody with this id.")
_UNKNOWN_COURSE: Problem = ("unknown_course", "There is no such course.")


class Asking(Protocol):
    """What every command of administration says about who asks."""

    @property
    def actor(self) -> Actor: ...
    @property
    def session(self) -> UUID | None: ...


def asker_problem(
    workspace: Workspace, command: Asking, role: Role | None = Role.ADMINISTRATOR
) -> Problem | None:
    """Why this person may not ask now, None where they may; `role` None: anybody on the staff."""
    if command.actor == SYSTEM:
        return None
    session = workspace.sessions.get(command.session) if command.session else None
    asker = workspace.users.get(command.actor.id) if command.actor.id else None
    if (
        session is None
        or session.revoked_at is not None
        or asker is None
        or session.user_id != asker.id
        or asker.disabled
    ):
        return "sign_in_needed", "Please sign in again."
    if asker.roles.isdisjoint(STAFF_ROLES if role is None else {role}):
        return "not_allowed", "Only an administrator can do this."
    return None


# --- staff -------------------------------------------------------------------------------------


def decide_add_user(
    workspace: Workspace, command: commands.AddUserCommand, context: Context
) -> Verdict:
    user = command.user
    problem = asker_problem(workspace, command)
    if problem is None and user.email in workspace.user_emails:
        problem = ("email_taken", "Somebody has this email address already.")
    if problem is not None:
        return refused(*problem)
    facts: dict[str, Json] = {
        "roles": _names(user.roles),
        "person": commit(user.salt, f"{user.name}\n{user.email}"),
    }
    return _about_user(context, command.actor, "user.added", user, facts, Add(user))


def decide_set_roles(
    workspace: Workspace, command: administration.SetRolesCommand, context: Context
) -> Verdict:
    user = workspace.users.get(command.user)
    problem = asker_problem(workspace, command) or (None if user else _UNKNOWN_USER)
    if problem is None and user and Role.ADMINISTRATOR not in command.roles:
        problem = _last_administrator(workspace, user)
    if problem is not None or user is None:
        return refused(*(problem or _UNKNOWN_USER))
    facts: dict[str, Json] = {"roles": _names(command.roles), "were": _names(user.roles)}
    change = Save(replace(user, roles=command.roles))
    return _about_user(context, command.actor, "user.roles_changed", user, facts, change)


def decide_set_disabled(
    workspace: Workspace, command: administration.SetDisabledCommand, context: Context
) -> Verdict:
    user = workspace.users.get(command.user)
    problem = asker_problem(workspace, command) or (None if user else _UNKNOWN_USER)
    if problem is None and user:
        problem = _disabling_problem(workspace, user, disabled=command.disabled)
    if problem is not None or user is None:
        return refused(*(problem or _UNKNOWN_USER))
    changes: list[Change] = [Save(replace(user, disabled=command.disabled))]
    if command.disabled:
        changes.append(EndSessions(user.id, context.now))
    action = "user.disabled" if command.disabled else "user.enabled"
    return _about_user(context, command.actor, action, user, {}, *changes)


def _disabling_problem(workspace: Workspace, user: User, *, disabled: bool) -> Problem | None:
    if user.disabled == disabled:
        if disabled:
            return "already_disabled", "This person is disabled already."
        return "not_disabled", "This person is not disabled."
    return _last_administrator(workspace, user) if disabled else None


def _last_administrator(workspace: Workspace, user: User) -> Problem | None:
    """Somebody must be left who can let others in."""
    others = (
        other
        for other in workspace.users.values()
        if Role.ADMINISTRATOR in other.roles and not other.disabled and other.id != user.id
    )
    is_one = Role.ADMINISTRATOR in user.roles and not user.disabled
    if is_one and next(others, None) is None:
        return "last_administrator", "This is the last administrator: make another one first."
    return None


def decide_reset_password(
    workspace: Workspace, command: administration.ResetPasswordCommand, context: Context
) -> Verdict:
    user = workspace.users.get(command.user)
    problem = asker_problem(workspace, command) or (None if user else _UNKNOWN_USER)
    if problem is None and user and user.id == command.actor.id:
        problem = ("own_password", "Change your own password with your old one, in Settings.")
    if problem is not None or user is None:
        return refused(*(problem or _UNKNOWN_USER))
    by = "system" if command.actor == SYSTEM else "administrator"
    changed = replace(user, password_hash=command.password_hash, must_change_password=True)
    return _about_user(
        context, command.actor, "user.password_changed", user, {"by": by},
        Save(changed), EndSessions(user.id, context.now),
    )  # fmt: skip


def decide_change_password(
    workspace: Workspace, command: administration.ChangePasswordCommand, context: Context
) -> Verdict:
    problem = asker_problem(workspace, command, None)
    user = workspace.users.get(command.actor.id) if command.actor.id else None
    if problem is not None or user is None:
        return refused(*(problem or _UNKNOWN_USER))
    if user.password_hash != command.old_hash:
        return refused("wrong_password", "The old password is wrong.")
    changed = replace(user, password_hash=command.new_hash, must_change_password=False)
    return _about_user(
        context, command.actor, "user.password_changed", user, {"by": "self"},
        Save(changed), EndSessions(user.id, context.now, keep=command.keep),
    )  # fmt: skip


def decide_end_sessions(
    workspace: Workspace, command: administration.EndSessionsCommand, context: Context
) -> Verdict:
    user = workspace.users.get(command.user)
    problem = asker_problem(workspace, command)
    if problem is not None or user is None:
        return refused(*(problem or _UNKNOWN_USER))
    change = EndSessions(user.id, context.now, family=command.family, keep=command.keep)
    facts: dict[str, Json] = {"all": command.family is None}
    return _about_user(context, command.actor, "user.sessions_ended", user, facts, change)


def _about_user(
    context: Context,
    actor: Actor,
    action: str,
    user: User,
    facts: dict[str, Json],
    *changes: Change,
) -> Decided:
    entry = make_leaf(context, actor=actor, action=action, subject=f"user:{user.id}", facts=facts)
    return Decided(entry, changes, accepted(user.id))


def _names(roles: frozenset[Role]) -> list[Json]:
    return [*sorted(role.value for role in roles)]


# --- students ----------------------------------------------------------------------------------


def decide_change_student_password(
    workspace: Workspace, command: administration.ChangeStudentPasswordCommand, context: Context
) -> Verdict:
    account = workspace.accounts.get(command.student)
    if account is None or account.password_hash != command.old_hash:
        return refused("wrong_password", "The old password is wrong.")
    entry = make_leaf(
        context,
        actor=student(account.id),
        action="student.password_changed",
        subject=f"student:{account.id}",
        facts={},
    )
    changes = (
        Save(replace(account, password_hash=command.new_hash)),
        EndStudentSessions(account.id, context.now, keep=command.keep),
    )
    return Decided(entry, changes, accepted(account.id))


# --- courses and the house ---------------------------------------------------------------------


def decide_add_course(
    workspace: Workspace, command: commands.AddCourseCommand, context: Context
) -> Verdict:
    problem = asker_problem(workspace, command)
    if problem is not None:
        return refused(*problem)
    course = command.course
    return _about_course(context, command, COURSE_ADDED, course, _course_facts(course))


def decide_change_course(
    workspace: Workspace, command: administration.ChangeCourseCommand, context: Context
) -> Verdict:
    before = workspace.courses.get(command.course.id)
    problem = asker_problem(workspace, command)
    if problem is not None or before is None:
        return refused(*(problem or _UNKNOWN_COURSE))
    lessons = before.lessons if command.keep_lessons else command.course.lessons
    course = replace(command.course, lessons=lessons, retired=before.retired)
    return _about_course(context, command, "course.changed", course, _course_facts(course))


def decide_retire_course(
    workspace: Workspace, command: administration.RetireCourseCommand, context: Context
) -> Verdict:
    course = workspace.courses.get(command.course)
    problem = asker_problem(workspace, command)
    if problem is not None or course is None:
        return refused(*(problem or _UNKNOWN_COURSE))
    if course.retired == command.retired:
        if course.retired:
            return refused("already_retired", "This course is retired already.")
        return refused("not_retired", "This course is offered already.")
    action = "course.retired" if command.retired else "course.reopened"
    return _about_course(context, command, action, replace(course, retired=command.retired), {})


def _course_facts(course: Course) -> dict[str, Json]:
    content = "\n".join(
        [course.title, course.summary, *(f"{x.title}\n{x.body}" for x in course.lessons)]
    )
    return {
        "price_cents": course.price_cents,
        "lessons": len(course.lessons),
        "content": commit(course.salt, content),
    }


def _about_course(
    context: Context,
    command: Asking,
    action: str,
    course: Course,
    facts: dict[str, Json],
) -> Decided:
    entry = make_leaf(
        context, actor=command.actor, action=action, subject=f"course:{course.id}", facts=facts
    )
    change = Add(course) if action == COURSE_ADDED else Save(course)
    return Decided(entry, (change,), accepted(course.id))


def decide_set_workspace(
    workspace: Workspace, command: commands.SetWorkspaceCommand, context: Context
) -> Verdict:
    problem = asker_problem(workspace, command)
    if problem is not None:
        return refused(*problem)
    s = command.settings
    bank = f"{s.name}\n{s.bank}\n{s.account_name}\n{s.account_number}\n{s.branch_code}"
    entry = make_leaf(
        context,
        actor=command.actor,
        action="workspace.set",
        subject=f"workspace:{workspace.head.epoch}",
        facts={
            "demo": s.demo,
            "threshold_cents": s.threshold_cents,
            "bank": commit(s.salt, bank),
        },
    )
    return Decided(entry, (SetWorkspace(s),), accepted(workspace.head.epoch))
