"""Devices and requests as an administrator sees them."""

from __future__ import annotations

from uuid import UUID

from core.backend.storage.administration import DeviceBook
from core.backend.storage.records import Device, DeviceRequest
from core.ledger.keys import fingerprint
from core.ledger.text import write_base64
from core.protocol.messages import DeviceList, DeviceRequestRow, DeviceRow, DeviceState


def device_list(book: DeviceBook) -> DeviceList:
    owners = {device.id: device.user_id for device in book.devices}
    return DeviceList(
        requests=tuple(_request(book, request) for request in book.requests),
        devices=tuple(_device(book, device, owners[device.by_device]) for device in book.devices),
    )


def _request(book: DeviceBook, request: DeviceRequest) -> DeviceRequestRow:
    return DeviceRequestRow(
        device=request.device,
        user=request.user_id,
        user_name=book.names[request.user_id],
        roles=tuple(sorted(request.roles)),
        public_key=write_base64(request.public_key),
        fingerprint=fingerprint(request.public_key),
        requested_at=request.requested_at,
    )


def _device(book: DeviceBook, device: Device, by: UUID) -> DeviceRow:
    revoked = device.revoked_index
    return DeviceRow(
        id=device.id,
        user=device.user_id,
        user_name=book.names[device.user_id],
        roles=tuple(sorted(device.roles)),
        state=DeviceState.ENROLLED if revoked is None else DeviceState.REVOKED,
        fingerprint=fingerprint(device.public_key),
        root=device.root,
        by_name=book.names[by],
        enrolled_at=book.times[device.enrolled_index],
        revoked_at=None if revoked is None else book.times[revoked],
    )
