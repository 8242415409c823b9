"""How a use case gives a command to the writer, with the failures worth a sentence."""

from __future__ import annotations

from core.backend.services.errors import BusyError, ConflictError
from core.backend.storage.command import Command, Outcome
from core.backend.storage.errors import StorageError
from core.backend.storage.writer import Writer


async def submit(writer: Writer, command: Command) -> Outcome:
    """The outcome. Raises BusyError (ask again with the same key), ConflictError (key reused)."""
    try:
        outcome = await writer.submit(command)
    except StorageError as error:
        raise BusyError("busy", str(error)) from error
    if outcome.answer.code == "id_reused":
        raise ConflictError("key_reused", "This key was used before for something else.")
    return outcome
