"""Keyrings for tests: one that refuses, put in place of the real one, and a private one."""

from __future__ import annotations

import logging
from typing import NoReturn

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

BLOCKED = f"{__name__}.BlockedKeyring"
"""For the environment variable PYTHON_KEYRING_BACKEND; child processes inherit it."""


class BlockedKeyringError(AssertionError):
    """A test touched the keyring of the person who runs it.

    Not a `KeyringError`: the product answers those by doing without a keyring, quite rightly.
    """


class BlockedKeyring(KeyringBackend):
    """Fails every call. The log line fails the test even where the error is swallowed."""

    priority = 1

    def get_password(self, service: str, username: str) -> NoReturn:  # noqa: ARG002 - keyring's name
        self._refuse(service)

    def set_password(self, service: str, username: str, password: str) -> NoReturn:  # noqa: ARG002
        self._refuse(service)

    def delete_password(self, service: str, username: str) -> NoReturn:  # noqa: ARG002
        self._refuse(service)

    def _refuse(self, service: str) -> NoReturn:
        message = f"blocked use of the real keyring ({service}): take the fixture private_keyring"
        logging.getLogger(__name__).error(message)
        raise BlockedKeyringError(message)


class MemoryKeyring(KeyringBackend):
    """A keyring that lives as long as its test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring leaves it untyped
        self.secrets: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.secrets[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.secrets:
            raise PasswordDeleteError("there is no such password")
        del self.secrets[service, username]
