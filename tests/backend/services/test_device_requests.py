"""A console asks, an administrator compares and signs; the code, the root and their entries."""

from __future__ import annotations

import pytest
from uuid_utils.compat import uuid7

from core.backend.services.devices import MAX_REQUESTS
from core.backend.services.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    SignInNeededError,
)
from core.domain.roles import Role
from core.ledger.keys import SigningKey, fingerprint
from core.protocol.messages import AnswerKind, DeviceState, EnrollDevice
from tests.support.ceremonies import approves, asks, revokes
from tests.support.live_people import LiveDevice
from tests.support.live_template import sign_in
from tests.support.workspace import House, Officer

KEY, OTHER = SigningKey(b"k" * 32), SigningKey(b"o" * 32)
FINGERPRINT = fingerprint(KEY.public)


async def _officer(house: House) -> Officer:
    """Signed in, at a console that nobody enrolled."""
    session = await sign_in(house.services, house.template.staff[Role.OFFICER][0])
    identity = await house.services.accounts.staff_identity(session.access_token)
    return Officer(identity, LiveDevice(uuid7(), session, KEY))


def _approval(house: House, officer: Officer, key: SigningKey = KEY) -> EnrollDevice:
    template = house.template
    return approves(
        officer.identity.user, officer.device.id, key,
        by_device=template.root_device, by_key=template.root_key,
    )  # fmt: skip


async def _ask(house: House, officer: Officer) -> DeviceState:
    body = asks(officer.identity.user, officer.device.id, KEY)
    return (await house.services.devices.request(officer.identity, body)).state


@pytest.mark.both_engines
async def test_from_the_request_to_a_decision(house: House) -> None:
    devices, officer = house.services.devices, await _officer(house)
    administrator = await house.administrator()
    enrollment = await house.claim()
    held = officer.sign(await house.row(enrollment))
    (answer,) = await house.decide(officer, held)
    assert (answer.kind, answer.code) == (AnswerKind.TRANSIENT, "device_pending")

    body = asks(officer.identity.user, officer.device.id, KEY)
    view = await devices.request(officer.identity, body)
    assert (view.state, view.fingerprint) == (DeviceState.WAITING, FINGERPRINT)
    before = house.size()
    assert await devices.request(officer.identity, body) == view
    assert house.size() == before
    (request,) = (await devices.book()).requests
    assert (request.user_name, request.fingerprint) == ("Thandi Mokoena", FINGERPRINT)
    (answer,) = await house.decide(officer, held)
    assert answer.code == "device_pending"

    view = await devices.enroll(administrator, _approval(house, officer))
    assert view.state is DeviceState.ENROLLED
    (answer,) = await house.decide(officer, held)
    assert answer.kind is AnswerKind.ACCEPTED
    book = await devices.book()
    assert book.requests == ()
    assert (book.devices[0].id, book.devices[0].by_name) == (officer.device.id, "Ayesha Patel")
    actions = [leaf.action for leaf in house.leaves()[-3:]]
    assert actions == ["device.requested", "device.enrolled", "enrollment.approved"]
    house.verify()


@pytest.mark.both_engines
async def test_a_refused_console_may_ask_again(house: House) -> None:
    devices, officer = house.services.devices, await _officer(house)
    administrator, device = await house.administrator(), officer.device.id
    with pytest.raises(NotFoundError):
        await devices.refuse(administrator, device, key="refuse-nothing")
    body = asks(officer.identity.user, device, KEY)
    await devices.request(officer.identity, body)
    view = await devices.refuse(administrator, device, key="refuse-it")
    assert view.state is DeviceState.REFUSED
    assert (await devices.book()).requests == ()
    assert house.leaves()[-1].action == "device.refused"
    # The same request again changes nothing; a new one waits again.
    assert (await devices.request(officer.identity, body)).state is DeviceState.REFUSED
    with pytest.raises(NotFoundError):
        await devices.refuse(administrator, device, key="refuse-it-twice")
    assert await _ask(house, officer) is DeviceState.WAITING
    house.verify()


async def test_a_request_proves_its_key_and_is_ones_own(house: House) -> None:
    devices, officer = house.services.devices, await _officer(house)
    user, device, before = officer.identity.user, uuid7(), house.size()
    body = asks(user, device, KEY)
    for wrong in (
        asks(user, device, KEY, by_key=OTHER),
        asks(user, device, KEY, public_key="AAAA"),
        body.model_copy(update={"payload": "{}"}),
        body.model_copy(update={"payload": body.payload.replace(":", ": ", 1)}),
        body.model_copy(update={"signature": "AAAA"}),
    ):
        with pytest.raises(InvalidError):
            await devices.request(officer.identity, wrong)
    colleague = house.template.staff[Role.OFFICER][1].id
    for foreign in (
        asks(colleague, device, KEY),
        asks(user, device, KEY, roles=frozenset({Role.ADMINISTRATOR})),
    ):
        with pytest.raises(ConflictError):
            await devices.request(officer.identity, foreign)
    assert house.size() == before


async def test_only_the_key_that_asked_is_enrolled(house: House) -> None:
    devices, officer = house.services.devices, await _officer(house)
    administrator = await house.administrator()
    await _ask(house, officer)
    with pytest.raises(ConflictError) as refused:
        await devices.enroll(administrator, _approval(house, officer, OTHER))
    assert refused.value.code == "not_as_requested"
    # And nobody takes the place of a console that waits.
    stolen = asks(officer.identity.user, officer.device.id, OTHER)
    with pytest.raises(ConflictError):
        await devices.request(officer.identity, stolen)


async def test_an_enrolled_or_revoked_device_asks_no_more(house: House) -> None:
    devices, officer = house.services.devices, await _officer(house)
    administrator, device = await house.administrator(), officer.device.id
    await _ask(house, officer)
    await devices.enroll(administrator, _approval(house, officer))
    with pytest.raises(ConflictError) as refused:
        await _ask(house, officer)
    assert refused.value.code == "already_enrolled"
    await devices.revoke(administrator, device, house.revocation(device))
    with pytest.raises(ConflictError) as refused:
        await _ask(house, officer)
    assert refused.value.code == "device_revoked"
    (row,) = [row for row in (await devices.book()).devices if row.id == device]
    assert (row.state, row.revoked_at) == (DeviceState.REVOKED, house.clock.now)


async def test_few_requests_of_one_person_wait(house: House) -> None:
    devices, officer = house.services.devices, await _officer(house)
    for _ in range(MAX_REQUESTS):
        await devices.request(officer.identity, asks(officer.identity.user, uuid7(), KEY))
    with pytest.raises(ConflictError) as refused:
        await devices.request(officer.identity, asks(officer.identity.user, uuid7(), KEY))
    assert refused.value.code == "too_many_requests"


async def test_after_sign_out_nothing_is_asked_or_revoked(house: House) -> None:
    devices, officer = house.services.devices, await _officer(house)
    administrator = await house.administrator()
    for identity in (officer.identity, administrator):
        await house.services.accounts.staff_sign_out(identity)
    with pytest.raises(SignInNeededError):
        await _ask(house, officer)
    root = house.template.root_device
    with pytest.raises(SignInNeededError):
        await devices.revoke(administrator, root, house.revocation(root))


async def test_the_workspace_tells_every_first_device(house: House) -> None:
    async def roots() -> tuple[str, ...]:
        return (await house.services.workspace.current()).root_fingerprints

    first = fingerprint(house.template.root_key.public)
    assert await roots() == (first,)
    administrator = await house.administrator()
    device, code = uuid7(), await house.services.devices.new_code()
    root = approves(
        administrator.user, device, KEY, by_device=device, by_key=KEY,
        roles=frozenset({Role.ADMINISTRATOR}),
    )  # fmt: skip
    await house.services.devices.enroll(administrator, root.model_copy(update={"code": code}))
    assert await roots() == (first, FINGERPRINT)
    # A revoked one stays on the list: its entries stay in the ledger, too.
    body = revokes(house.template.root_device, by_device=device, by_key=KEY)
    await house.services.devices.revoke(administrator, house.template.root_device, body)
    assert await roots() == (first, FINGERPRINT)
    assert house.verify().root_fingerprints == (first, FINGERPRINT)
