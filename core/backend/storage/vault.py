"""Personal data at rest: AES-256-GCM, and a keyed index to find a person by email.

Sealed bytes: 1 byte length of the key id, the key id, 12 bytes nonce, ciphertext with tag. The
key id and the place (table and row) are bound in, so that no value can be moved to another row.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.backend.storage.errors import VaultError

KEY_BYTES = 32
_NONCE_BYTES = 12
_MAX_KEY_ID = 32


def normalise_email(email: str) -> str:
    """How an email address is compared: without spaces around, without case."""
    return email.strip().casefold()


class Vault:
    """`keys`: key id -> 32 bytes; `current` seals, every one of them opens. Never shows them."""

    def __init__(
        self,
        *,
        keys: Mapping[str, bytes],
        current: str,
        index_key: bytes,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        if current not in keys:
            raise VaultError("The current vault key is not among the keys.")
        if any(len(key) != KEY_BYTES for key in (*keys.values(), index_key)):
            raise VaultError(f"Every vault key is {KEY_BYTES} bytes long.")
        if any(not 0 < len(name.encode()) <= _MAX_KEY_ID for name in keys):
            raise VaultError("The id of a vault key is empty or too long.")
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._current = current
        self._index_key = index_key
        self._random_bytes = random_bytes

    def __repr__(self) -> str:
        return f"<Vault {self._current}>"

    def seal(self, plain: bytes, *, place: str) -> bytes:
        """Encrypt; `place` names table and row, such as `students/<id>`."""
        name = self._current.encode()
        nonce = self._random_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, plain, _bound(name, place))
        return bytes([len(name)]) + name + nonce + sealed

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """Raises VaultError for an unknown key, another place or altered bytes."""
        length = sealed[0] if sealed else 0
        name, rest = sealed[1 : 1 + length], sealed[1 + length :]
        cipher = self._ciphers.get(name.decode(errors="replace"))
        if cipher is None:
            raise VaultError("This was sealed with a key that is not here.")
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _bound(name, place))
        except (InvalidTag, ValueError) as error:
            raise VaultError("Sealed data is damaged or was moved.") from error

    def email_index(self, email: str) -> bytes:
        """The same 32 bytes for the same address; says nothing without the key."""
        return hmac.digest(self._index_key, normalise_email(email).encode(), sha256)


def _bound(name: bytes, place: str) -> bytes:
    return name + b"\x00" + place.encode()
