"""`PassphraseStore`: where there is no keyring, secrets lie in one file sealed by a passphrase.

AES-256-GCM under a key that Scrypt derives from the passphrase; salt and cost lie beside it in
the clear and are bound to it. Every call blocks.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from core.client.errors import SecretStoreError, WrongPassphraseError
from core.client.private_files import write_private
from core.client.sealing import KEY_BYTES, RandomBytes, Sealer
from core.client.secrets import check_secret

MIN_CHARACTERS = 12
MAX_CHARACTERS = 1_000
# 128 MiB and about half a second: what guessing costs too, for each guess.
COST = 2**17
_BLOCK = 8
_SALT_BYTES = 16
_VERSION = 1
# What a file may ask of this computer; ours asks far less.
_MAX_COST = 2**20
_MAX_FILE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _File:
    salt: bytes
    cost: int
    sealed: bytes


def exists(path: Path) -> bool:
    """Whether a passphrase was chosen here before."""
    return path.exists()


class PassphraseStore:
    """A `SecretStore` in the file `path`, made at once where there is none.

    Raises WrongPassphraseError, or SecretStoreError: a passphrase under 12 characters for a new
    file, a damaged file, which is never replaced silently, a disk that fails. `cost` is for new
    files; tests take a smaller one.
    """

    def __init__(
        self,
        path: Path,
        passphrase: str,
        *,
        cost: int = COST,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self._path = path
        self._writing = threading.Lock()
        found = _load(path) if exists(path) else None
        if found is None:
            check_new(passphrase)
            self._salt, self._cost = random_bytes(_SALT_BYTES), cost
        else:
            self._salt, self._cost = found.salt, found.cost
        key = _derive(passphrase, self._salt, self._cost)
        self._sealer = Sealer(key, random_bytes)
        if found is None:
            self._values: dict[str, str] = {}
            self._save(self._values)
        else:
            self._values = self._open(found.sealed)

    def get(self, name: str) -> str | None:
        return self._values.get(name)

    def set(self, name: str, value: str) -> None:
        check_secret(value)
        with self._writing:
            self._save({**self._newest(), name: value})

    def delete(self, name: str) -> None:
        with self._writing:
            values = self._newest()
            if values.pop(name, None) is not None:
                self._save(values)

    def _newest(self) -> dict[str, str]:
        """As the file has it now: another console may have written since."""
        return self._open(_load(self._path).sealed)

    def _open(self, sealed: bytes) -> dict[str, str]:
        text = self._sealer.open(sealed, self._context)
        if text is None:
            raise WrongPassphraseError("This is not the passphrase of this console.")
        return _values(text)

    def _save(self, values: dict[str, str]) -> None:
        """On the disk before it counts."""
        sealed = self._sealer.seal(json.dumps(values), self._context)
        fields = {
            "version": _VERSION,
            "salt": _text(self._salt),
            "cost": self._cost,
            "sealed": _text(sealed),
        }
        try:
            write_private(self._path, json.dumps(fields).encode())
        except OSError as error:
            raise SecretStoreError(
                "The file of this console's secrets cannot be written."
            ) from error
        self._values = values

    @property
    def _context(self) -> str:
        return f"secrets/{_VERSION}:{self._salt.hex()}:{self._cost}"


def check_new(passphrase: str) -> None:
    """Whether it may be chosen. Raises SecretStoreError with words for whoever chooses."""
    if len(passphrase) < MIN_CHARACTERS:
        raise SecretStoreError(
            f"A passphrase has at least {MIN_CHARACTERS} characters: some words in a row are good."
        )
    if len(passphrase) > MAX_CHARACTERS:
        raise SecretStoreError(f"A passphrase has at most {MAX_CHARACTERS} characters.")


def _derive(passphrase: str, salt: bytes, cost: int) -> bytes:
    # The same letters come in different forms from different keyboards.
    text = unicodedata.normalize("NFC", passphrase)
    try:
        encoded = text.encode()
    except UnicodeEncodeError as error:
        raise SecretStoreError("The passphrase holds a broken character.") from error
    kdf = Scrypt(salt=salt, length=KEY_BYTES, n=cost, r=_BLOCK, p=1)
    try:
        return kdf.derive(encoded)
    except MemoryError as error:
        raise SecretStoreError("This computer has too little free memory right now.") from error


def _load(path: Path) -> _File:
    damaged = "The file of this console's secrets is damaged."
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SecretStoreError("The file of this console's secrets cannot be read.") from error
    if len(raw) > _MAX_FILE_BYTES:
        raise SecretStoreError(damaged)
    try:
        fields: Mapping[str, Any] = json.loads(raw)
        found = _File(_bytes(fields["salt"]), fields["cost"], _bytes(fields["sealed"]))
        version = fields["version"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SecretStoreError(damaged) from error
    if version != _VERSION or not _is_sane(found):
        raise SecretStoreError(damaged)
    return found


def _is_sane(found: _File) -> bool:
    cost = found.cost
    is_power = type(cost) is int and 1 < cost <= _MAX_COST and cost & (cost - 1) == 0
    return is_power and len(found.salt) == _SALT_BYTES


def _values(text: str) -> dict[str, str]:
    """What we sealed ourselves."""
    return {str(name): str(value) for name, value in json.loads(text).items()}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
