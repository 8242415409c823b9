"""Commitments: what the ledger keeps in place of personal data and free text.

The value and its salt live outside of the ledger and can be erased; then the commitment says
nothing any more.
"""

from hashlib import sha256

from core.ledger.errors import LeafError

SALT_BYTES = 16


def commit(salt: bytes, value: str) -> str:
    """Hex SHA-256 of the salt followed by the value in UTF-8.

    The salt is exactly `SALT_BYTES` random bytes, otherwise `LeafError`: with any other length the
    border between salt and value could be moved, and one commitment would open to two values.
    """
    if len(salt) != SALT_BYTES:
        raise LeafError(f"a salt is {SALT_BYTES} bytes long")
    try:
        return sha256(salt + value.encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise LeafError("a text holds half a character (a lone surrogate)") from error
