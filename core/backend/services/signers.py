"""Whether whoever signed may still be heard: the same for a decision and for its withdrawal."""

from __future__ import annotations

from core.backend.services.commands import DecideCommand, WithdrawCommand
from core.backend.services.verdicts import refused
from core.backend.storage.command import Answer, Refused
from core.backend.storage.workspace import Workspace
from core.protocol.messages import AnswerKind

SignedCommand = DecideCommand | WithdrawCommand


def not_yet(workspace: Workspace, command: SignedCommand) -> Refused | None:
    """What may yet be cured leaves no trace: no sign-in, or a device that waits."""
    made = command.made
    session = workspace.sessions.get(command.session)
    user = workspace.users.get(made.officer)
    if session is None or session.user_id != made.officer or user is None:
        return refused("sign_in_needed", "Please sign in again.")
    # Disabling somebody ends their sessions, too: they are not told to sign in again for ever.
    if session.revoked_at is not None and not user.disabled:
        return refused("sign_in_needed", "Please sign in again.")
    if made.device not in workspace.devices:
        return refused("device_pending", "This device waits for an administrator.")
    return None


def barred(workspace: Workspace, command: SignedCommand) -> Answer | None:
    """What cannot be cured by waiting is an answer for good, and an entry."""
    if workspace.users[command.made.officer].disabled:
        return final("account_disabled", "Your account was disabled. Ask an administrator.")
    if workspace.devices[command.made.device].revoked_index is not None:
        return final(
            "device_revoked",
            "This key was revoked. Make a new one on this console, then decide again.",
        )
    return None


def final(code: str, message: str, kind: AnswerKind = AnswerKind.REFUSED) -> Answer:
    return Answer(kind, code, message)
