"""`Devices`: which consoles may sign: the first by a one-time code, others by an administrator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, select

from core.backend.services.commands import EnrollDeviceCommand, RevokeDeviceCommand
from core.backend.services.deciders import ROOT_CODE
from core.backend.services.errors import (
    ConflictError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
    ServiceError,
    SignInNeededError,
)
from core.backend.services.identities import StaffIdentity
from core.backend.services.submitting import submit
from core.backend.services.tokens import new_token, token_hash
from core.backend.storage import lookups, sessions
from core.backend.storage.command import Answer
from core.backend.storage.reader import Reader
from core.backend.storage.records import Device, OneTimeCode
from core.backend.storage.tables import device_numbers
from core.backend.storage.writer import Writer
from core.domain.roles import Role
from core.ledger.errors import LeafError
from core.ledger.keys import PUBLIC_BYTES, SIGNATURE_BYTES, fingerprint, verify
from core.ledger.text import read_base64
from core.protocol.messages import Device as DeviceView
from core.protocol.messages import DeviceState, EnrollDevice
from core.protocol.signing import PayloadError, read_device_payload

CODE_TIME = timedelta(days=1)
_NO_FINGERPRINT = "none"


class Devices:
    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes

    async def enroll(self, identity: StaffIdentity, body: EnrollDevice) -> DeviceView:
        """Enroll a device by an administrator's signature, or the first one by its code.

        Raises InvalidError (payload or signature), NotAllowedError, ConflictError, SignInNeeded-
        Error, BusyError. Asking again with the same bytes gives the same answer.
        """
        command = await self._command(identity, body)
        answer = (await submit(self._writer, command)).answer
        if answer.index is None:
            raise _error(answer)
        return await self.get(identity, command.device)

    async def get(self, identity: StaffIdentity, device: UUID) -> DeviceView:
        """The device as it is; state `unknown` (and the asker as its user) where there is none."""
        found, next_n = await self._reader.run(lambda c: _read(c, device))
        if found is None:
            return DeviceView(
                id=device,
                user=identity.user,
                state=DeviceState.UNKNOWN,
                fingerprint=_NO_FINGERPRINT,
                root=False,
                next_n=0,
            )
        revoked = found.revoked_index is not None
        return DeviceView(
            id=found.id,
            user=found.user_id,
            state=DeviceState.REVOKED if revoked else DeviceState.ENROLLED,
            fingerprint=fingerprint(found.public_key),
            root=found.root,
            next_n=next_n,
        )

    async def revoke(self, identity: StaffIdentity, device: UUID, *, key: str) -> DeviceView:
        """From now on this device signs nothing. Raises NotAllowedError, NotFoundError."""
        if Role.ADMINISTRATOR not in identity.roles:
            raise NotAllowedError("not_allowed", "Only an administrator can revoke a device.")
        command = RevokeDeviceCommand(device=device, actor=identity.actor, key=key)
        answer = (await submit(self._writer, command)).answer
        if answer.code == "unknown_device":
            raise NotFoundError(answer.code, answer.message)
        return await self.get(identity, device)

    async def new_code(self) -> str:
        """A one-time code for the first administrator's device, good for a day."""
        code = new_token(self._random_bytes)
        await self.accept_code(code)
        return code

    async def accept_code(self, code: str) -> None:
        """Take this text as such a code: the embedded console brings its own."""
        record = OneTimeCode(token_hash(code), ROOT_CODE, self._clock() + CODE_TIME)
        await self._writer.run(lambda c: sessions.add_code(c, record))

    async def _command(self, identity: StaffIdentity, body: EnrollDevice) -> EnrollDeviceCommand:
        payload = body.payload.encode()
        try:
            fields = read_device_payload(payload)
            public = read_base64(fields["public_key"], PUBLIC_BYTES)
            signature = read_base64(body.signature, SIGNATURE_BYTES)
        except (PayloadError, LeafError) as error:
            raise InvalidError("unreadable", "This is not a device enrollment.") from error
        by_device = fields["by_device"]
        key = public if body.code is not None else await self._public_key(by_device)
        if not await asyncio.to_thread(verify, key, payload, signature):
            raise InvalidError("bad_signature", "The signature does not hold.")
        return EnrollDeviceCommand(
            id=fields["id"],
            device=fields["device"],
            user=fields["user"],
            roles=fields["roles"],
            public_key=public,
            by_device=by_device,
            payload=payload,
            signature=signature,
            actor=identity.actor,
            session=identity.session,
            code=token_hash(body.code) if body.code is not None else None,
        )

    async def _public_key(self, device: UUID) -> bytes:
        found = await self._reader.run(lambda c: lookups.read_devices(c, [device]))
        if not found:
            raise NotAllowedError("not_allowed", "The signing device is not enrolled.")
        return found[0].public_key


def _read(connection: Connection, device: UUID) -> tuple[Device | None, int]:
    found = lookups.read_devices(connection, [device])
    highest = select(func.max(device_numbers.c.n)).where(device_numbers.c.device_id == device)
    last: int | None = connection.execute(highest).scalar_one()
    return (found[0] if found else None), (0 if last is None else last + 1)


def _error(answer: Answer) -> ServiceError:
    if answer.code == "sign_in_needed":
        return SignInNeededError()
    if answer.code in {"not_allowed", "wrong_code"}:
        return NotAllowedError(answer.code, answer.message)
    return ConflictError(answer.code, answer.message)
