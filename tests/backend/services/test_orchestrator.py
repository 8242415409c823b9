"""A student's way: enroll once, learn how to pay, say "I have paid", be let in."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import cycle
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from uuid_utils.compat import uuid7

from core.backend.services.errors import (
    ConflictError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
)
from core.backend.services.identities import StudentIdentity
from core.domain.enrollment import EnrollmentStatus, PaymentMethod
from core.domain.references import ALPHABET, is_valid
from core.protocol.messages import CardView, Payment
from tests.support.live_template import Template
from tests.support.workspace import House, open_house

pytestmark = pytest.mark.both_engines

EFT = PaymentMethod.EFT


async def _enroll(house: House, student: StudentIdentity, key: str = "enroll-key") -> Payment:
    course = house.courses[0].id
    return await house.services.orchestrator.enroll(student, course, EFT, key=key)


async def _card(house: House, student: StudentIdentity | None) -> CardView:
    return (await house.services.orchestrator.cards(student)).cards[0]


@pytest.mark.req("1.4")
async def test_starting_a_payment_makes_one_pending_enrollment(house: House) -> None:
    student = await house.student()
    payment = await _enroll(house, student)
    assert payment.card.enrollment is not None
    row = await house.row(payment.card.enrollment)
    assert (row.status, row.version, row.waiting) == (EnrollmentStatus.PENDING, 1, False)
    assert (row.amount_cents, row.method) == (house.courses[0].price_cents, EFT)
    others = await asyncio.gather(
        *(_enroll(house, student, key=f"another-tab-{i}") for i in range(5)),
        *(_enroll(house, student) for _ in range(5)),
    )
    assert {other.card.enrollment for other in others} == {payment.card.enrollment}
    assert payment.bank is not None
    assert {other.bank for other in others} == {payment.bank}
    enrolled = [leaf for leaf in house.leaves() if leaf.action == "enrollment.enrolled"]
    assert len(enrolled) == 1


async def test_the_bank_details_carry_the_reference_and_its_picture(house: House) -> None:
    payment = await _enroll(house, await house.student())
    bank = payment.bank
    assert bank is not None
    assert (bank.bank, bank.account_number) == ("Test Bank", "62000000001")
    assert bank.amount_cents == house.courses[0].price_cents
    assert is_valid(bank.reference)
    assert len(bank.reference) == 9  # two groups of four, and a hyphen
    svg = ET.fromstring(bank.qr_svg)  # noqa: S314 - our own picture
    assert svg.tag.endswith("svg")
    assert "style=" not in bank.qr_svg  # the page's policy forbids inline style


@pytest.mark.req("2.3", "2.4")
async def test_an_eft_leaves_the_enrollment_waiting_for_an_officer(house: House) -> None:
    student = await house.student()
    await _enroll(house, student)
    course = house.courses[0].id
    card = await house.services.orchestrator.submit_eft(student, course, key="paid-key")
    assert (card.label, card.enabled) == ("Pending Approval", False)
    page = await house.services.approval.pending(after=None, limit=10)
    assert [row.enrollment for row in page.rows] == [card.enrollment]
    assert page.rows[0].status is EnrollmentStatus.PENDING
    again = await house.services.orchestrator.submit_eft(student, course, key="another-tab")
    assert again == card
    with pytest.raises(NotAllowedError):
        await house.services.access.lessons(student, course)


async def test_cards_follow_the_student(house: House) -> None:
    student = await house.student()
    assert (await _card(house, None)).label == "Register To Enroll"
    assert ((await _card(house, student)).label, (await _card(house, student)).version) == (
        "Enroll Now", 0,
    )  # fmt: skip
    await _enroll(house, student)
    assert (await _card(house, student)).action == "pay"
    enrollment = await house.claim(student)
    officer = await house.officer()
    await house.decide(officer, officer.sign(await house.row(enrollment)))
    card = await _card(house, student)
    assert (card.label, card.action, card.version) == ("Continue Course", "continue", 3)
    with pytest.raises(ConflictError, match="approved"):
        await house.services.orchestrator.payment(student, house.courses[0].id)
    with pytest.raises(ConflictError, match="approved"):
        await _enroll(house, student, key="once more")


@pytest.mark.req("3.4")
async def test_lessons_are_for_whoever_was_approved(house: House) -> None:
    approved, waiting, stranger = [await house.student() for _ in range(3)]
    enrollment = await house.claim(approved)
    await house.claim(waiting)
    officer = await house.officer()
    await house.decide(officer, officer.sign(await house.row(enrollment)))
    course = house.courses[0].id
    page = await house.services.access.lessons(approved, course)
    assert page.lessons[0].body == "Welcome to Bookkeeping Basics."
    for other in (waiting, stranger):
        with pytest.raises(NotAllowedError):
            await house.services.access.lessons(other, course)
    with pytest.raises(NotAllowedError):
        await house.services.access.lessons(approved, house.courses[1].id)
    with pytest.raises(NotFoundError):
        await house.services.access.lessons(approved, uuid7())


async def test_what_is_not_offered_or_not_there_is_refused(house: House) -> None:
    student = await house.student()
    orchestrator, course = house.services.orchestrator, house.courses[0].id
    for method in (PaymentMethod.CARD, PaymentMethod.MANUAL):
        with pytest.raises(InvalidError, match="not offered"):
            await orchestrator.enroll(student, course, method, key="enroll-key")
    with pytest.raises(NotFoundError):
        await orchestrator.enroll(student, uuid7(), EFT, key="enroll-key")
    for ask in (
        orchestrator.submit_eft(student, course, key="paid-key"),
        orchestrator.payment(student, course),
    ):
        with pytest.raises(NotFoundError, match="enroll first"):
            await ask


async def test_one_key_is_for_one_request(house: House) -> None:
    student = await house.student()
    await _enroll(house, student, key="the-key")
    with pytest.raises(ConflictError, match="key"):
        await house.services.orchestrator.enroll(student, house.courses[1].id, EFT, key="the-key")


async def test_without_bank_details_nobody_is_told_where_to_pay(house: House) -> None:
    await house.services.workspace.set(
        name="Test", demo=False, threshold_cents=None,
        bank="", account_name="", account_number="", branch_code="",
    )  # fmt: skip
    with pytest.raises(ConflictError, match="bank details"):
        await _enroll(house, await house.student())


async def test_references_use_every_character_evenly(
    live_template: Template, tmp_path: Path
) -> None:
    """All 256 values of a byte, once each: those that would favour a character are thrown away."""
    every = cycle(range(256))
    async with open_house(
        live_template, tmp_path / "h", random_bytes=lambda n: bytes(next(every) for _ in range(n))
    ) as house:
        pick = house.services.orchestrator._pick
        fair = 256 - 256 % len(ALPHABET)
        counts = Counter(pick(len(ALPHABET)) for _ in range(fair))
    assert set(counts.values()) == {fair // len(ALPHABET)}
