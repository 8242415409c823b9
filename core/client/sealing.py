"""Seals what the console keeps on disk and nobody else should read."""

from __future__ import annotations

import os
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.client.errors import SecretStoreError
from core.client.secrets import SecretStore

KEY_BYTES = 32
_NONCE_BYTES = 12
_NAME = "outbox-key"

RandomBytes = Callable[[int], bytes]


class Sealer:
    """AES-256-GCM under one key (32 bytes). A sealed text belongs to its `context` alone."""

    def __init__(self, key: bytes, random_bytes: RandomBytes = os.urandom) -> None:
        self._cipher = AESGCM(key)
        self._random_bytes = random_bytes

    def seal(self, text: str, context: str) -> bytes:
        nonce = self._random_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), context.encode())

    def open(self, sealed: bytes, context: str) -> str | None:
        """The text, or None where the key is another one or the bytes were changed."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, context.encode()).decode()
        except (InvalidTag, ValueError):
            return None


def load_sealer(store: SecretStore, random_bytes: RandomBytes = os.urandom) -> Sealer:
    """The sealer whose key is in the store; a fresh key the first time. Blocks on the store."""
    kept = store.get(_NAME)
    if kept is None:
        key = random_bytes(KEY_BYTES)
        store.set(_NAME, key.hex())
        return Sealer(key, random_bytes)
    try:
        key = bytes.fromhex(kept)
        return Sealer(key, random_bytes)
    except ValueError as error:
        raise SecretStoreError("The key of the outbox in the keyring is damaged.") from error
