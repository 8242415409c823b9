"""No name, no email address and none of anybody's words is in any leaf, log or stored answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from core.backend.services.identities import Asker, StaffIdentity
from core.backend.storage.tables import idempotency, notes
from core.domain.decisions import ReasonCode, Verdict
from core.domain.roles import Role
from core.ledger.keys import SigningKey
from core.ledger.leaf import decode
from core.protocol.messages import (
    CourseChange,
    NewCourse,
    NewUser,
    Note,
    PasswordChange,
    SignIn,
    SignUp,
)
from tests.support.ceremonies import asks as asks_for
from tests.support.live_template import Template
from tests.support.workspace import House, open_house

CANARIES = (
    "Canary-Lerato", "Canary-Khumalo", "canary@mail.example", "Canary-Officer",
    "canary.officer@college.example", "Canary reason in free words", "Canary Course",
    "Canary summary", "Canary lesson", "Canary Bank", "CANARY-ACCOUNT", "Canary College",
    "Canary-Sipho", "canary.sipho@college.example", "Canary-Password", "Canary-New-Password",
    "Canary-Label",
)  # fmt: skip


CANARY_PASSWORD = "Canary-Password"


async def _everything_happens(house: House) -> None:
    """Each kind of command once, each with a canary wherever a person can write."""
    services = house.services
    await services.workspace.set(
        name="Canary College", demo=False, threshold_cents=500_000, bank="Canary Bank",
        account_name="Canary College", account_number="CANARY-ACCOUNT", branch_code="1",
    )  # fmt: skip
    await services.accounts.add_user(
        email="canary.officer@college.example", name="Canary-Officer", password="long enough",
        roles=frozenset({Role.OFFICER}),
    )  # fmt: skip
    await services.workspace.add_course(
        title="Canary Course", summary="Canary summary", price_cents=1, lessons=()
    )
    officer = await house.officer()
    second = await house.officer(which=1)
    student = await house.student("Canary-Lerato Canary-Khumalo")
    enrollment = await house.claim(student)
    row = await house.row(enrollment)
    words = "Canary reason in free words"
    reject = officer.sign(row, Verdict.REJECT, reason=ReasonCode.OTHER, words=words)
    late = second.sign(row, Verdict.REJECT, reason=ReasonCode.OTHER, words=words)
    await house.decide(officer, reject)
    await house.decide(second, late)
    await house.claim(student)
    await house.decide(officer, officer.sign(await house.row(enrollment)))
    big = await house.claim(student, course=2)
    await house.decide(officer, officer.sign(await house.row(big), words=words))
    administrator = await house.administrator()
    device = second.device.id
    await services.devices.revoke(administrator, device, house.revocation(device))
    await _administration(house, administrator)


async def _administration(house: House, administrator: StaffIdentity) -> None:
    """Every action of the Administration screen, and of people's own accounts."""
    users, workspace = house.services.users, house.services.workspace

    def asks() -> Asker:
        return administrator.asking(str(uuid7()))

    body = NewUser(
        name="Canary-Sipho", email="canary.sipho@college.example", roles=(Role.OFFICER,),
        password=CANARY_PASSWORD,
    )  # fmt: skip
    user = (await users.add(asks(), body)).user.id
    await users.set_roles(asks(), user, frozenset({Role.SUPERVISOR}))
    await users.set_disabled(asks(), user, disabled=True)
    await users.set_disabled(asks(), user, disabled=False)
    await users.reset_password(asks(), user, CANARY_PASSWORD)
    sign_in = SignIn(email=body.email, password=CANARY_PASSWORD)
    session = await house.services.accounts.staff_sign_in(
        sign_in, address="192.0.2.1", label="Canary-Label"
    )
    who = await house.services.accounts.staff_identity(session.access_token)
    change = PasswordChange(old_password=CANARY_PASSWORD, new_password="Canary-New-Password")
    await house.services.own_account.change_staff_password(who, change)
    for key in (SigningKey(b"1" * 32), SigningKey(b"2" * 32)):
        supervisor = frozenset({Role.SUPERVISOR})
        device = uuid7()
        await house.services.devices.request(who, asks_for(user, device, key, roles=supervisor))
        await house.services.devices.refuse(administrator, device, key=str(uuid7()))
    await users.end_sessions(administrator, user, session=None, key=str(uuid7()))
    student = SignUp(name="Canary-Lerato", email="canary@mail.example", password=CANARY_PASSWORD)
    signed_up = await house.services.accounts.student_sign_up(student, address="192.0.2.2")
    await house.services.own_account.change_student_password(signed_up.identity, change)
    row = await workspace.add(asks(), NewCourse(title="Canary Course", price_cents=1))
    course = CourseChange(title="Canary Course", summary="Canary summary", price_cents=2)
    await workspace.change(asks(), row.id, course)
    await workspace.retire(asks(), row.id, retired=True)
    await workspace.retire(asks(), row.id, retired=False)
    await workspace.change_settings(asks(), await workspace.settings())


async def test_no_canary_sings(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="core"):
        await house.services.start()
        await _everything_happens(house)
    actions = {leaf.action for leaf in house.leaves()}
    assert actions >= {
        "workspace.set", "user.added", "course.added", "device.enrolled", "device.revoked",
        "student.registered", "enrollment.enrolled", "enrollment.enrolled_again",
        "claim.submitted", "enrollment.approved", "enrollment.rejected",
        "enrollment.first_signature", "decision.refused", "user.roles_changed",
        "user.disabled", "user.enabled", "user.password_changed", "user.sessions_ended",
        "device.requested", "device.refused", "student.password_changed", "course.changed",
        "course.retired", "course.reopened",
    }  # fmt: skip
    ledger = b"\n".join(house.leaf_bytes()).decode()
    log = caplog.text
    for canary in CANARIES:
        assert canary.lower() not in ledger.lower()
        assert canary.lower() not in log.lower()
    house.verify()


async def test_what_is_personal_is_sealed_where_it_is_kept(house: House) -> None:
    await _everything_happens(house)
    run = house.services.reader.run_now
    answers = run(lambda c: [tuple(row) for row in c.execute(select(idempotency))])
    kept = run(lambda c: [tuple(row) for row in c.execute(select(notes))])
    assert len(kept) == 3
    for canary in CANARIES:
        assert canary not in repr(answers)
        assert canary not in repr(kept)


async def test_the_facts_of_an_entry_are_codes_ids_and_cents(
    live_template: Template, tmp_path: Path
) -> None:
    """Texts in facts are short and of few kinds: there is no place for words."""
    async with open_house(live_template, tmp_path / "h") as house:
        await _everything_happens(house)
        for data in house.leaf_bytes():
            for key, value in decode(data).facts.items():
                assert value is None or isinstance(value, str | int | bool | list), key
                if isinstance(value, str):
                    assert len(value) <= 64, key
                    assert " " not in value, key


async def test_a_note_that_is_not_the_one_that_was_signed_is_not_kept(house: House) -> None:
    officer = await house.officer()
    row = await house.row(await house.claim())
    item = officer.sign(row, Verdict.REJECT, reason=ReasonCode.OTHER, words="signed words")
    other = item.model_copy(update={"note": Note(text="other words", salt=uuid7().hex)})
    assert (await house.decide(officer, other))[0].code == "wrong_note"
    found = house.services.reader.run_now(lambda c: c.execute(select(notes)).all())
    assert found == []
