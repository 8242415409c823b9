"""Opaque tokens: 256 random bits for the holder, their SHA-256 for the database."""

from __future__ import annotations

import base64
from collections.abc import Callable
from hashlib import sha256

TOKEN_BYTES = 32


def new_token(random_bytes: Callable[[int], bytes]) -> str:
    """A fresh token as URL-safe text of 43 characters."""
    return base64.urlsafe_b64encode(random_bytes(TOKEN_BYTES)).rstrip(b"=").decode()


def token_hash(token: str) -> bytes:
    """What is stored. The token has all its bits from the machine: a plain hash is enough."""
    return sha256(token.encode()).digest()
