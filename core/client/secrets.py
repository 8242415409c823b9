"""Where short secrets are kept: the operating system's keyring, or only this process's memory.

Every call blocks; asynchronous callers use `asyncio.to_thread`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import keyring
from keyring.errors import KeyringError, PasswordDeleteError

from core.client.errors import SecretStoreError

SERVICE = "bursar"
# Windows keeps at most about 1,280 characters; what we store is far shorter.
MAX_CHARACTERS = 1_000

_PROBE = "probe"
# What the backends of keyring let through beside their own errors when the system's service fails.
_FAILURES = (KeyringError, OSError, RuntimeError)


class SecretStore(Protocol):
    """Short texts by name. Each method raises SecretStoreError where the store fails."""

    def get(self, name: str) -> str | None: ...

    def set(self, name: str, value: str) -> None: ...

    def delete(self, name: str) -> None:
        """Forget a name; one that is not there is no error."""


class MemoryStore:
    """Forgets everything when the process ends."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self._values.get(name)

    def set(self, name: str, value: str) -> None:
        check_secret(value)
        self._values[name] = value

    def delete(self, name: str) -> None:
        self._values.pop(name, None)


class KeyringStore:
    """The keyring of the operating system, under one service name."""

    def __init__(self, service: str = SERVICE) -> None:
        self._service = service

    def get(self, name: str) -> str | None:
        try:
            return keyring.get_password(self._service, name)
        except _FAILURES as error:
            raise SecretStoreError(_REFUSED) from error

    def set(self, name: str, value: str) -> None:
        check_secret(value)
        try:
            keyring.set_password(self._service, name, value)
        except _FAILURES as error:
            raise SecretStoreError(_REFUSED) from error

    def delete(self, name: str) -> None:
        try:
            keyring.delete_password(self._service, name)
        except PasswordDeleteError:
            return
        except _FAILURES as error:
            raise SecretStoreError(_REFUSED) from error


@dataclass(frozen=True, slots=True)
class Durability:
    """Whether secrets outlive the console, and what to tell a person about it."""

    remembered: bool
    message: str


def open_secret_store(service: str = SERVICE) -> tuple[SecretStore, Durability]:
    """The keyring if it keeps what it is given, else memory, with words that say so.

    May wait for a person to unlock the keyring.
    """
    store = KeyringStore(service)
    try:
        store.set(_PROBE, "ok")
        kept = store.get(_PROBE)
        store.delete(_PROBE)
    except SecretStoreError:
        kept = None
    if kept != "ok":  # also the null backend, which takes everything and keeps nothing
        return MemoryStore(), _FORGETS
    return store, _REMEMBERS


_REFUSED = "The keyring of this computer refused: it may be locked."
_REMEMBERS = Durability(
    remembered=True, message="Your sign-in and this console's key are kept in the system keyring."
)
_FORGETS = Durability(
    remembered=False,
    message="This computer has no usable keyring: nothing is remembered. You sign in again after "
    "each start, and this console's key is new each time.",
)


def check_secret(value: str) -> None:
    """Every store takes the same, so that none is a surprise. Raises SecretStoreError."""
    if len(value) > MAX_CHARACTERS:
        raise SecretStoreError("This secret is too long for the keyring.")
