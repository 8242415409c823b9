"""Devices: enrolled by an administrator's device, the first one by a one-time code.

A console asks for itself, an administrator compares the fingerprint and signs; and revokes.
"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from core.backend.web.auth import Administrator, AnyStaff, Backend, IdempotencyKey
from core.protocol.messages import Device, DeviceList, DeviceRequest, EnrollDevice, RevokeDevice

router = APIRouter(prefix="/api/devices")


@router.get("")
async def devices(_: Administrator, services: Backend) -> DeviceList:
    """The requests that wait, and every device there ever was."""
    return await services.devices.book()


@router.post("")
async def enroll(body: EnrollDevice, staff: Administrator, services: Backend) -> Device:
    """Also how a request is approved: with the key that it names."""
    return await services.devices.enroll(staff, body)


@router.post("/requests")
async def request(body: DeviceRequest, staff: AnyStaff, services: Backend) -> Device:
    """A console asks to be enrolled for the person who is signed in there."""
    return await services.devices.request(staff, body)


@router.post("/requests/{device}/refuse")
async def refuse(
    device: UUID, staff: Administrator, key: IdempotencyKey, services: Backend
) -> Device:
    return await services.devices.refuse(staff, device, key=key)


@router.get("/{device}")
async def get(device: UUID, staff: AnyStaff, services: Backend) -> Device:
    """State `unknown` for a device that nobody enrolled or asked for."""
    return await services.devices.get(staff, device)


@router.post("/{device}/revoke")
async def revoke(
    device: UUID, body: RevokeDevice, staff: Administrator, services: Backend
) -> Device:
    """From now on it signs nothing; signed by the administrator's own device."""
    return await services.devices.revoke(staff, device, body)
