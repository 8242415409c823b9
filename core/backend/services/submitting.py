"""How a use case gives a command to the writer, with the failures worth a sentence."""

from __future__ import annotations

from core.backend.services.errors import (
    BusyError,
    ConflictError,
    NotAllowedError,
    NotFoundError,
    ServiceError,
    SignInNeededError,
)
from core.backend.storage.command import Answer, Command, Outcome
from core.backend.storage.errors import StorageError
from core.backend.storage.writer import Writer

_NOT_ALLOWED = frozenset({"not_allowed", "wrong_code", "wrong_password"})
_NOT_FOUND = frozenset(
    {
        "unknown_user", "unknown_course", "unknown_device", "unknown_request",
        "unknown_late_money", "unknown_refund", "unknown_delivery",
    }
)  # fmt: skip


async def submit(writer: Writer, command: Command) -> Outcome:
    """The outcome. Raises BusyError (ask again with the same key), ConflictError (key reused)."""
    try:
        outcome = await writer.submit(command)
    except StorageError as error:
        raise BusyError("busy", str(error)) from error
    if outcome.answer.code == "id_reused":
        raise ConflictError("key_reused", "This key was used before for something else.")
    return outcome


async def submit_or_raise(writer: Writer, command: Command) -> Outcome:
    """The outcome of an accepted command; raises a ServiceError for a refused one."""
    outcome = await submit(writer, command)
    if not outcome.accepted:
        raise refusal(outcome.answer)
    return outcome


def refusal(answer: Answer) -> ServiceError:
    """What a refused command of administration is to whoever asked."""
    if answer.code == "sign_in_needed":
        return SignInNeededError()
    if answer.code in _NOT_ALLOWED:
        return NotAllowedError(answer.code, answer.message)
    if answer.code in _NOT_FOUND:
        return NotFoundError(answer.code, answer.message)
    return ConflictError(answer.code, answer.message)
