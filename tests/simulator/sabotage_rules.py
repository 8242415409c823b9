"""Backends that are broken on purpose in what they decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from core.backend.services import deciding
from core.backend.services.commands import DecideCommand, WithdrawCommand
from core.backend.services.rows import current_facts
from core.backend.services.signers import final
from core.backend.services.withdrawing import REFUSED_ACTION
from core.backend.storage.command import (
    Add,
    Command,
    Context,
    Decided,
    Outcome,
    Refused,
    Verdict,
)
from core.backend.storage.records import DeviceNumber
from core.backend.storage.tables import idempotency
from core.backend.storage.workspace import Workspace
from core.protocol.messages import AnswerKind
from core.protocol.signing import seen_digest
from tests.simulator.build import Build
from tests.simulator.sabotage_console import EVERY


class _NumbersForgotten(Build):
    """A number that was used is taken as new."""

    def _forgets(self, used: DeviceNumber) -> bool:
        raise NotImplementedError

    def decide(self, workspace: Workspace, command: Command, context: Context) -> Verdict:
        if not isinstance(command, DecideCommand):
            return super().decide(workspace, command, context)
        key = (command.decision.device, command.decision.n)
        used = workspace.numbers.get(key)
        if used is None or not self._forgets(used):
            return super().decide(workspace, command, context)
        del workspace.numbers[key]
        verdict = super().decide(workspace, command, context)
        workspace.numbers[key] = used
        if not isinstance(verdict, Decided):
            return Refused(verdict.answer, verdict.entry)
        changes = tuple(
            change
            for change in verdict.changes
            if not (isinstance(change, Add) and isinstance(change.record, DeviceNumber))
        )
        return replace(verdict, changes=changes)


class UsedNumbersForgotten(_NumbersForgotten):
    """An old copy of a queue gives a number again, and that goes through."""

    def _forgets(self, used: DeviceNumber) -> bool:
        return used.applied_index is not None


class WithdrawnIsRevived(_NumbersForgotten):
    """An old copy of a queue sends what was withdrawn, and that goes through."""

    def _forgets(self, used: DeviceNumber) -> bool:
        return used.withdrawn


class RefusalsForgotten(Build):
    """A refused decision that comes again is refused again, by another entry."""

    def run_batch(
        self, connection: Connection, commands: Sequence[Command], context: Context
    ) -> tuple[list[Outcome], int]:
        outcomes, size = super().run_batch(connection, commands, context)
        is_kept = idempotency.c.kind == AnswerKind.ACCEPTED.value
        connection.execute(idempotency.delete().where(~is_kept))
        return outcomes, size


class RefusesForNoCause(Build):
    """Some decisions are refused for a made-up cause."""

    def decide(self, workspace: Workspace, command: Command, context: Context) -> Verdict:
        if isinstance(command, DecideCommand) and command.decision.n % EVERY == 1:
            answer = final("not_allowed", "You are not allowed to decide payments.")
            return deciding._refuse(workspace, command, context, answer)
        return super().decide(workspace, command, context)


class WithdrawalsRefusedForNoCause(Build):
    """... or withdrawals."""

    def decide(self, workspace: Workspace, command: Command, context: Context) -> Verdict:
        verdict = super().decide(workspace, command, context)
        if not isinstance(command, WithdrawCommand) or not isinstance(verdict, Decided):
            return verdict
        facts = {**verdict.entry.facts, "code": "device_revoked"}
        entry = replace(verdict.entry, action=REFUSED_ACTION, facts=facts)
        answer = final(
            "device_revoked",
            "This key was revoked. Make a new one on this console, then decide again.",
        )
        return Refused(answer, entry, verdict.changes)


class RevokedMayDecide(Build):
    """Nobody asks whether the device was revoked or the officer disabled."""

    def decide(self, workspace: Workspace, command: Command, context: Context) -> Verdict:
        if not isinstance(command, DecideCommand):
            return super().decide(workspace, command, context)
        device = workspace.devices.get(command.decision.device)
        user = workspace.users.get(command.decision.officer)
        if device is None or user is None:
            return super().decide(workspace, command, context)
        workspace.devices[device.id] = replace(device, revoked_index=None)
        workspace.users[user.id] = replace(user, disabled=False)
        try:
            return super().decide(workspace, command, context)
        finally:
            workspace.devices[device.id], workspace.users[user.id] = device, user


class SeenIsIgnored(Build):
    """What the officer saw is not compared with what there is."""

    def decide(self, workspace: Workspace, command: Command, context: Context) -> Verdict:
        if not isinstance(command, DecideCommand):
            return super().decide(workspace, command, context)
        current = workspace.enrollments.get(command.decision.enrollment)
        if current is None:
            return super().decide(workspace, command, context)
        seen = seen_digest(current_facts(current, workspace.commitments[current.student]))
        decision = replace(command.decision, expected_version=current.version, seen=seen)
        return super().decide(workspace, replace(command, decision=decision), context)
