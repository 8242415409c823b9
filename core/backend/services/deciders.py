"""One small pure function per command: the workspace and a command in, a verdict out.

These have files of their own: the officer's decision (`deciding.py`) and its withdrawal
(`withdrawing.py`), devices (`device_deciders.py`), administration (`administration_deciders.py`),
card payments (`card_deciders.py`), late money and refunds (`money_deciders.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.backend.services import administration_commands as administration
from core.backend.services import administration_deciders as house
from core.backend.services import (
    card_deciders,
    commands,
    device_deciders,
    money_deciders,
    payment_commands,
    webhook_replay,
)
from core.backend.services.applying import apply_event
from core.backend.services.deciding import decide_decision
from core.backend.services.verdicts import accepted, make_leaf, refused
from core.backend.services.withdrawing import decide_withdrawal
from core.backend.storage.command import (
    Add,
    Command,
    Context,
    Decided,
    Verdict,
)
from core.backend.storage.workspace import Workspace
from core.domain.enrollment import ENDED_STATUSES
from core.domain.events import Enroll, EnrollAgain, SubmitEft
from core.domain.roles import student


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
    if course.retired and (current is None or current.status in ENDED_STATUSES):
        return refused("course_retired", "This course takes no new enrollments.")
    actor = student(command.student)
    if current is not None:
        again = EnrollAgain(
            actor=actor, at=context.now, amount_cents=course.price_cents, method=command.method
        )
        return apply_event(workspace, current.id, again, context)
    reference = next((r for r in command.references if r not in workspace.references), None)
    if reference is None:
        return refused("busy", "Please try again.")
    return apply_event(
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
    return apply_event(workspace, current.id, event, context)


def decide_register(
    workspace: Workspace, command: commands.RegisterStudentCommand, context: Context
) -> Verdict:
    record = command.student
    if record.email_index in workspace.email_indexes:
        return refused("email_taken", "This email address has an account already: sign in.")
    entry = make_leaf(
        context,
        actor=student(record.id),
        action="student.registered",
        subject=f"student:{record.id}",
        facts={"person": record.commitment},
    )
    return Decided(entry, (Add(record),), accepted(record.id))


# Each decider is paired with the one command it understands.
_DECIDERS: dict[type[object], Callable[[Workspace, Any, Context], Verdict]] = {
    commands.EnrollCommand: decide_enroll,
    commands.SubmitEftCommand: decide_submit_eft,
    commands.DecideCommand: decide_decision,
    commands.WithdrawCommand: decide_withdrawal,
    commands.RegisterStudentCommand: decide_register,
    commands.EnrollDeviceCommand: device_deciders.decide_enroll_device,
    commands.RevokeDeviceCommand: device_deciders.decide_revoke_device,
    commands.AddUserCommand: house.decide_add_user,
    commands.AddCourseCommand: house.decide_add_course,
    commands.SetWorkspaceCommand: house.decide_set_workspace,
    administration.SetRolesCommand: house.decide_set_roles,
    administration.SetDisabledCommand: house.decide_set_disabled,
    administration.ResetPasswordCommand: house.decide_reset_password,
    administration.ChangePasswordCommand: house.decide_change_password,
    administration.ChangeStudentPasswordCommand: house.decide_change_student_password,
    administration.EndSessionsCommand: house.decide_end_sessions,
    administration.ChangeCourseCommand: house.decide_change_course,
    administration.RetireCourseCommand: house.decide_retire_course,
    administration.RequestDeviceCommand: device_deciders.decide_request_device,
    administration.RefuseDeviceCommand: device_deciders.decide_refuse_device,
    payment_commands.StartCardCommand: card_deciders.decide_start_card,
    payment_commands.AskManualCommand: card_deciders.decide_ask_manual,
    payment_commands.ConfirmCardCommand: card_deciders.decide_confirm_card,
    payment_commands.FailCardCommand: card_deciders.decide_fail_card,
    payment_commands.UnknownMoneyCommand: money_deciders.decide_unknown_money,
    payment_commands.SettleLateMoneyCommand: money_deciders.decide_settle_late_money,
    payment_commands.MoveRefundCommand: money_deciders.decide_move_refund,
    webhook_replay.ReplayCommand: webhook_replay.decide_replay,
}
