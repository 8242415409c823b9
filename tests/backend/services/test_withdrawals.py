"""Withdrawn decisions: exactly one of carried out and withdrawn, and both sides know which."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from core.protocol.messages import AnswerKind, DecisionAnswer, Note, SignedDecision
from core.protocol.signing import read_decision
from tests.support.waiting import until
from tests.support.workspace import House, Officer, altered, held

KIND = AnswerKind


async def _waiting(house: House) -> tuple[Officer, SignedDecision, SignedDecision]:
    """An officer, an approval that was not sent, and its withdrawal."""
    enrollment = await house.claim()
    officer = await house.officer()
    item = officer.sign(await house.row(enrollment), as_of=house.size() - 1)
    return officer, item, officer.device.withdrawal(item)


@pytest.mark.both_engines
async def test_a_withdrawn_decision_is_never_carried_out(house: House) -> None:
    officer, item, withdrawal = await _waiting(house)
    before = house.size()
    (answer,) = await house.decide(officer, withdrawal)
    assert (answer.kind, answer.code, answer.index) == (KIND.ACCEPTED, "withdrawn", before)
    leaf = house.leaves()[-1]
    assert (leaf.action, leaf.before, leaf.after) == ("decision.withdrawn", 2, 2)
    assert leaf.facts["decision"] == str(item.id)
    assert leaf.signed is not None
    assert leaf.signed.payload.decode() == withdrawal.payload
    # An old copy of the queue comes to life.
    (refused,) = await house.decide(officer, item)
    assert (refused.kind, refused.code) == (KIND.REFUSED, "withdrawn")
    assert refused.message == "You withdrew this decision."
    enrollment = read_decision(item.payload.encode()).enrollment
    row = await house.row(enrollment)
    assert row.waiting
    assert [answer.row, refused.row] == [row, row]
    # A new decision about it is as good as ever.
    assert (await house.decide(officer, officer.sign(row)))[0].kind is KIND.ACCEPTED
    house.verify()


@pytest.mark.both_engines
async def test_what_was_carried_out_is_not_withdrawn(house: House) -> None:
    house.clock.now = datetime(2099, 3, 2, 8, 42, tzinfo=UTC)
    officer, item, withdrawal = await _waiting(house)
    (done,) = await house.decide(officer, item)
    house.clock.advance(minutes=5)
    (late,) = await house.decide(officer, withdrawal)
    assert (late.kind, late.code, late.index) == (KIND.REFUSED, "already_decided", done.index)
    assert late.message.endswith("T. Mokoena approved this at 10:42.")
    assert late.row == await house.row(read_decision(item.payload.encode()).enrollment)
    leaf = house.leaves()[-1]
    assert (leaf.action, leaf.facts["code"]) == ("withdrawal.refused", "already_decided")
    assert (await house.decide(officer, item))[0] == done
    house.verify()


@pytest.mark.both_engines
async def test_a_refused_decision_can_still_be_withdrawn(house: House) -> None:
    officer, item, _ = await _waiting(house)
    stale = altered(officer, item, expected_version=1)
    (conflict,) = await house.decide(officer, stale)
    (withdrawn,) = await house.decide(officer, officer.device.withdrawal(stale))
    assert (withdrawn.kind, withdrawn.code) == (KIND.ACCEPTED, "withdrawn")
    assert await house.decide(officer, stale) == [conflict]  # its answer stands
    anew = altered(officer, stale, id=uuid7())
    assert (await house.decide(officer, anew))[0].code == "number_reused"
    house.verify()


async def test_the_same_withdrawal_again_gets_the_same_answer(house: House) -> None:
    officer, item, withdrawal = await _waiting(house)
    (first,) = await house.decide(officer, withdrawal)
    size = house.size()
    assert await house.decide(officer, withdrawal, withdrawal) == [first, first]
    other = officer.device.withdrawal(item, id=withdrawal.id, decision=uuid7())
    assert (await house.decide(officer, other))[0].code == "id_reused"
    assert house.size() == size


async def test_the_same_decision_can_be_withdrawn_from_two_copies_of_the_queue(
    house: House,
) -> None:
    officer, item, withdrawal = await _waiting(house)
    again = officer.device.withdrawal(item)
    answers = await house.decide(officer, withdrawal, again, item)
    assert [answer.code for answer in answers] == ["withdrawn"] * 3
    assert [answer.kind for answer in answers] == [KIND.ACCEPTED, KIND.ACCEPTED, KIND.REFUSED]
    house.verify()


async def test_a_number_that_carried_out_another_decision(house: House) -> None:
    """An old copy of the queue made a second decision with a number that was used."""
    officer, item, _ = await _waiting(house)
    await house.decide(officer, item)
    second = officer.sign(await house.row(await house.claim()))
    reused = altered(officer, second, n=read_decision(item.payload.encode()).n)
    withdrawal = officer.device.withdrawal(reused)
    withdrawn, refused = await house.decide(officer, withdrawal, reused)
    assert (withdrawn.kind, withdrawn.code) == (KIND.REFUSED, "number_reused")
    assert (refused.kind, refused.code) == (KIND.REFUSED, "number_reused")
    house.verify()


async def test_the_next_number_counts_withdrawals_too(house: House) -> None:
    officer, item, withdrawal = await _waiting(house)
    view = await house.services.devices.get(officer.identity, officer.device.id)
    assert view.next_n == 0
    far = altered(officer, item, n=6)
    await house.decide(officer, withdrawal)
    view = await house.services.devices.get(officer.identity, officer.device.id)
    assert view.next_n == 1
    await house.decide(officer, officer.device.withdrawal(far))
    view = await house.services.devices.get(officer.identity, officer.device.id)
    assert view.next_n == 7


async def test_a_withdrawal_about_nothing_known_uses_the_number_up(house: House) -> None:
    officer, item, _ = await _waiting(house)
    nowhere = altered(officer, item, enrollment=uuid7())
    withdrawn, refused = await house.decide(officer, officer.device.withdrawal(nowhere), nowhere)
    assert (withdrawn.kind, withdrawn.row) == (KIND.ACCEPTED, None)
    assert refused.code == "withdrawn"
    house.verify()


_NOTE = Note(text="words beside it", salt="00" * 16)


@pytest.mark.parametrize(
    ("signed", "tampered", "code"),
    [
        ({}, {"signature": "A" * 86 + "=="}, "bad_signature"),
        ({}, {"signature": "AAAA"}, "bad_signature"),
        ({}, {"payload": "{}"}, "unreadable"),
        ({}, {"id": UUID(int=7)}, "unreadable"),
        ({}, {"note": _NOTE}, "wrong_note"),
        ({"n": 2**53 - 1}, {}, "unreadable"),
        ({"officer": UUID(int=7)}, {}, "not_yours"),
        ({"device": UUID(int=7)}, {}, "device_pending"),
    ],
    ids=["signature", "short", "payload", "id", "note", "number", "officer", "device"],
)
async def test_what_is_not_rightly_signed_withdraws_nothing(
    house: House, signed: dict[str, object], tampered: dict[str, object], code: str
) -> None:
    officer, item, _ = await _waiting(house)
    withdrawal = officer.device.withdrawal(item, **signed).model_copy(update=tampered)
    before = house.size()
    (answer,) = await house.decide(officer, withdrawal)
    assert answer.code == code
    assert house.size() == before
    assert (await house.decide(officer, item))[0].kind is KIND.ACCEPTED


async def test_a_colleague_cannot_withdraw(house: House) -> None:
    officer, item, withdrawal = await _waiting(house)
    colleague = await house.officer(which=1)
    (answer,) = await house.decide(colleague, withdrawal)
    assert (answer.kind, answer.code) == (KIND.REFUSED, "not_yours")
    assert (await house.decide(officer, item))[0].kind is KIND.ACCEPTED


async def test_after_sign_out_a_withdrawal_waits(house: House) -> None:
    officer, _, withdrawal = await _waiting(house)
    await house.services.accounts.staff_sign_out(officer.identity)
    before = house.size()
    (answer,) = await house.decide(officer, withdrawal)
    assert (answer.kind, answer.code) == (KIND.TRANSIENT, "sign_in_needed")
    assert house.size() == before


async def test_a_revoked_devices_withdrawal_is_refused_on_the_ledger(house: House) -> None:
    officer, item, withdrawal = await _waiting(house)
    administrator = await house.administrator()
    device = officer.device.id
    await house.services.devices.revoke(administrator, device, house.revocation(device))
    answers = await house.decide(officer, withdrawal, item)
    assert [answer.kind for answer in answers] == [KIND.REFUSED] * 2
    assert [answer.code for answer in answers] == ["device_revoked"] * 2
    assert all(answer.row is not None for answer in answers)
    actions = [leaf.action for leaf in house.leaves()[-2:]]
    assert actions == ["withdrawal.refused", "decision.refused"]
    house.verify()


async def test_what_was_carried_out_is_told_also_to_a_revoked_device(house: House) -> None:
    """Its officer had not heard of it, and discarded it; it must not look withdrawn."""
    officer, item, withdrawal = await _waiting(house)
    (done,) = await house.decide(officer, item)
    administrator = await house.administrator()
    device = officer.device.id
    await house.services.devices.revoke(administrator, device, house.revocation(device))
    (late,) = await house.decide(officer, withdrawal)
    assert (late.kind, late.code, late.index) == (KIND.REFUSED, "already_decided", done.index)
    house.verify()


async def test_what_a_disabled_officer_withdrew_stays_dead_when_they_are_back(
    house: House,
) -> None:
    officer, item, withdrawal = await _waiting(house)
    asker = (await house.administrator()).asking
    users, user = house.services.users, officer.identity.user
    await users.set_disabled(asker(str(uuid7())), user, disabled=True)
    (refused,) = await house.decide(officer, withdrawal)
    assert (refused.kind, refused.code) == (KIND.REFUSED, "account_disabled")
    await users.set_disabled(asker(str(uuid7())), user, disabled=False)
    back = replace(await house.officer(), device=officer.device)
    (dead,) = await house.decide(back, item)
    assert (dead.kind, dead.code) == (KIND.REFUSED, "withdrawn")
    house.verify()


@pytest.mark.both_engines
async def test_both_at_once_agree_whatever_comes_first(house: House) -> None:
    """Twelve decisions and their withdrawals, each sent twice, all at once, in both orders."""
    rows = [await house.row(await house.claim()) for _ in range(12)]
    officer = await house.officer()
    items = [officer.sign(row) for row in rows]
    pairs = [(item, officer.device.withdrawal(item)) for item in items]
    sent = [pair if i % 2 else pair[::-1] for i, pair in enumerate(pairs)] * 2
    writer = house.services.writer
    with held(writer):
        asked = [asyncio.create_task(house.decide(officer, one)) for pair in sent for one in pair]
        await until(lambda: writer.waiting == len(asked))
    answers: dict[object, list[DecisionAnswer]] = {}
    for (answer,) in await asyncio.gather(*asked):
        answers.setdefault(answer.id, []).append(answer)
    assert all(first == second for first, second in answers.values())
    leaves = house.leaves()
    for item, withdrawal in pairs:
        subject = f"enrollment:{read_decision(item.payload.encode()).enrollment}"
        actions = {leaf.action for leaf in leaves if leaf.subject == subject}
        decided, withdrawn = answers[item.id][0], answers[withdrawal.id][0]
        if "enrollment.approved" in actions:
            assert "decision.withdrawn" not in actions
            codes = ("accepted", "already_decided")
            assert withdrawn.index == decided.index
        else:
            assert "decision.withdrawn" in actions
            codes = ("withdrawn", "withdrawn")
            assert decided.index is None
        assert (decided.code, withdrawn.code) == codes
    house.verify()
