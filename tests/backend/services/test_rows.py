"""Rows, cards and words: one function each, and the digest that binds a decision to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from core.backend.services.errors import InvalidError, NotFoundError
from core.backend.services.rows import Rows, actor_name, current_facts, pack_person, student_place
from core.backend.services.words import local_time, short_name
from core.backend.storage.queries import Bundle
from core.backend.storage.records import Course, Student
from core.backend.storage.vault import Vault
from core.domain.enrollment import ClaimStatus, Enrollment, EnrollmentStatus, FirstSignature
from core.ledger.commitments import commit
from core.protocol.signing import seen_digest, seen_facts, student_commitment
from tests.support.factories import NOON, make_claim, make_enrollment
from tests.support.workspace import House

pytestmark = pytest.mark.both_engines

NAMES = {UUID(int=7): "Thandi Mokoena"}
VAULT = Vault(
    keys={"k": b"k" * 32}, current="k", index_key=b"i" * 32, random_bytes=lambda n: b"n" * n
)


def _bundle(enrollment: Enrollment, name: str = "Lerato", email: str = "l@mail.example") -> Bundle:
    salt = b"s" * 16
    sealed = VAULT.seal(pack_person(name, email), place=student_place(enrollment.student))
    commitment = commit(salt, f"{name}\n{email}")
    student = Student(enrollment.student, b"", sealed, salt, commitment, "", NOON)
    course = Course(enrollment.course, "Costing", "A course.", 125_000, salt, ())
    return Bundle(enrollment, student, course, NAMES)


@st.composite
def enrollments(draw: st.DrawFn) -> Enrollment:
    """Enrollments with and without claim, waiting or not, signed or not, signed at any version."""
    version = draw(st.integers(1, 5))
    signed = draw(st.none() | st.integers(1, 5))
    claim = make_claim(
        status=draw(st.sampled_from(ClaimStatus)),
        amount_cents=draw(st.integers(0, 10**9)),
        proof=draw(st.none() | st.just("ab" * 32)),
        first_signature=None if signed is None else FirstSignature(UUID(int=7), NOON, signed),
    )
    return make_enrollment(
        student=uuid7(),
        course=uuid7(),
        version=version,
        status=draw(st.sampled_from(EnrollmentStatus)),
        amount_cents=draw(st.integers(0, 10**9)),
        method=draw(st.none() | st.just(claim.method)),
        claim=draw(st.none() | st.just(claim)),
    )


@given(enrollments(), st.sampled_from(["Lerato Khumalo", "Zoë Ñandú", "李"]))
def test_console_and_writer_compute_one_digest(enrollment: Enrollment, name: str) -> None:
    bundle = _bundle(enrollment, name)
    row = Rows(VAULT).enrollment_row(bundle)
    assert student_commitment(row.student) == bundle.student.commitment
    assert seen_facts(row) == current_facts(enrollment, bundle.student.commitment)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2}, {"amount_cents": 1}, {"reference": "AAAAAAAA"}, {"method": None},
        {"claim": None}, {"claim": make_claim(amount_cents=2)},
        {"claim": make_claim(proof="ab" * 32)},
        {"claim": make_claim(first_signature=FirstSignature(UUID(int=7), NOON, 1))},
    ],
    ids=",".join,
)  # fmt: skip
def test_whatever_is_shown_is_in_the_digest(changes: dict[str, object]) -> None:
    before = make_enrollment(student=uuid7(), course=uuid7(), claim=make_claim())
    after = replace(before, **changes)  # type: ignore[arg-type]  # fields of an Enrollment
    digest = seen_digest(current_facts(before, "c"))
    assert seen_digest(current_facts(after, "c")) != digest
    assert seen_digest(current_facts(before, "other")) != digest


def test_a_signature_is_shown_while_it_holds() -> None:
    first = FirstSignature(UUID(int=7), NOON, 3)
    enrollment = make_enrollment(
        student=uuid7(), course=uuid7(), version=3, claim=make_claim(first_signature=first)
    )
    claim = Rows(VAULT).enrollment_row(_bundle(enrollment)).claim
    assert claim is not None
    assert claim.first_signature is not None
    assert claim.first_signature.officer_name == "Thandi Mokoena"
    fallen = Rows(VAULT).enrollment_row(_bundle(replace(enrollment, version=4))).claim
    assert fallen is not None
    assert fallen.first_signature is None


def test_actors_in_plain_words() -> None:
    assert actor_name(f"user:{UUID(int=7)}", NAMES, "Lerato") == "Thandi Mokoena"
    assert actor_name(f"user:{UUID(int=8)}", NAMES, "Lerato") == "Somebody"
    assert actor_name(f"student:{UUID(int=7)}", NAMES, "Lerato") == "Lerato"
    assert actor_name("gateway", NAMES, "Lerato") == "Card provider"
    assert actor_name("system", NAMES, "Lerato") == "System"


def test_short_names() -> None:
    assert short_name("Thandi Mokoena") == "T. Mokoena"
    assert short_name("Pieter van Wyk") == "P. Wyk"
    assert short_name(" Cher ") == "Cher"


def test_times_are_told_in_johannesburg() -> None:
    at = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
    assert local_time(at, at + timedelta(minutes=5)) == "at 00:30"
    assert local_time(at, at - timedelta(hours=1)) == "on 2026-03-03 at 00:30"


async def test_the_pending_list_comes_in_pages_in_order(house: House) -> None:
    waiting = [await house.claim() for _ in range(7)]
    found: list[UUID] = []
    after: str | None = None
    pages = 0
    while pages == 0 or after is not None:
        page = await house.services.approval.pending(after=after, limit=3)
        found += [row.enrollment for row in page.rows]
        after, pages = page.next_after, pages + 1
    assert found == waiting
    assert pages == 3


@pytest.mark.parametrize("cursor", ["", "x", "1", "1.z", f"{10**17}.{UUID(int=7).hex}", "9" * 40])
async def test_a_cursor_that_is_none_is_refused(house: House, cursor: str) -> None:
    with pytest.raises(InvalidError):
        await house.services.approval.pending(after=cursor, limit=3)


async def test_details_tell_the_whole_story(house: House) -> None:
    enrollment = await house.claim(await house.student("Lerato Khumalo"))
    officer = await house.officer()
    await house.decide(officer, officer.sign(await house.row(enrollment)))
    detail = await house.services.approval.detail(enrollment)
    assert [entry.actor_name for entry in detail.timeline] == [
        "Lerato Khumalo", "Lerato Khumalo", "Thandi Mokoena",
    ]  # fmt: skip
    assert detail.card.label == "Continue Course"
    assert detail.row.student.email == "student1@mail.example"
    with pytest.raises(NotFoundError):
        await house.services.approval.detail(uuid7())
