"""`Devices`: which consoles may sign: the first by a one-time code, others by an administrator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, select

from core.backend.services.administration_commands import (
    RefuseDeviceCommand,
    RequestDeviceCommand,
)
from core.backend.services.commands import (
    EnrollDeviceCommand,
    RevokeDeviceCommand,
    SignedRevocation,
)
from core.backend.services.device_deciders import ROOT_CODE
from core.backend.services.device_views import device_list
from core.backend.services.errors import ConflictError, InvalidError, NotAllowedError
from core.backend.services.identities import StaffIdentity
from core.backend.services.submitting import submit_or_raise
from core.backend.services.tokens import new_token, token_hash
from core.backend.storage import administration, lookups, sessions
from core.backend.storage.reader import Reader
from core.backend.storage.records import Device, OneTimeCode
from core.backend.storage.records import DeviceRequest as RequestRecord
from core.backend.storage.tables import device_numbers
from core.backend.storage.writer import Writer
from core.domain.roles import SYSTEM
from core.ledger.errors import LeafError
from core.ledger.keys import PUBLIC_BYTES, SIGNATURE_BYTES, fingerprint, verify
from core.ledger.text import read_base64
from core.protocol.messages import Device as DeviceView
from core.protocol.messages import (
    DeviceList,
    DeviceRequest,
    DeviceState,
    EnrollDevice,
    RevokeDevice,
)
from core.protocol.signing import (
    PayloadError,
    read_device_payload,
    read_device_request,
    read_device_revocation,
)

CODE_TIME = timedelta(days=1)
MAX_REQUESTS = 5  # of one person, waiting at once
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
        await submit_or_raise(self._writer, command)
        return await self.get(identity, command.device)

    async def get(self, identity: StaffIdentity, device: UUID) -> DeviceView:
        """The device as it is; state `unknown` (and the asker as its user) where there is none."""
        found, asked, next_n = await self._reader.run(lambda c: _read(c, device))
        known = found or asked
        return DeviceView(
            id=device,
            user=known.user_id if known else identity.user,
            state=_state(found, asked),
            fingerprint=fingerprint(known.public_key) if known else _NO_FINGERPRINT,
            root=found is not None and found.root,
            next_n=next_n,
        )

    async def book(self) -> DeviceList:
        """The requests that wait, and every device there ever was."""
        return device_list(await self._reader.run(administration.read_device_book))

    async def request(self, identity: StaffIdentity, body: DeviceRequest) -> DeviceView:
        """A console asks to be enrolled, and proves that it has the key.

        Raises InvalidError (payload or signature), ConflictError, SignInNeededError, BusyError.
        Asking again with the same bytes gives the same answer.
        """
        payload = body.payload.encode()
        try:
            fields = read_device_request(payload)
            public = read_base64(fields["public_key"], PUBLIC_BYTES)
            signature = read_base64(body.signature, SIGNATURE_BYTES)
        except (PayloadError, LeafError) as error:
            raise InvalidError("unreadable", "This is not a device request.") from error
        if not await asyncio.to_thread(verify, public, payload, signature):
            raise InvalidError("bad_signature", "The signature does not hold.")
        waiting = await self._reader.run(
            lambda c: administration.count_other_requests(c, identity.user, fields["device"])
        )
        if waiting >= MAX_REQUESTS:
            message = "Several consoles of yours wait already: ask an administrator."
            raise ConflictError("too_many_requests", message)
        command = RequestDeviceCommand(
            actor=identity.actor,
            session=identity.session,
            key=str(fields["id"]),
            request=RequestRecord(
                device=fields["device"],
                id=fields["id"],
                user_id=fields["user"],
                roles=fields["roles"],
                public_key=public,
                payload=body.payload,
                signature=signature,
                requested_at=self._clock(),
            ),
        )
        await submit_or_raise(self._writer, command)
        return await self.get(identity, fields["device"])

    async def refuse(self, identity: StaffIdentity, device: UUID, *, key: str) -> DeviceView:
        """An administrator does not know this console. Raises NotFoundError."""
        command = RefuseDeviceCommand(
            actor=identity.actor, session=identity.session, key=key, device=device
        )
        await submit_or_raise(self._writer, command)
        return await self.get(identity, device)

    async def revoke(self, identity: StaffIdentity, device: UUID, body: RevokeDevice) -> DeviceView:
        """From now on this device signs nothing; signed by the administrator's own device.

        Raises InvalidError, NotAllowedError, NotFoundError, ConflictError.
        """
        payload = body.payload.encode()
        try:
            fields = read_device_revocation(payload)
            signature = read_base64(body.signature, SIGNATURE_BYTES)
        except (PayloadError, LeafError) as error:
            raise InvalidError("unreadable", "This is not a revocation of a device.") from error
        if fields["device"] != device:
            raise InvalidError("wrong_device", "This revocation is of another device.")
        by_device = fields["by_device"]
        if not await asyncio.to_thread(
            verify, await self._public_key(by_device), payload, signature
        ):
            raise InvalidError("bad_signature", "The signature does not hold.")
        command = RevokeDeviceCommand(
            device=device,
            actor=identity.actor,
            key=str(fields["id"]),
            session=identity.session,
            signed=SignedRevocation(by_device=by_device, payload=payload, signature=signature),
        )
        await submit_or_raise(self._writer, command)
        return await self.get(identity, device)

    async def revoke_by_system(self, device: UUID) -> None:
        """For somebody at the machine itself, when no administrator's device is left to sign.

        Raises NotFoundError, ConflictError.
        """
        command = RevokeDeviceCommand(device=device, actor=SYSTEM, key=str(self._new_id()))
        await submit_or_raise(self._writer, command)

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


def _read(connection: Connection, device: UUID) -> tuple[Device | None, RequestRecord | None, int]:
    found = lookups.read_devices(connection, [device])
    asked = lookups.read_device_requests(connection, [device])
    highest = select(func.max(device_numbers.c.n)).where(device_numbers.c.device_id == device)
    last: int | None = connection.execute(highest).scalar_one()
    return next(iter(found), None), next(iter(asked), None), (0 if last is None else last + 1)


def _state(found: Device | None, asked: RequestRecord | None) -> DeviceState:
    if found is not None:
        return DeviceState.ENROLLED if found.revoked_index is None else DeviceState.REVOKED
    return DeviceState.UNKNOWN if asked is None else DeviceState(asked.state.value)
