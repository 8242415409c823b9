"""What consoles sign to be enrolled, and what administrators' consoles sign about them."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from core.domain.roles import Role
from core.ledger.keys import SigningKey
from core.protocol.messages import DeviceRequest, EnrollDevice, RevokeDevice
from core.protocol.signing import (
    device_payload,
    device_request_payload,
    device_revocation_payload,
)

OFFICER = frozenset({Role.OFFICER})


def _text(signature: bytes) -> str:
    return base64.b64encode(signature).decode()


def asks(
    user: UUID, device: UUID, key: SigningKey, *, by_key: SigningKey | None = None, **changes: Any
) -> DeviceRequest:
    """The request of a console; `by_key` is a key that it has no business to sign with."""
    fields: dict[str, Any] = {
        "id": uuid7(),
        "device": device,
        "user": user,
        "roles": OFFICER,
        "public_key": _text(key.public),
    }
    payload = device_request_payload(**fields | changes)
    return DeviceRequest(payload=payload.decode(), signature=_text((by_key or key).sign(payload)))


def approves(
    user: UUID,
    device: UUID,
    key: SigningKey,
    *,
    by_device: UUID,
    by_key: SigningKey,
    roles: frozenset[Role] = OFFICER,
) -> EnrollDevice:
    """An administrator's console signs for what a console asked for, or for itself."""
    payload = device_payload(
        id=uuid7(), device=device, user=user, roles=roles,
        public_key=_text(key.public), by_device=by_device,
    )  # fmt: skip
    return EnrollDevice(payload=payload.decode(), signature=_text(by_key.sign(payload)))


def revokes(device: UUID, *, by_device: UUID, by_key: SigningKey) -> RevokeDevice:
    payload = device_revocation_payload(id=uuid7(), device=device, by_device=by_device)
    return RevokeDevice(payload=payload.decode(), signature=_text(by_key.sign(payload)))
