"""One small pure function per command: the workspace and a command in, a verdict out.

The officer's decision has a file of its own, `deciding.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from core.backend.services import commands
from core.backend.services.deciding import decide_decision
from core.backend.services.verdicts import accepted, enrollment_facts, refused
from core.backend.storage.command import (
    Add,
    Command,
    Context,
    Decided,
    RevokeDevice,
    SaveEnrollment,
    SetWorkspace,
    UseCode,
    Verdict,
)
from core.backend.storage.records import Device, OneTimeCode
from core.backend.storage.workspace import Workspace
from core.domain.errors import TransitionRefusedError
from core.domain.events import Enroll, EnrollAgain, Event, SubmitEft
from core.domain.guards import Policy
from core.domain.roles import SYSTEM, Actor, Role, student
from core.domain.state_manager import EnrollmentStateManager
from core.ledger.canonical import Json
from core.ledger.commitments import commit
from core.ledger.leaf import Leaf, Signed
from core.ledger.text import write_base64

ROOT_CODE = "root-device"


def decide(workspace: Workspace, command: Command, context: Context) -> Verdict:
    """What becomes of a command. Raises KeyError for a command that nobody decides."""
    return _DECIDERS[type(command)](workspace, command, context)


# --- students ----------------------------------------------------------------------------------


def decide_enroll(
    workspace: Workspace, command: commands.EnrollCommand, context: Context
) -> Verdict:
    course = workspace.courses.get(command.course)
    if course is None:
        return refused("unknown_course", "There is no such course.")
    current = workspace.place(command.student, command.course)
    actor = student(command.student)
    if current is not None:
        again = EnrollAgain(
            actor=actor, at=context.now, amount_cents=course.price_cents, method=command.method
        )
        return _apply(workspace, current.id, again, context)
    reference = next((r for r in command.references if r not in workspace.references), None)
    if reference is None:
        return refused("busy", "Please try again.")
    return _apply(
        workspace,
        command.enrollment,
        Enroll(
            actor=actor,
            at=context.now,
            enrollment=command.enrollment,
            student=command.student,
            course=command.course,
            amount_cents=course.price_cents,
            reference=reference,
            method=command.method,
        ),
        context,
    )


def decide_submit_eft(
    workspace: Workspace, command: commands.SubmitEftCommand, context: Context
) -> Verdict:
    current = workspace.place(command.student, command.course)
    if current is None:
        return refused("not_enrolled", "Please enroll first.")
    event = SubmitEft(actor=student(command.student), at=context.now, claim=command.claim)
    return _apply(workspace, current.id, event, context)


def _apply(workspace: Workspace, enrollment: UUID, event: Event, context: Context) -> Verdict:
    policy = Policy(second_signature_from_cents=workspace.settings.threshold_cents)
    manager = EnrollmentStateManager(policy)
    try:
        transition = manager.apply(workspace.enrollments.get(enrollment), event)
    except TransitionRefusedError as error:
        return refused(error.code.value, error.message)
    before, after = transition.before, transition.after
    entry = _leaf(
        context,
        actor=event.actor,
        action=transition.action,
        subject=f"enrollment:{enrollment}",
        before=before.version if before else None,
        after=after.version,
        facts=enrollment_facts(after),
    )
    return Decided(entry, (SaveEnrollment(before, after),), accepted(enrollment))


def decide_register(
    workspace: Workspace, command: commands.RegisterStudentCommand, context: Context
) -> Verdict:
    record = command.student
    if record.email_index in workspace.email_indexes:
        return refused("email_taken", "This email address has an account already: sign in.")
    entry = _leaf(
        context,
        actor=student(record.id),
        action="student.registered",
        subject=f"student:{record.id}",
        facts={"person": record.commitment},
    )
    return Decided(entry, (Add(record),), accepted(record.id))


# --- devices -----------------------------------------------------------------------------------


def decide_enroll_device(
    workspace: Workspace, command: commands.EnrollDeviceCommand, context: Context
) -> Verdict:
    problem = _device_problem(workspace, command, context)
    if problem is not None:
        return refused(*problem)
    code = workspace.codes.get(command.code) if command.code else None
    device = Device(
        id=command.device,
        user_id=command.user,
        roles=command.roles,
        public_key=command.public_key,
        by_device=command.by_device,
        root=code is not None,
        enrolled_index=workspace.size,
    )
    entry = _leaf(
        context,
        actor=command.actor,
        action="device.enrolled",
        subject=f"device:{device.id}",
        device=command.by_device,
        facts={
            "device": str(device.id),
            "user": str(device.user_id),
            "roles": sorted(role.value for role in device.roles),
            "public_key": write_base64(device.public_key),
            "root": device.root,
        },
        signed=Signed(command.payload, command.signature),
    )
    used = () if code is None else (UseCode(_used(code, context)),)
    return Decided(entry, (Add(device), *used), accepted(device.id))


def _used(code: OneTimeCode, context: Context) -> OneTimeCode:
    return OneTimeCode(code.hash, code.purpose, code.expires_at, used_at=context.now)


def _device_problem(
    workspace: Workspace, command: commands.EnrollDeviceCommand, context: Context
) -> tuple[str, str] | None:
    """Why this device cannot be enrolled, None where it can."""
    session = workspace.sessions.get(command.session)
    asker = workspace.users.get(command.actor.id) if command.actor.id else None
    owner = workspace.users.get(command.user)
    if session is None or session.revoked_at is not None or asker is None or asker.disabled:
        return "sign_in_needed", "Please sign in again."
    if Role.ADMINISTRATOR not in asker.roles:
        return "not_allowed", "Only an administrator can enroll a device."
    if owner is None or owner.disabled or not command.roles <= owner.roles:
        return "wrong_user", "The device's owner or roles are not right."
    if command.device in workspace.devices:
        return "already_enrolled", "This device is enrolled already."
    if command.code is not None:
        return _root_problem(workspace, command, context)
    signer = workspace.devices.get(command.by_device)
    if signer is None or signer.revoked_index is not None or signer.user_id != asker.id:
        return "not_allowed", "The signing device is not yours, or not enrolled any more."
    if Role.ADMINISTRATOR not in signer.roles:
        return "not_allowed", "The signing device is not an administrator's."
    return None


def _root_problem(
    workspace: Workspace, command: commands.EnrollDeviceCommand, context: Context
) -> tuple[str, str] | None:
    code = workspace.codes.get(command.code or b"")
    if code is None or code.purpose != ROOT_CODE or code.used_at or code.expires_at <= context.now:
        return "wrong_code", "This one-time code is wrong, used or too old."
    if command.by_device != command.device or command.user != command.actor.id:
        return "not_allowed", "The first device signs for itself and for its own user."
    if Role.ADMINISTRATOR not in command.roles:
        return "not_allowed", "The first device must be an administrator's."
    return None


def decide_revoke_device(
    workspace: Workspace, command: commands.RevokeDeviceCommand, context: Context
) -> Verdict:
    device = workspace.devices.get(command.device)
    if device is None:
        return refused("unknown_device", "There is no such device.")
    if device.revoked_index is not None:
        return refused("already_revoked", "This device is revoked already.")
    entry = _leaf(
        context,
        actor=command.actor,
        action="device.revoked",
        subject=f"device:{device.id}",
        facts={"device": str(device.id)},
    )
    change = RevokeDevice(device.id, workspace.size)
    return Decided(entry, (change,), accepted(device.id))


# --- the house ---------------------------------------------------------------------------------


def decide_add_user(
    workspace: Workspace, command: commands.AddUserCommand, context: Context
) -> Verdict:
    user = command.user
    if user.email in workspace.user_emails:
        return refused("email_taken", "Somebody has this email address already.")
    entry = _leaf(
        context,
        actor=command.actor,
        action="user.added",
        subject=f"user:{user.id}",
        facts={
            "roles": sorted(role.value for role in user.roles),
            "person": commit(user.salt, f"{user.name}\n{user.email}"),
        },
    )
    return Decided(entry, (Add(user),), accepted(user.id))


def decide_add_course(
    _workspace: Workspace, command: commands.AddCourseCommand, context: Context
) -> Verdict:
    course = command.course
    content = "\n".join(
        [course.title, course.summary, *(f"{x.title}\n{x.body}" for x in course.lessons)]
    )
    entry = _leaf(
        context,
        actor=command.actor,
        action="course.added",
        subject=f"course:{course.id}",
        facts={
            "price_cents": course.price_cents,
            "lessons": len(course.lessons),
            "content": commit(course.salt, content),
        },
    )
    return Decided(entry, (Add(course),), accepted(course.id))


def decide_set_workspace(
    workspace: Workspace, command: commands.SetWorkspaceCommand, context: Context
) -> Verdict:
    s = command.settings
    bank = f"{s.name}\n{s.bank}\n{s.account_name}\n{s.account_number}\n{s.branch_code}"
    entry = _leaf(
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


def _leaf(
    context: Context,
    *,
    actor: Actor = SYSTEM,
    action: str,
    subject: str,
    facts: dict[str, Json],
    before: int | None = None,
    after: int | None = None,
    device: UUID | None = None,
    signed: Signed | None = None,
) -> Leaf:
    return Leaf(
        entry_id=context.new_id(),
        time=context.now,
        actor=actor.code,
        device=device,
        action=action,
        subject=subject,
        before=before,
        after=after,
        facts=facts,
        signed=signed,
    )


# Each decider is paired with the one command it understands.
_DECIDERS: dict[type[object], Callable[[Workspace, Any, Context], Verdict]] = {
    commands.EnrollCommand: decide_enroll,
    commands.SubmitEftCommand: decide_submit_eft,
    commands.DecideCommand: decide_decision,
    commands.RegisterStudentCommand: decide_register,
    commands.EnrollDeviceCommand: decide_enroll_device,
    commands.RevokeDeviceCommand: decide_revoke_device,
    commands.AddUserCommand: decide_add_user,
    commands.AddCourseCommand: decide_add_course,
    commands.SetWorkspaceCommand: decide_set_workspace,
}
