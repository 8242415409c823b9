"""Ed25519 keys: sign, verify, and the fingerprint people compare."""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.ledger.errors import LedgerError

SEED_BYTES = 32
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64


class SigningKey:
    """A private key, made from 32 secret bytes that the caller keeps. Never shows them."""

    __slots__ = ("_private", "public")

    public: bytes

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise LedgerError(f"a signing key is made of {SEED_BYTES} bytes")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """The signature, 64 bytes; the same for the same data."""
        return self._private.sign(data)

    def __repr__(self) -> str:
        return f"<SigningKey {fingerprint(self.public)}>"


def verify(public: bytes, data: bytes, signature: bytes) -> bool:
    """Whether `signature` is the key's signature of `data`. False for malformed bytes, too."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public: bytes) -> str:
    """What people compare: 16 bytes of SHA-256 in hex, in eight groups of four digits."""
    digits = sha256(public).hexdigest()[:32]
    return " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))
