"""The exact text forms inside a leaf: each value has one form, and every other one is refused.

All readers take whatever JSON gave them and raise `LeafError`.
"""

import base64
import binascii
import re
from datetime import datetime, timedelta
from uuid import UUID

from core.ledger.errors import LeafError

UUID_PATTERN = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UUID = re.compile(UUID_PATTERN)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def read_text(value: object) -> str:
    """A text."""
    if not isinstance(value, str):
        raise LeafError("a text is missing")
    return value


def read_uuid(value: object) -> UUID:
    """A UUID in lower case with hyphens."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise LeafError("an id is not a UUID in its usual form")
    return UUID(value)


def read_base64(value: object, length: int) -> bytes:
    """Standard base64 (RFC 4648, section 4) of exactly `length` bytes."""
    data = decode_base64(read_text(value))
    if len(data) != length:
        raise LeafError(f"{length} bytes were expected in base64")
    return data


def decode_base64(text: str) -> bytes:
    """Standard base64 of any length, in the one form that encoding gives back."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise LeafError("a text is not base64") from error
    if write_base64(data) != text:
        raise LeafError("a text is not base64 in its usual form")
    return data


def write_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode()


def read_time(value: object) -> datetime:
    """RFC 3339 in UTC with six digits of the second: 2026-01-31T09:15:00.000000Z."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise LeafError("a time is not in the form 2026-01-31T09:15:00.000000Z")
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise LeafError("a time names a moment that does not exist") from error


def write_time(time: datetime) -> str:
    """The form `read_time` reads. Raises `LeafError` for a time that is not in UTC."""
    if time.utcoffset() != timedelta(0):
        raise LeafError("a time is not in UTC")
    return time.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
