"""Refused decisions: an entry where they were rightly signed, else without a trace."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from uuid_utils.compat import uuid7

from core.backend.storage.engine import write_transaction
from core.backend.storage.errors import WriterBusyError
from core.backend.storage.tables import users
from core.domain.decisions import ReasonCode, Verdict
from core.domain.roles import Role
from core.protocol.messages import AnswerKind, Note, SignedDecision
from core.protocol.signing import read_decision
from tests.support.live_people import LiveDevice
from tests.support.workspace import House, Officer, altered

KIND = AnswerKind
CHANGED = "conflict_changed"
_NOTE = Note(text="not what was signed", salt="00" * 16)


Alter = Callable[[Officer, SignedDecision], SignedDecision]


@pytest.mark.parametrize(
    ("alter", "kind", "code"),
    [
        (
            lambda o, i: altered(o, i, expected_version=1),
            KIND.CONFLICT_CHANGED,
            "conflict_changed",
        ),
        (lambda o, i: altered(o, i, seen="0" * 64), KIND.CONFLICT_CHANGED, CHANGED),
        (lambda o, i: altered(o, i, enrollment=uuid7()), KIND.REFUSED, "unknown_enrollment"),
        (lambda o, i: altered(o, i, as_of=10**6), KIND.REFUSED, "ahead"),
        (lambda o, i: altered(o, i, verdict=Verdict.REJECT), KIND.REFUSED, "reason_needed"),
        (
            lambda o, i: altered(
                o, i, verdict=Verdict.REVERSE_APPROVAL, reason_code=ReasonCode.MISTAKE
            ),
            KIND.CONFLICT_DECIDED,
            "conflict_decided",
        ),
    ],
    ids=["version", "seen", "unknown", "ahead", "reason", "reversal"],
)
async def test_what_is_rightly_signed_and_refused_is_on_the_ledger(
    house: House, alter: Alter, kind: AnswerKind, code: str
) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    row = await house.row(enrollment)
    item = alter(officer, officer.sign(row))
    before = house.size()
    (answer,) = await house.decide(officer, item)
    assert (answer.kind, answer.code, answer.index) == (kind, code, None)
    assert house.size() == before + 1
    leaf = house.leaves()[-1]
    assert (leaf.action, leaf.facts["code"]) == ("decision.refused", code)
    assert leaf.before == leaf.after
    assert leaf.signed is not None
    assert leaf.signed.payload.decode() == item.payload
    house.verify()
    assert await house.row(enrollment) == row
    # It is answered for good: the same bytes get the same answer and no second entry.
    assert [a.code for a in await house.decide(officer, item)] == [code]
    assert house.size() == before + 1


@pytest.mark.parametrize(
    ("alter", "code"),
    [
        (lambda _, i: i.model_copy(update={"signature": "A" * 86 + "=="}), "bad_signature"),
        (lambda _, i: i.model_copy(update={"signature": "AAAA"}), "bad_signature"),
        (lambda _, i: i.model_copy(update={"payload": i.payload[:-1]}), "unreadable"),
        (lambda _, i: i.model_copy(update={"payload": "{}"}), "unreadable"),
        (lambda _, i: i.model_copy(update={"id": uuid7()}), "unreadable"),
        (lambda o, i: altered(o, i, seen="Lerato Khumalo paid"), "unreadable"),
        (lambda o, i: altered(o, i, reason_commitment="because"), "unreadable"),
        (lambda o, i: altered(o, i, amount_received=10**12), "unreadable"),
        (lambda o, i: altered(o, i, officer=uuid7()), "not_yours"),
        (lambda o, i: altered(o, i.model_copy(update={"note": _NOTE})), "wrong_note"),
    ],
)
async def test_what_is_not_rightly_signed_leaves_no_trace(
    house: House, alter: Alter, code: str
) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    item = officer.sign(await house.row(enrollment))
    before = house.size()
    (answer,) = await house.decide(officer, alter(officer, item))
    assert (answer.kind, answer.code) == (KIND.REFUSED, code)
    assert house.size() == before
    # Nor does it poison the id: the right bytes are still taken.
    assert (await house.decide(officer, item))[0].kind is KIND.ACCEPTED


async def test_one_bad_item_never_blocks_another(house: House) -> None:
    officer = await house.officer()
    rows = [await house.row(await house.claim()) for _ in range(3)]
    good = [officer.sign(row) for row in rows]
    bad = good[1].model_copy(update={"payload": "junk"})
    answers = await house.decide(officer, good[0], bad, good[2])
    assert [a.kind for a in answers] == [KIND.ACCEPTED, KIND.REFUSED, KIND.ACCEPTED]
    assert [a.id for a in answers] == [item.id for item in good]


async def test_a_number_is_good_for_one_decision(house: House) -> None:
    first, second = await house.claim(), await house.claim()
    officer = await house.officer()
    item = officer.sign(await house.row(first))
    number = read_decision(item.payload.encode()).n
    other = altered(officer, officer.sign(await house.row(second)), n=number)
    together = await house.decide(officer, item, other)
    assert [a.code for a in together] == ["accepted", "number_reused"]
    again = altered(officer, officer.sign(await house.row(second)), n=number)
    assert (await house.decide(officer, again))[0].code == "number_reused"
    assert (await house.row(second)).waiting
    house.verify()


async def test_a_refused_decision_has_used_its_number(house: House) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    row = await house.row(enrollment)
    changed = altered(officer, officer.sign(row), expected_version=1)
    await house.decide(officer, changed)
    number = read_decision(changed.payload.encode()).n
    (answer,) = await house.decide(officer, altered(officer, officer.sign(row), n=number))
    assert answer.code == "number_reused"


async def test_a_queue_that_was_restored_from_an_old_copy(house: House) -> None:
    """What it sends again is answered again; a number that it counts anew is refused, visibly."""
    officer = await house.officer()
    items = [officer.sign(await house.row(await house.claim())) for _ in range(3)]
    first = await house.decide(officer, *items)
    size = house.size()
    assert await house.decide(officer, *items) == first
    assert house.size() == size
    fresh = officer.sign(await house.row(await house.claim()))
    forgetful = altered(officer, fresh, n=1)
    (refused,) = await house.decide(officer, forgetful)
    assert (refused.kind, refused.code) == (KIND.REFUSED, "number_reused")
    assert house.leaves()[-1].facts["code"] == "number_reused"
    # The backend knows the next number, and the officer decides again.
    view = await house.services.devices.get(officer.identity, officer.device.id)
    anew = altered(officer, fresh, id=uuid7(), n=view.next_n)
    assert (await house.decide(officer, anew))[0].kind is KIND.ACCEPTED
    house.verify()


async def test_a_device_that_nobody_enrolled_waits(house: House) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    stranger = Officer(
        officer.identity, LiveDevice(uuid7(), officer.device.session, officer.device.key)
    )
    before = house.size()
    (answer,) = await house.decide(stranger, stranger.sign(await house.row(enrollment)))
    assert (answer.kind, answer.code) == (KIND.TRANSIENT, "device_pending")
    assert house.size() == before


async def test_somebody_elses_device_cannot_be_used(house: House) -> None:
    enrollment = await house.claim()
    first, second = await house.officer(), await house.officer(which=1)
    borrowed = Officer(
        first.identity, LiveDevice(second.device.id, first.device.session, second.device.key)
    )
    (answer,) = await house.decide(borrowed, borrowed.sign(await house.row(enrollment)))
    assert answer.code == "not_yours"


async def test_a_revoked_device_decides_nothing(house: House) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    administrator = await house.administrator()
    device = officer.device.id
    await house.services.devices.revoke(administrator, device, house.revocation(device))
    (answer,) = await house.decide(officer, officer.sign(await house.row(enrollment)))
    assert (answer.kind, answer.code) == (KIND.REFUSED, "device_revoked")
    assert house.leaves()[-1].facts["code"] == "device_revoked"
    house.verify()


async def test_after_sign_out_decisions_wait_for_a_new_session(house: House) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    item = officer.sign(await house.row(enrollment))
    await house.services.accounts.staff_sign_out(officer.identity)
    before = house.size()
    (answer,) = await house.decide(officer, item)
    assert (answer.kind, answer.code) == (KIND.TRANSIENT, "sign_in_needed")
    assert house.size() == before


async def test_what_a_disabled_officer_still_holds_is_refused_for_good(house: House) -> None:
    """Disabling ends the sessions: "sign in" would be said for ever, and never help."""
    enrollment = await house.claim()
    officer, administrator = await house.officer(), await house.administrator()
    item = officer.sign(await house.row(enrollment))
    asker = administrator.asking(str(uuid7()))
    await house.services.users.set_disabled(asker, officer.identity.user, disabled=True)
    (answer,) = await house.decide(officer, item)
    assert (answer.kind, answer.code) == (KIND.REFUSED, "account_disabled")
    assert "Ask an administrator" in answer.message
    assert answer.row is not None
    assert answer.row.waiting
    leaf = house.leaves()[-1]
    assert (leaf.action, leaf.facts["code"]) == ("decision.refused", "account_disabled")
    house.verify()


async def test_nothing_received_is_no_amount(house: House) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    row = await house.row(enrollment)
    (answer,) = await house.decide(officer, altered(officer, officer.sign(row), amount_received=0))
    assert (answer.kind, answer.code) == (KIND.REFUSED, "amount_invalid")
    assert house.leaves()[-1].facts["code"] == "amount_invalid"
    (cent,) = await house.decide(officer, altered(officer, officer.sign(row), amount_received=1))
    assert cent.kind is KIND.ACCEPTED


async def test_every_final_answer_of_the_writer_shows_the_enrollment_as_it_is(house: House) -> None:
    """Also when it is given again: the console holds it beside what the officer saw."""
    enrollment = await house.claim()
    officer, supervisor = await house.officer(), await house.officer(Role.SUPERVISOR)
    stale = officer.sign(await house.row(enrollment))
    late = altered(officer, stale, expected_version=1)
    approved = officer.sign(await house.row(enrollment))
    answers = await house.decide(officer, late, approved)
    assert [answer.code for answer in answers] == ["conflict_changed", "accepted"]
    rows = [answer.row for answer in answers]
    assert rows == [await house.row(enrollment)] * 2
    undo = supervisor.sign(
        await house.row(enrollment), Verdict.REVERSE_APPROVAL, reason=ReasonCode.MISTAKE
    )
    await house.decide(supervisor, undo)
    again = await house.decide(officer, late, approved)
    assert [answer.code for answer in again] == ["conflict_changed", "accepted"]
    now = await house.row(enrollment)
    assert now.version > max(row.version for row in rows if row is not None)
    assert [answer.row for answer in again] == [now] * 2


async def test_an_administrator_decides_no_money(house: House) -> None:
    enrollment = await house.claim()
    administrator = await house.officer(Role.ADMINISTRATOR)
    (answer,) = await house.decide(administrator, administrator.sign(await house.row(enrollment)))
    assert (answer.kind, answer.code) == (KIND.REFUSED, "not_allowed")
    assert house.leaves()[-1].facts["code"] == "not_allowed"


async def test_a_role_that_the_device_was_not_enrolled_with_does_not_count(house: House) -> None:
    """Whoever runs the database can give a role, but not sign for it."""
    enrollment = await house.claim()
    officer = await house.officer(Role.ADMINISTRATOR)
    with write_transaction(house.services.engine) as connection:
        mine = users.update().where(users.c.id == officer.identity.user)
        connection.execute(mine.values(roles=frozenset({Role.OFFICER, Role.ADMINISTRATOR})))
    (answer,) = await house.decide(officer, officer.sign(await house.row(enrollment)))
    assert answer.code == "not_allowed"


async def test_a_decision_that_waited_too_long_is_refused(house: House) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    item = officer.sign(await house.row(enrollment), as_of=house.size() - 1)
    house.clock.advance(days=366)
    fresh = await house.officer()  # signs in again, and the ledger goes on
    (answer,) = await house.decide(Officer(fresh.identity, officer.device), item)
    assert (answer.kind, answer.code) == (KIND.REFUSED, "too_old")
    anew = fresh.sign(await house.row(enrollment), as_of=house.size() - 1)
    assert (await house.decide(fresh, anew))[0].kind is KIND.ACCEPTED


async def test_busy_is_said_and_nothing_is_lost(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    item = officer.sign(await house.row(enrollment))

    async def busy(_command: object) -> None:
        raise WriterBusyError("The backend is busy. Please try again.")

    monkeypatch.setattr(house.services.writer, "submit", busy)
    (answer,) = await house.decide(officer, item)
    assert (answer.kind, answer.code) == (KIND.TRANSIENT, "busy")
    monkeypatch.undo()
    assert (await house.decide(officer, item))[0].kind is KIND.ACCEPTED
