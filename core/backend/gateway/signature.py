"""Signatures of the card provider: HMAC-SHA256 over path and body, after its own way of escaping.

The path is without host and without query. Only the hash sees the escaped text; what travels is
not escaped.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from core.backend.gateway.callback import signed_form

_SIGNATURE = re.compile(r"[0-9a-fA-F]{64}")


def sign(path: str, body: str | bytes, secret: str) -> str:
    """64 lower-case hex digits; `body` is exactly what is sent, empty for GET.

    White space around the secret does not count. Raises ValueError for a secret of nothing else:
    everybody could sign with that.
    """
    key = secret.strip()
    if not key:
        raise ValueError("A blank secret signs nothing.")
    content = body if isinstance(body, bytes) else _bytes(body)
    return hmac.new(_bytes(key), _escape(_bytes(path) + content), hashlib.sha256).hexdigest()


def verify_callback(path: str, raw: bytes, signature: str | None, secrets: Sequence[str]) -> bool:
    """Whether a callback was signed with one of `secrets`: the current one and the one before.

    `path` is that of the address we gave the provider, not the one that was asked for. `raw` is
    the body as it came. The provider's documents and its users disagree on what it signs, so both
    forms count: the bytes as they came, and the fields without `text` as compact JSON, however
    they travelled. Total: whatever comes in, the answer is yes or no. Blank secrets verify nothing.
    """
    if signature is None or not _SIGNATURE.fullmatch(signature.strip()):
        return False
    given = signature.strip().lower().encode()
    fields = signed_form(raw)
    bodies = [raw] if fields is None or fields == raw else [raw, fields]
    keys = [secret for secret in secrets if secret.strip()]
    # Every comparison is made: the time tells nothing of which one would have matched.
    matches = [
        hmac.compare_digest(sign(path, body, key).encode(), given)
        for key in keys
        for body in bodies
    ]
    return any(matches)


def _escape(content: bytes) -> bytes:
    # On bytes: in UTF-8 none of these is ever a part of another character.
    for special in (b"\\", b'"', b"'"):
        content = content.replace(special, b"\\" + special)
    return content.replace(b"\x00", b"\\0")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
