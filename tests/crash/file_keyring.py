"""A keyring in a file, for consoles that are killed: what it was given, it keeps.

`PYTHON_KEYRING_BACKEND` names the class, `BURSAR_CRASH_KEYRING` the file. Not sealed: it stands for
the system's keyring in a test and holds nothing but a test's keys.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

CLASS = f"{__name__}.FileKeyring"
VARIABLE = "BURSAR_CRASH_KEYRING"


class FileStore:
    """Names and short texts. Each change is on the disk when it returns, whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, name: str) -> str | None:
        return self._read().get(name)

    def set(self, name: str, value: str) -> None:
        self._write(self._read() | {name: value})

    def delete(self, name: str) -> None:
        self._write({kept: value for kept, value in self._read().items() if kept != name})

    def _read(self) -> dict[str, str]:
        if not self._path.exists():
            return {}
        return dict(json.loads(self._path.read_text(encoding="utf-8")))

    def _write(self, values: dict[str, str]) -> None:
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as stream:
            json.dump(values, stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self._path)


class FileKeyring(KeyringBackend):
    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring leaves it untyped
        self._store = FileStore(Path(os.environ[VARIABLE]))

    def get_password(self, service: str, username: str) -> str | None:  # noqa: ARG002 - one service
        return self._store.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:  # noqa: ARG002
        self._store.set(username, password)

    def delete_password(self, service: str, username: str) -> None:  # noqa: ARG002 - as above
        if self._store.get(username) is None:
            raise PasswordDeleteError("there is no such password")
        self._store.delete(username)
