"""Devices: enrolled by an administrator's device, the first one by a one-time code."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from core.backend.web.auth import Administrator, AnyStaff, Backend
from core.protocol.messages import Device, EnrollDevice

router = APIRouter(prefix="/api/devices")


@router.post("")
async def enroll(body: EnrollDevice, staff: Administrator, services: Backend) -> Device:
    return await services.devices.enroll(staff, body)


@router.get("/{device}")
async def get(device: UUID, staff: AnyStaff, services: Backend) -> Device:
    """State `unknown` for a device that nobody enrolled."""
    return await services.devices.get(staff, device)
