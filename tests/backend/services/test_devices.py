"""Which consoles may sign: by a one-time code, or by an administrator's device."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from core.backend.services.errors import (
    ConflictError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
    SignInNeededError,
)
from core.backend.services.identities import StaffIdentity
from core.domain.roles import Role
from core.ledger.keys import SigningKey, fingerprint
from core.protocol.messages import DeviceState, EnrollDevice
from core.protocol.signing import device_payload
from tests.support.ceremonies import revokes
from tests.support.live_template import Template
from tests.support.workspace import House, open_house

ADMIN = frozenset({Role.ADMINISTRATOR})
KEY = SigningKey(b"k" * 32)


def _body(
    house: House,
    owner: UUID,
    *,
    key: SigningKey = KEY,
    by_key: SigningKey | None = None,
    code: str | None = None,
    **changes: Any,
) -> EnrollDevice:
    """An enrollment signed by the template's root device, or by `by_key`."""
    fields: dict[str, Any] = {
        "id": uuid7(),
        "device": uuid7(),
        "user": owner,
        "roles": frozenset({Role.OFFICER}),
        "public_key": base64.b64encode(key.public).decode(),
        "by_device": house.template.root_device,
    }
    payload = device_payload(**fields | changes)
    signature = (by_key or house.template.root_key).sign(payload)
    encoded = base64.b64encode(signature).decode()
    return EnrollDevice(payload=payload.decode(), signature=encoded, code=code)


def _root(
    house: House, owner: UUID, code: str | None, roles: frozenset[Role] | None = None
) -> EnrollDevice:
    device = uuid7()
    return _body(
        house, owner, by_key=KEY, code=code, device=device, by_device=device,
        roles=ADMIN if roles is None else roles,
    )  # fmt: skip


def _officer(house: House) -> UUID:
    return house.template.staff[Role.OFFICER][0].id


async def test_an_administrators_device_enrolls_an_officers(house: House) -> None:
    administrator = await house.administrator()
    device = uuid7()
    body = _body(house, _officer(house), device=device)
    before = house.size()
    view = await house.services.devices.enroll(administrator, body)
    assert (view.id, view.user, view.state) == (device, _officer(house), DeviceState.ENROLLED)
    assert (view.root, view.next_n, view.fingerprint) == (False, 0, fingerprint(KEY.public))
    again = await house.services.devices.enroll(administrator, body)
    assert again == view
    assert house.size() == before + 1
    report = house.verify()
    assert report.devices == 2
    assert report.root_fingerprints == (fingerprint(house.template.root_key.public),)


async def test_an_unknown_device_is_said_to_be_unknown(house: House) -> None:
    administrator = await house.administrator()
    view = await house.services.devices.get(administrator, uuid7())
    assert (view.state, view.next_n) == (DeviceState.UNKNOWN, 0)


async def test_the_next_number_goes_on_behind_the_highest(house: House) -> None:
    officer = await house.officer()
    for _ in range(3):
        await house.decide(officer, officer.sign(await house.row(await house.claim())))
    view = await house.services.devices.get(officer.identity, officer.device.id)
    assert view.next_n == 3


@pytest.mark.parametrize("role", [Role.OFFICER, Role.SUPERVISOR])
async def test_only_an_administrator_enrolls(house: House, role: Role) -> None:
    somebody = await house.officer(role)
    body = _body(house, somebody.identity.user)
    with pytest.raises(NotAllowedError):
        await house.services.devices.enroll(somebody.identity, body)


async def test_a_signature_that_does_not_hold_is_refused(house: House) -> None:
    administrator = await house.administrator()
    for body in (
        _body(house, _officer(house), by_key=KEY),
        _body(house, _officer(house)).model_copy(update={"signature": "AAAA"}),
        _body(house, _officer(house)).model_copy(update={"payload": "{}"}),
        _body(house, _officer(house), public_key="AAAA"),
    ):
        with pytest.raises(InvalidError):
            await house.services.devices.enroll(administrator, body)


async def test_only_an_enrolled_administrators_device_signs(house: House) -> None:
    administrator = await house.administrator()
    officer = await house.officer()
    unknown = _body(house, _officer(house), by_key=KEY, by_device=uuid7())
    officers = _body(house, _officer(house), by_key=officer.device.key, by_device=officer.device.id)
    for body in (unknown, officers):
        with pytest.raises(NotAllowedError):
            await house.services.devices.enroll(administrator, body)


async def test_a_device_gets_no_role_that_its_owner_lacks(house: House) -> None:
    administrator = await house.administrator()
    body = _body(house, _officer(house), roles=frozenset({Role.OFFICER, Role.SUPERVISOR}))
    with pytest.raises(ConflictError):
        await house.services.devices.enroll(administrator, body)


async def test_a_device_is_enrolled_once(house: House) -> None:
    administrator = await house.administrator()
    officer = await house.officer()
    body = _body(house, _officer(house), device=officer.device.id)
    with pytest.raises(ConflictError, match="already"):
        await house.services.devices.enroll(administrator, body)


async def test_a_first_device_needs_its_code_once(house: House) -> None:
    administrator = await house.administrator()
    devices = house.services.devices
    code = await devices.new_code()
    view = await devices.enroll(administrator, _root(house, administrator.user, code))
    assert view.root
    with pytest.raises(NotAllowedError, match="code"):
        await devices.enroll(administrator, _root(house, administrator.user, code))
    body = _root(house, administrator.user, "x" * 43)
    with pytest.raises(NotAllowedError, match="code"):
        await devices.enroll(administrator, body)
    assert len(house.verify().root_fingerprints) == 2


async def test_a_code_ends_after_a_day(house: House) -> None:
    code = await house.services.devices.new_code()
    house.clock.advance(hours=24)
    administrator = await house.administrator()
    with pytest.raises(NotAllowedError, match="code"):
        await house.services.devices.enroll(administrator, _root(house, administrator.user, code))


async def test_a_code_makes_no_other_device(house: House) -> None:
    administrator = await house.administrator()
    officer = await house.officer()
    code = await house.services.devices.new_code()
    hostile: list[tuple[StaffIdentity, EnrollDevice]] = [
        (administrator, _root(house, officer.identity.user, code, frozenset({Role.OFFICER}))),
        (administrator, _root(house, administrator.user, code, frozenset())),
        (administrator, _body(house, administrator.user, by_key=KEY, code=code, roles=ADMIN)),
        (officer.identity, _root(house, officer.identity.user, code, frozenset({Role.OFFICER}))),
    ]
    for identity, body in hostile:
        with pytest.raises((NotAllowedError, ConflictError)):
            await house.services.devices.enroll(identity, body)
    view = await house.services.devices.enroll(
        administrator, _root(house, administrator.user, code)
    )
    assert view.root  # and the code was not spent by any of them


async def test_the_embedded_token_is_the_first_code(
    live_template: Template, tmp_path: Path
) -> None:
    token = "the-token-of-the-console"
    async with open_house(live_template, tmp_path / "h", embedded_token=token) as house:
        await house.services.start()
        administrator = await house.administrator()
        body = _root(house, administrator.user, token)
        assert (await house.services.devices.enroll(administrator, body)).root


async def test_after_sign_out_nothing_is_enrolled(house: House) -> None:
    administrator = await house.administrator()
    await house.services.accounts.staff_sign_out(administrator)
    with pytest.raises(SignInNeededError):
        await house.services.devices.enroll(administrator, _body(house, _officer(house)))


async def test_a_revoked_device_enrolls_nothing_more(house: House) -> None:
    administrator = await house.administrator()
    devices = house.services.devices
    code = await devices.new_code()
    body = _root(house, administrator.user, code)
    root = await devices.enroll(administrator, body)
    view = await devices.revoke(administrator, root.id, house.revocation(root.id))
    assert view.state is DeviceState.REVOKED
    other = _body(house, _officer(house), by_key=KEY, by_device=root.id)
    with pytest.raises(NotAllowedError):
        await devices.enroll(administrator, other)
    house.verify()


async def test_revoking_is_for_administrators_and_for_devices_that_exist(house: House) -> None:
    officer = await house.officer()
    device, revoke = officer.device.id, house.services.devices.revoke
    with pytest.raises(NotAllowedError):
        await revoke(officer.identity, device, house.revocation(device))
    administrator = await house.administrator()
    unknown = uuid7()
    with pytest.raises(NotFoundError):
        await revoke(administrator, unknown, house.revocation(unknown))


async def test_a_revocation_is_signed_by_an_administrators_own_device(house: House) -> None:
    administrator, officer = await house.administrator(), await house.officer()
    device, revoke = officer.device.id, house.services.devices.revoke
    root, before = house.template.root_device, house.size()
    by_officer = revokes(device, by_device=device, by_key=officer.device.key)
    with pytest.raises(NotAllowedError, match="not yours"):
        await revoke(administrator, device, by_officer)
    for body in (
        revokes(device, by_device=root, by_key=KEY),
        house.revocation(uuid7()),
        house.revocation(device).model_copy(update={"payload": "{}"}),
        house.revocation(device).model_copy(update={"signature": "AAAA"}),
    ):
        with pytest.raises(InvalidError):
            await revoke(administrator, device, body)
    assert house.size() == before


async def test_a_revocation_is_an_entry_that_verifies(house: House) -> None:
    administrator, officer = await house.administrator(), await house.officer()
    device, body = officer.device.id, house.revocation(officer.device.id)
    view = await house.services.devices.revoke(administrator, device, body)
    assert view.state is DeviceState.REVOKED
    leaf = house.leaves()[-1]
    assert (leaf.action, leaf.device) == ("device.revoked", house.template.root_device)
    assert leaf.signed is not None
    assert leaf.signed.payload.decode() == body.payload
    again = await house.services.devices.revoke(administrator, device, body)
    assert again == view
    with pytest.raises(ConflictError, match="already"):
        await house.services.devices.revoke(administrator, device, house.revocation(device))
    house.verify()


async def test_the_machine_itself_revokes_without_a_signature(house: House) -> None:
    await house.services.devices.revoke_by_system(house.template.root_device)
    leaf = house.leaves()[-1]
    assert (leaf.actor, leaf.signed) == ("system", None)
    house.verify()
    administrator = await house.administrator()
    with pytest.raises(NotAllowedError):
        await house.services.devices.enroll(administrator, _body(house, _officer(house)))
