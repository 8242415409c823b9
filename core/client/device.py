"""The console's own key: made here, kept in the secret store, enrolled by an administrator."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from core.client.errors import ProtocolError, SecretStoreError
from core.client.secrets import SecretStore
from core.domain.roles import Role
from core.ledger.errors import LedgerError
from core.ledger.keys import PUBLIC_BYTES, SEED_BYTES, SigningKey, fingerprint
from core.ledger.text import read_base64
from core.protocol.messages import (
    Device,
    DeviceRequest,
    DeviceRequestRow,
    EnrollDevice,
    RevokeDevice,
)
from core.protocol.signing import (
    device_payload,
    device_request_payload,
    device_revocation_payload,
)


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """One officer's key on one console."""

    id: UUID
    user: UUID
    key: SigningKey

    @property
    def fingerprint(self) -> str:
        """What people compare."""
        return fingerprint(self.key.public)


def load_or_create(
    store: SecretStore,
    user: UUID,
    *,
    backend: str,
    new_id: Callable[[], UUID],
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> DeviceKey:
    """The key of `user` at `backend` (its address); made the first time. Blocks on the store.

    Raises SecretStoreError; a damaged key is never replaced silently.
    """
    kept = store.get(_name(backend, user))
    if kept is not None:
        return _read(kept, user)
    return _make(store, user, backend, new_id, random_bytes)


def renew(
    store: SecretStore,
    revoked: DeviceKey,
    *,
    backend: str,
    new_id: Callable[[], UUID],
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> DeviceKey:
    """A fresh key in place of `revoked`, which is forgotten: what it signed before keeps its id.

    Another one than `revoked` stays. Blocks on the store; raises SecretStoreError.
    """
    kept = store.get(_name(backend, revoked.user))
    if kept is not None and (held := _read(kept, revoked.user)).id != revoked.id:
        return held
    return _make(store, revoked.user, backend, new_id, random_bytes)


def _name(backend: str, user: UUID) -> str:
    return f"device:{backend}:{user}"


def _make(
    store: SecretStore,
    user: UUID,
    backend: str,
    new_id: Callable[[], UUID],
    random_bytes: Callable[[int], bytes],
) -> DeviceKey:
    seed, device = random_bytes(SEED_BYTES), new_id()
    store.set(_name(backend, user), json.dumps({"id": str(device), "seed": seed.hex()}))
    return DeviceKey(device, user, SigningKey(seed))


def _read(kept: str, user: UUID) -> DeviceKey:
    try:
        fields = json.loads(kept)
        return DeviceKey(UUID(fields["id"]), user, SigningKey(bytes.fromhex(fields["seed"])))
    except (ValueError, KeyError, TypeError, AttributeError, LedgerError) as error:
        raise SecretStoreError("This console's key in the keyring is damaged.") from error


class DeviceApi(Protocol):
    """What enrolling needs; `Api` has it, and the two others."""

    async def enroll_device(self, enrollment: EnrollDevice) -> Device: ...


class RequestApi(Protocol):
    """What asking needs."""

    async def request_device(self, request: DeviceRequest) -> Device: ...


class RevocationApi(Protocol):
    """What revoking needs."""

    async def revoke_device(self, device: UUID, revocation: RevokeDevice) -> Device: ...


async def request(
    api: RequestApi, device: DeviceKey, roles: frozenset[Role], *, request_id: UUID
) -> Device:
    """Ask the administrators to enroll this console; signed by itself, to show that it has the key.

    Asking again while it waits changes nothing.
    """
    payload = device_request_payload(
        id=request_id,
        device=device.id,
        user=device.user,
        roles=roles,
        public_key=base64.b64encode(device.key.public).decode(),
    )
    body = DeviceRequest(payload=payload.decode(), signature=_signature(device, payload))
    return await api.request_device(body)


def compared_fingerprint(asked: DeviceRequestRow) -> str:
    """The fingerprint of the very key that an approval would sign for, whatever the backend says.

    Raises ProtocolError for a key that is none.
    """
    try:
        return fingerprint(read_base64(asked.public_key, PUBLIC_BYTES))
    except LedgerError as error:
        raise ProtocolError("The backend shows a request without a usable key.") from error


async def approve(
    api: DeviceApi, asked: DeviceRequestRow, *, by: DeviceKey, enrollment_id: UUID
) -> Device:
    """Enroll a device that asked, by an administrator's (`by`), whose session `api` must have."""
    payload = device_payload(
        id=enrollment_id,
        device=asked.device,
        user=asked.user,
        roles=frozenset(asked.roles),
        public_key=asked.public_key,
        by_device=by.id,
    )
    body = EnrollDevice(payload=payload.decode(), signature=_signature(by, payload))
    return await api.enroll_device(body)


async def revoke(api: RevocationApi, device: UUID, *, by: DeviceKey, revocation_id: UUID) -> Device:
    """From now on `device` signs nothing; signed by an administrator's device (`by`)."""
    payload = device_revocation_payload(id=revocation_id, device=device, by_device=by.id)
    body = RevokeDevice(payload=payload.decode(), signature=_signature(by, payload))
    return await api.revoke_device(device, body)


async def enroll_first(
    api: DeviceApi, device: DeviceKey, roles: frozenset[Role], *, code: str, enrollment_id: UUID
) -> Device:
    """Enroll the first administrator's device: it signs itself and brings the one-time code."""
    return await api.enroll_device(_enrollment(device, roles, device, enrollment_id, code))


async def enroll_other(
    api: DeviceApi, device: DeviceKey, roles: frozenset[Role], *, by: DeviceKey, enrollment_id: UUID
) -> Device:
    """Enroll a device by an administrator's (`by`), whose session `api` must have."""
    return await api.enroll_device(_enrollment(device, roles, by, enrollment_id, None))


def _enrollment(
    device: DeviceKey, roles: frozenset[Role], by: DeviceKey, enrollment_id: UUID, code: str | None
) -> EnrollDevice:
    payload = device_payload(
        id=enrollment_id,
        device=device.id,
        user=device.user,
        roles=roles,
        public_key=base64.b64encode(device.key.public).decode(),
        by_device=by.id,
    )
    return EnrollDevice(payload=payload.decode(), signature=_signature(by, payload), code=code)


def _signature(by: DeviceKey, payload: bytes) -> str:
    return base64.b64encode(by.key.sign(payload)).decode()
