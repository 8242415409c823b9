"""Where a backend's files lie on this computer, however its address is written."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from core.client.private_files import write_private

_PORTS = {"http": 80, "https": 443}
_SPELLING = "address"
_MAX_CHARACTERS = 2_000


def plain(address: str) -> str:
    """The one spelling of an address: without capitals in its host, its usual port, and `/`."""
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        return address
    if parts.hostname is None or parts.username is not None or parts.query or parts.fragment:
        return address
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in {None, _PORTS.get(parts.scheme)} else f":{port}"
    return f"{parts.scheme}://{host}{shown}{parts.path.rstrip('/')}"


class Backends:
    """The folders of all backends, each named after the spelling it was made under. Blocks.

    Keys and sessions in the secret store go by that spelling too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder_of(self, name: str) -> Path:
        """For outbox and witness of a backend; made if it is not there."""
        folder = self._path(name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def name_of(self, address: str) -> str:
        """The spelling under which this backend is known here; else the plain one.

        It is written down in its folder, so that it is found under every other spelling.
        """
        name = self._known(address)
        spelled = self.folder_of(name) / _SPELLING
        if not spelled.exists():
            with contextlib.suppress(OSError):  # without it the other spellings are not found, yet
                write_private(spelled, name.encode())
        return name

    def others_of(self, name: str) -> tuple[Path, ...]:
        """Folders of the same backend that were made under other spellings."""
        return tuple(folder for _, folder in self._same(name) if folder != self._path(name))

    def _known(self, address: str) -> str:
        if self._path(address).exists():
            return address
        return next((spelled for spelled, _ in self._same(address)), plain(address))

    def _same(self, address: str) -> list[tuple[str, Path]]:
        known = ((_spelling(folder), folder) for folder in sorted(self._folder.glob("*/")))
        return [(name, folder) for name, folder in known if name and plain(name) == plain(address)]

    def _path(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()[:16]


def _spelling(folder: Path) -> str:
    """Nothing where it was never written down."""
    try:
        with (folder / _SPELLING).open("rb") as file:
            return file.read(_MAX_CHARACTERS).decode(errors="replace")
    except OSError:
        return ""
