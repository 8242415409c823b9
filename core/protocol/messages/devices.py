"""Consoles' keys: asking for and giving the right to sign."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from core.protocol.messages.fields import Base64, Index, Message, Secret, ShortText


class EnrollDevice(Message):
    """`payload`: canonical JSON (see core.protocol.signing.device_payload), signed by `by_device`.

    The first administrator's device signs itself and brings the one-time code.
    """

    payload: Annotated[str, StringConstraints(max_length=4096)]
    signature: Base64
    code: Secret | None = None


class DeviceState(StrEnum):
    """A device that was refused may ask again, with a new request."""

    UNKNOWN = "unknown"
    WAITING = "waiting"
    REFUSED = "refused"
    ENROLLED = "enrolled"
    REVOKED = "revoked"


class Device(Message):
    id: UUID
    user: UUID
    state: DeviceState
    fingerprint: ShortText
    root: bool
    next_n: Index
