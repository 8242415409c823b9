"""Officers' decisions: applied once, bound to what was seen, refused with the way out."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select
from uuid_utils.compat import uuid7

from core.backend.services.commands import SubmitEftCommand
from core.backend.services.errors import NotAllowedError
from core.backend.storage.errors import UnknownOutcomeError
from core.backend.storage.tables import access_grants, claims
from core.domain.decisions import ReasonCode, Verdict
from core.domain.enrollment import EnrollmentStatus
from core.domain.roles import Role
from core.protocol.messages import AnswerKind, Note
from core.protocol.signing import read_decision
from tests.support.waiting import until
from tests.support.workspace import House, altered, enroll_command, held

pytestmark = pytest.mark.both_engines

KIND = AnswerKind
CHANGED = "conflict_changed"
_NOTE = Note(text="not what was signed", salt="00" * 16)


def _open_grants(house: House, enrollment: UUID) -> int:
    query = (
        select(func.count())
        .select_from(access_grants)
        .where(access_grants.c.enrollment == enrollment, access_grants.c.withdrawn_at.is_(None))
    )
    return house.services.reader.run_now(lambda c: c.execute(query).scalar_one())


async def _waiting_ids(house: House) -> list[UUID]:
    page = await house.services.approval.pending(after=None, limit=500)
    return [row.enrollment for row in page.rows]


@pytest.mark.req("4.2", "4.4")
async def test_an_approval_grants_access_in_the_transaction_that_decides(house: House) -> None:
    student = await house.student()
    enrollment = await house.claim(student)
    officer = await house.officer()
    course = house.courses[0].id
    with pytest.raises(NotAllowedError, match="approved"):
        await house.services.access.lessons(student, course)
    assert await _waiting_ids(house) == [enrollment]
    before = house.size()
    (answer,) = await house.decide(officer, officer.sign(await house.row(enrollment)))
    assert (answer.kind, answer.code, answer.index) == (KIND.ACCEPTED, "accepted", before)
    assert answer.row is not None
    assert answer.row.status is EnrollmentStatus.APPROVED
    assert answer.row.status_by_name == "Thandi Mokoena"
    assert house.size() == before + 1  # one entry, one commit: grant and approval stand together
    assert await _waiting_ids(house) == []
    lessons = await house.services.access.lessons(student, course)
    assert lessons.lessons[0].title == "Welcome"
    assert house.verify().decisions_verified == 1


@pytest.mark.req("4.2")
async def test_an_approval_that_cannot_be_written_grants_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    item = officer.sign(await house.row(enrollment))

    def fail(*_: object) -> None:
        raise UnknownOutcomeError("the disk is full")

    monkeypatch.setattr("core.backend.storage.batch.append_entries", fail)
    (answer,) = await house.decide(officer, item)
    monkeypatch.undo()
    assert (answer.kind, answer.code) == (KIND.TRANSIENT, "unknown")
    assert _open_grants(house, enrollment) == 0
    assert (await house.row(enrollment)).status is EnrollmentStatus.PENDING
    (again,) = await house.decide(officer, item)
    assert again.kind is KIND.ACCEPTED
    assert _open_grants(house, enrollment) == 1


async def test_a_rejection_needs_a_reason_and_keeps_the_words_sealed(house: House) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    row = await house.row(enrollment)
    bare, reasoned = (
        officer.sign(row, Verdict.REJECT),
        officer.sign(
            row, Verdict.REJECT, reason=ReasonCode.WRONG_AMOUNT, words="R 10 short, called twice"
        ),
    )
    refused, rejected = await house.decide(officer, bare, reasoned)
    assert (refused.kind, refused.code) == (KIND.REFUSED, "reason_needed")
    assert rejected.kind is KIND.ACCEPTED
    leaf = house.leaves()[-1]
    assert leaf.facts["reason_code"] == "wrong_amount"
    assert leaf.facts["reason"] == read_decision(reasoned.payload.encode()).reason_commitment
    assert (await house.row(enrollment)).status is EnrollmentStatus.REJECTED
    assert await _waiting_ids(house) == []


async def test_the_same_words_can_be_signed_twice(house: House) -> None:
    """Decide again with one click: the note and its salt are the same."""
    first, second = await house.claim(), await house.claim()
    officer = await house.officer()
    item = officer.sign(
        await house.row(first), Verdict.REJECT, reason=ReasonCode.OTHER, words="no money came"
    )
    other = officer.sign(await house.row(second), Verdict.REJECT, reason=ReasonCode.OTHER)
    commitment = read_decision(item.payload.encode()).reason_commitment
    same = altered(
        officer, other.model_copy(update={"note": item.note}), reason_commitment=commitment
    )
    together = await house.decide(officer, item, same)
    assert [answer.kind for answer in together] == [KIND.ACCEPTED, KIND.ACCEPTED]
    third = await house.claim()
    last = officer.sign(await house.row(third), Verdict.REJECT, reason=ReasonCode.OTHER)
    later = altered(
        officer, last.model_copy(update={"note": item.note}), reason_commitment=commitment
    )
    assert (await house.decide(officer, later))[0].kind is KIND.ACCEPTED


async def test_the_same_decision_again_gets_the_same_answer(house: House) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    item = officer.sign(await house.row(enrollment))
    (first,) = await house.decide(officer, item)
    size = house.size()
    again, twice = await house.decide(officer, item, item)
    assert (again, twice) == (first, first)
    assert house.size() == size


async def test_other_content_under_one_id_is_an_error(house: House) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    item = officer.sign(await house.row(enrollment))
    await house.decide(officer, item)
    size = house.size()
    (answer,) = await house.decide(officer, altered(officer, item, as_of=1))
    assert (answer.kind, answer.code) == (KIND.REFUSED, "id_reused")
    assert house.size() == size


async def test_the_second_officer_reads_who_was_first(house: House) -> None:
    house.clock.now = datetime(2099, 3, 2, 8, 42, tzinfo=UTC)
    enrollment = await house.claim()
    first, second = await house.officer(), await house.officer(which=1)
    row = await house.row(enrollment)
    seen = house.size() - 1
    await house.decide(first, first.sign(row, as_of=seen))
    house.clock.advance(minutes=5)
    reject = second.sign(row, Verdict.REJECT, reason=ReasonCode.OTHER, as_of=seen)
    (late,) = await house.decide(second, reject)
    assert late.kind is KIND.CONFLICT_DECIDED
    assert late.message == "T. Mokoena approved this at 10:42."
    assert late.row is not None
    assert late.row.status is EnrollmentStatus.APPROVED
    assert late.index is None
    leaf = house.leaves()[-1]
    assert (leaf.action, leaf.before, leaf.after) == ("decision.refused", 3, 3)
    assert leaf.facts["code"] == "conflict_decided"
    house.clock.advance(days=2)
    (later,) = await house.decide(second, second.sign(row, as_of=seen))
    assert later.message == "T. Mokoena approved this on 2099-03-02 at 10:42."


async def test_two_officers_at_once_decide_each_enrollment_once(house: House) -> None:
    enrollments = [await house.claim() for _ in range(12)]
    officers = [await house.officer(), await house.officer(which=1)]
    rows = [await house.row(enrollment) for enrollment in enrollments]
    answers = await asyncio.gather(
        *(house.decide(officer, officer.sign(row)) for row in rows for officer in officers)
    )
    kinds = [answer.kind for (answer,) in answers]
    assert kinds.count(KIND.ACCEPTED) == 12
    late = [answer for (answer,) in answers if answer.kind is KIND.CONFLICT_DECIDED]
    assert len(late) == 12
    names = "|".join(officer.identity.name.split()[-1] for officer in officers)
    who_and_when = re.compile(rf"[A-Z]\. ({names}) approved this at \d\d:\d\d\.")
    assert all(who_and_when.fullmatch(answer.message) for answer in late)
    assert all(answer.row and not answer.row.waiting for answer in late)
    approved = [leaf for leaf in house.leaves() if leaf.action == "enrollment.approved"]
    assert len({leaf.subject for leaf in approved}) == len(approved) == 12
    assert all(_open_grants(house, enrollment) == 1 for enrollment in enrollments)
    assert house.verify().decisions_verified == 24


# --- two signatures ----------------------------------------------------------------------------

BIG = 2  # this course costs more than one officer may approve


async def test_a_large_amount_needs_two_officers(house: House) -> None:
    student = await house.student()
    enrollment = await house.claim(student, BIG)
    first, second = await house.officer(), await house.officer(which=1)
    (signed,) = await house.decide(first, first.sign(await house.row(enrollment)))
    assert (signed.kind, signed.code) == (KIND.ACCEPTED, "first_signature")
    assert "second officer" in signed.message
    row = await house.row(enrollment)
    assert row.waiting
    assert row.claim is not None
    assert row.claim.first_signature is not None
    assert row.claim.first_signature.officer_name == "Thandi Mokoena"
    assert _open_grants(house, enrollment) == 0
    with pytest.raises(NotAllowedError):
        await house.services.access.lessons(student, house.courses[BIG].id)
    (own,) = await house.decide(first, first.sign(row))
    assert (own.kind, own.code) == (KIND.REFUSED, "same_signer")
    (approved,) = await house.decide(second, second.sign(await house.row(enrollment)))
    assert (approved.kind, approved.code) == (KIND.ACCEPTED, "accepted")
    assert _open_grants(house, enrollment) == 1
    actions = [(leaf.action, leaf.facts["signatures"]) for leaf in house.leaves()[-3:]]
    assert actions == [
        ("enrollment.first_signature", 1),
        ("decision.refused", 1),
        ("enrollment.approved", 2),
    ]
    assert house.verify().decisions_verified == 3


async def test_two_officers_at_once_over_the_threshold_do_not_approve_unseen(house: House) -> None:
    """Both saw an unsigned claim: the second must see the first signature before it counts."""
    enrollment = await house.claim(None, BIG)
    first, second = await house.officer(), await house.officer(which=1)
    row = await house.row(enrollment)
    one, two = await asyncio.gather(
        house.decide(first, first.sign(row)), house.decide(second, second.sign(row))
    )
    assert sorted([one[0].code, two[0].code]) == ["conflict_changed", "first_signature"]
    assert _open_grants(house, enrollment) == 0


async def test_a_large_amount_received_needs_two_officers_as_well(house: House) -> None:
    enrollment = await house.claim()
    officer = await house.officer()
    item = officer.sign(await house.row(enrollment))
    large = altered(officer, item, amount_received=9_000_000)
    assert (await house.decide(officer, large))[0].code == "first_signature"
    assert house.leaves()[-1].facts["amount_received"] == 9_000_000


# --- undo --------------------------------------------------------------------------------------


async def test_a_supervisor_reverses_and_access_goes_and_comes(house: House) -> None:
    student = await house.student()
    enrollment = await house.claim(student)
    officer = await house.officer()
    supervisor = await house.officer(Role.SUPERVISOR)
    await house.decide(officer, officer.sign(await house.row(enrollment)))
    (denied,) = await house.decide(
        officer,
        officer.sign(
            await house.row(enrollment), Verdict.REVERSE_APPROVAL, reason=ReasonCode.MISTAKE
        ),
    )
    assert denied.code == "not_allowed"
    (undone,) = await house.decide(
        supervisor,
        supervisor.sign(
            await house.row(enrollment), Verdict.REVERSE_APPROVAL, reason=ReasonCode.MISTAKE
        ),
    )
    assert undone.kind is KIND.ACCEPTED
    assert _open_grants(house, enrollment) == 0
    with pytest.raises(NotAllowedError):
        await house.services.access.lessons(student, house.courses[0].id)
    row = await house.row(enrollment)
    (back,) = await house.decide(supervisor, supervisor.sign(row, Verdict.REINSTATE))
    assert back.kind is KIND.ACCEPTED
    assert _open_grants(house, enrollment) == 1
    house.verify()


async def test_a_long_history_in_one_batch_keeps_every_claim(house: House) -> None:
    """Rejected, enrolled again and paid again in one transaction: both claims are kept."""
    student = await house.student()
    enrollment = await house.claim(student)
    officer = await house.officer()
    row = await house.row(enrollment)
    item = officer.sign(row, Verdict.REJECT, reason=ReasonCode.OTHER)
    writer, course = house.services.writer, house.courses[0].id
    with held(writer):
        deciding = asyncio.create_task(house.decide(officer, item))
        await until(lambda: writer.waiting == 1)
        again = writer.enqueue(enroll_command(student.student, course))
        paid = writer.enqueue(
            SubmitEftCommand(student=student.student, course=course, claim=uuid7(), key="paid")
        )
    assert (await deciding)[0].kind is KIND.ACCEPTED
    assert again.result(10).accepted
    assert paid.result(10).accepted
    row = await house.row(enrollment)
    assert (row.round, row.waiting, row.version) == (2, True, 5)
    query = select(claims.c.round, claims.c.status).order_by(claims.c.round)
    found = house.services.reader.run_now(lambda c: [tuple(r) for r in c.execute(query)])
    assert found == [(1, "closed"), (2, "waiting")]
    house.verify()
