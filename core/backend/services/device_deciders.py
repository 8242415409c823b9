"""Which devices may sign: requests, enrollments and revocations, decided in one transaction."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from core.backend.services import administration_commands as administration
from core.backend.services import commands
from core.backend.services.administration_deciders import asker_problem
from core.backend.services.verdicts import accepted, make_leaf, refused
from core.backend.storage.command import (
    Add,
    Change,
    Context,
    Decided,
    RevokeDevice,
    Save,
    UseCode,
    Verdict,
)
from core.backend.storage.records import Device, RequestState
from core.backend.storage.workspace import Workspace
from core.domain.roles import Actor, Role
from core.ledger.leaf import Signed
from core.ledger.text import write_base64

ROOT_CODE = "root-device"


def decide_request_device(
    workspace: Workspace, command: administration.RequestDeviceCommand, context: Context
) -> Verdict:
    request = command.request
    problem = asker_problem(workspace, command, None) or _request_problem(workspace, command)
    if problem is not None:
        return refused(*problem)
    entry = make_leaf(
        context,
        actor=command.actor,
        action="device.requested",
        subject=f"device:{request.device}",
        facts={
            "device": str(request.device),
            "user": str(request.user_id),
            "roles": sorted(role.value for role in request.roles),
            "public_key": write_base64(request.public_key),
        },
    )
    change = Save(request) if request.device in workspace.requests else Add(request)
    return Decided(entry, (change,), accepted(request.device))


def _request_problem(
    workspace: Workspace, command: administration.RequestDeviceCommand
) -> tuple[str, str] | None:
    request = command.request
    owner = workspace.users.get(request.user_id)
    if owner is None or request.user_id != command.actor.id or not request.roles <= owner.roles:
        return "wrong_user", "A console asks for its own user and for roles that this user has."
    device = workspace.devices.get(request.device)
    if device is not None and device.revoked_index is not None:
        return "device_revoked", "This device was revoked: make a new key for this console."
    if device is not None:
        return "already_enrolled", "This device is enrolled already."
    before = workspace.requests.get(request.device)
    if before is not None and before.public_key != request.public_key:
        return "wrong_user", "Another console asked with this device's id."
    return None


def decide_refuse_device(
    workspace: Workspace, command: administration.RefuseDeviceCommand, context: Context
) -> Verdict:
    problem = asker_problem(workspace, command)
    if problem is not None:
        return refused(*problem)
    request = workspace.requests.get(command.device)
    if request is None or request.state is not RequestState.WAITING:
        return refused("unknown_request", "No such request waits.")
    entry = make_leaf(
        context,
        actor=command.actor,
        action="device.refused",
        subject=f"device:{request.device}",
        facts={"device": str(request.device)},
    )
    change = Save(replace(request, state=RequestState.REFUSED))
    return Decided(entry, (change,), accepted(request.device))


def decide_enroll_device(
    workspace: Workspace, command: commands.EnrollDeviceCommand, context: Context
) -> Verdict:
    problem = _device_problem(workspace, command, context)
    if problem is not None:
        return refused(*problem)
    code = workspace.codes.get(command.code) if command.code else None
    device = Device(
        id=command.device,
        user_id=command.user,
        roles=command.roles,
        public_key=command.public_key,
        by_device=command.by_device,
        root=code is not None,
        enrolled_index=workspace.size,
    )
    entry = make_leaf(
        context,
        actor=command.actor,
        action="device.enrolled",
        subject=f"device:{device.id}",
        device=command.by_device,
        facts={
            "device": str(device.id),
            "user": str(device.user_id),
            "roles": sorted(role.value for role in device.roles),
            "public_key": write_base64(device.public_key),
            "root": device.root,
        },
        signed=Signed(command.payload, command.signature),
    )
    changes: list[Change] = [Add(device)]
    if code is not None:
        changes.append(UseCode(replace(code, used_at=context.now)))
    request = workspace.requests.get(device.id)
    if request is not None:
        changes.append(Save(replace(request, state=RequestState.ENROLLED)))
    return Decided(entry, tuple(changes), accepted(device.id))


def _device_problem(
    workspace: Workspace, command: commands.EnrollDeviceCommand, context: Context
) -> tuple[str, str] | None:
    """Why this device cannot be enrolled, None where it can."""
    problem = asker_problem(workspace, command)
    if problem is not None:
        return problem
    owner = workspace.users.get(command.user)
    if owner is None or owner.disabled or not command.roles <= owner.roles:
        return "wrong_user", "The device's owner or roles are not right."
    if command.device in workspace.devices:
        return "already_enrolled", "This device is enrolled already."
    request = workspace.requests.get(command.device)
    if request is not None and (request.public_key, request.user_id) != (
        command.public_key, command.user,
    ):  # fmt: skip
        return "not_as_requested", "This is not the key that the console asked with."
    if command.code is not None:
        return _root_problem(workspace, command, context)
    return _signer_problem(workspace, command.by_device, command.actor)


def _signer_problem(workspace: Workspace, by_device: UUID, actor: Actor) -> tuple[str, str] | None:
    """Devices are enrolled and revoked by the asker's own administrator's device."""
    signer = workspace.devices.get(by_device)
    if signer is None or signer.revoked_index is not None or signer.user_id != actor.id:
        return "not_allowed", "The signing device is not yours, or not enrolled any more."
    if Role.ADMINISTRATOR not in signer.roles:
        return "not_allowed", "The signing device is not an administrator's."
    return None


def _root_problem(
    workspace: Workspace, command: commands.EnrollDeviceCommand, context: Context
) -> tuple[str, str] | None:
    code = workspace.codes.get(command.code or b"")
    if code is None or code.purpose != ROOT_CODE or code.used_at or code.expires_at <= context.now:
        return "wrong_code", "This one-time code is wrong, used or too old."
    if command.by_device != command.device or command.user != command.actor.id:
        return "not_allowed", "The first device signs for itself and for its own user."
    if Role.ADMINISTRATOR not in command.roles:
        return "not_allowed", "The first device must be an administrator's."
    return None


def decide_revoke_device(
    workspace: Workspace, command: commands.RevokeDeviceCommand, context: Context
) -> Verdict:
    problem = asker_problem(workspace, command)
    if problem is not None:
        return refused(*problem)
    device = workspace.devices.get(command.device)
    if device is None:
        return refused("unknown_device", "There is no such device.")
    if device.revoked_index is not None:
        return refused("already_revoked", "This device is revoked already.")
    signed = command.signed
    if signed is not None:
        problem = _signer_problem(workspace, signed.by_device, command.actor)
        if problem is not None:
            return refused(*problem)
    entry = make_leaf(
        context,
        actor=command.actor,
        action="device.revoked",
        subject=f"device:{device.id}",
        device=None if signed is None else signed.by_device,
        facts={"device": str(device.id)},
        signed=None if signed is None else Signed(signed.payload, signed.signature),
    )
    change = RevokeDevice(device.id, workspace.size)
    return Decided(entry, (change,), accepted(device.id))
