"""The console's own key: made here, kept in the secret store, enrolled by an administrator."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from core.client.errors import SecretStoreError
from core.client.secrets import SecretStore
from core.domain.roles import Role
from core.ledger.errors import LedgerError
from core.ledger.keys import SEED_BYTES, SigningKey, fingerprint
from core.protocol.messages import Device, EnrollDevice
from core.protocol.signing import device_payload


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
    name = f"device:{backend}:{user}"
    kept = store.get(name)
    if kept is not None:
        return _read(kept, user)
    seed, device = random_bytes(SEED_BYTES), new_id()
    store.set(name, json.dumps({"id": str(device), "seed": seed.hex()}))
    return DeviceKey(device, user, SigningKey(seed))


def _read(kept: str, user: UUID) -> DeviceKey:
    try:
        fields = json.loads(kept)
        return DeviceKey(UUID(fields["id"]), user, SigningKey(bytes.fromhex(fields["seed"])))
    except (ValueError, KeyError, TypeError, AttributeError, LedgerError) as error:
        raise SecretStoreError("This console's key in the keyring is damaged.") from error


class DeviceApi(Protocol):
    """The one route this needs; `Api` has it."""

    async def enroll_device(self, enrollment: EnrollDevice) -> Device: ...


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
    signature = base64.b64encode(by.key.sign(payload)).decode()
    return EnrollDevice(payload=payload.decode(), signature=signature, code=code)
