"""What a backend needs that a console starts as its child: the parent's pipe, and keys."""

from __future__ import annotations

import base64
import json
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.protocol.messages import EmbeddedClaim

_STDIN = 0
_MAX_LINE = 4096
_SECRETS = "secrets.json"
_KEY_BYTES = 32
_LAST_RESORT_SECONDS = 15.0


class EmbeddedError(Exception):
    """The child cannot start; the message is one line for a person."""


class EmbeddedSecrets(BaseModel):
    """Keys that the child makes at its first start, in base64."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    vault_key: str
    email_index_key: str
    checkpoint_key: str

    def __repr__(self) -> str:
        return "EmbeddedSecrets(...)"


def read_token() -> str:
    """The one-time token from the first line of standard input. Raises EmbeddedError."""
    line = b""
    # Straight from the descriptor: a buffered reader would be locked by the thread that waits for
    # the end of the pipe, and could not be closed at exit.
    while not line.endswith(b"\n") and len(line) < _MAX_LINE:
        byte = os.read(_STDIN, 1)
        if not byte:
            break
        line += byte
    try:
        return EmbeddedClaim.model_validate_json(line).token
    except ValidationError:
        raise EmbeddedError('Standard input must begin with one line {"token": "..."}.') from None


def when_parent_is_gone(leave: Callable[[], None]) -> None:
    """Call `leave` from a thread when standard input ends, however the parent died.

    A process that has not left by itself some seconds later is ended: no orphan stays behind.
    """

    def wait() -> None:
        while _read_some():
            pass
        last_resort = threading.Timer(_LAST_RESORT_SECONDS, os._exit, args=(1,))
        last_resort.daemon = True
        last_resort.start()
        leave()

    threading.Thread(target=wait, name="parent-pipe", daemon=True).start()


def _read_some() -> bytes:
    try:
        return os.read(_STDIN, _MAX_LINE)
    except OSError:
        return b""


def load_or_create_secrets(folder: Path) -> EmbeddedSecrets:
    """The keys of this data folder, made at the first call. Raises EmbeddedError.

    The file appears whole or not at all, readable by its owner only. Of two processes that start
    at once both end up with the same keys.
    """
    file = folder / _SECRETS
    if not file.exists():
        _create(file)
    try:
        return EmbeddedSecrets.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        # Making new keys would make everything sealed with the old ones unreadable.
        raise EmbeddedError(f"The keys in {file} cannot be read. Restore the file.") from error


def _create(file: Path) -> None:
    made = EmbeddedSecrets(
        vault_key=_random_key(), email_index_key=_random_key(), checkpoint_key=_random_key()
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(made.model_dump(), stream)
            stream.flush()
            os.fsync(stream.fileno())
        _publish(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, file: Path) -> None:
    """Give the draft its name unless another process was first."""
    try:
        # Both refuse an existing name; a hard link is not to be had on every Windows disk.
        if os.name == "nt":
            draft.rename(file)
        else:
            file.hardlink_to(draft)
            _sync_folder(file.parent)
    except FileExistsError:
        return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
