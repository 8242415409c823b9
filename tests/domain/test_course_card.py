"""What the card says, as a table of labels written from the requirements."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from core.domain.course_card import CardAction, course_card
from core.domain.enrollment import AttemptStatus, Enrollment, EnrollmentStatus
from core.domain.failures import FailureClass, explain
from tests.domain.build import CASES, MANAGER, attempt, claim, enrollment


def card(current: Enrollment | None) -> tuple[str, str, bool]:
    shown = course_card(logged_in=True, enrollment=current)
    return shown.label.value, shown.action.value, shown.enabled


@pytest.mark.req("1.1", "6.1")
@pytest.mark.parametrize("current", [None, *(enrollment(status) for status in EnrollmentStatus)])
def test_a_visitor_is_asked_to_register(current: Enrollment | None) -> None:
    shown = course_card(logged_in=False, enrollment=current)
    assert shown.label.value == "Register To Enroll"
    assert shown.action is CardAction.SIGN_UP
    assert shown.enabled


@pytest.mark.req("1.2", "6.2")
def test_a_student_without_an_enrollment_may_enroll() -> None:
    assert card(None) == ("Enroll Now", "enroll", True)


@pytest.mark.req("2.4", "6.3")
def test_after_an_eft_submission_the_card_waits() -> None:
    submitted = MANAGER.apply(enrollment(), CASES["submit EFT"].event).after
    assert card(submitted) == ("Pending Approval", "wait", False)


@pytest.mark.req("2.2")
def test_after_a_confirmed_card_payment_the_course_goes_on() -> None:
    paid = MANAGER.apply(CASES["card confirmed"].current, CASES["card confirmed"].event).after
    assert card(paid) == ("Continue Course", "continue", True)


@pytest.mark.req("6.4")
@pytest.mark.parametrize("status", [EnrollmentStatus.APPROVED, EnrollmentStatus.COMPLETED])
def test_with_access_the_card_leads_to_the_lessons(status: EnrollmentStatus) -> None:
    assert card(enrollment(status)) == ("Continue Course", "continue", True)


FAILED = attempt(AttemptStatus.FAILED, id=UUID(int=1))


@pytest.mark.parametrize(
    ("current", "expected", "words"),
    [
        (enrollment(), ("Enroll Now", "pay", True), "Pay to finish"),
        (enrollment(attempts=(attempt(),)), ("Enroll Now", "pay", True), "being processed"),
        (enrollment(attempts=(FAILED,)), ("Enroll Now", "pay", True), "try again"),
        (enrollment(attempts=(FAILED, attempt())), ("Enroll Now", "pay", True), "processed"),
        (
            enrollment(claim=claim(), attempts=(FAILED, attempt())),
            ("Pending Approval", "wait", False),
            "checking your payment",
        ),
        (enrollment(EnrollmentStatus.REJECTED), ("Enroll Now", "enroll", True), "not approved"),
        (enrollment(EnrollmentStatus.EXPIRED), ("Enroll Now", "enroll", True), "ended"),
        (enrollment(EnrollmentStatus.REVOKED), ("Enroll Now", "wait", False), "withdrawn"),
    ],
    ids=[
        "reserved", "link open", "card failed", "trying again", "claim and link", "rejected",
        "expired", "revoked",
    ],
)  # fmt: skip
def test_the_rest_of_the_card(
    current: Enrollment, expected: tuple[str, str, bool], words: str
) -> None:
    assert card(current) == expected
    assert words in course_card(logged_in=True, enrollment=current).message


@pytest.mark.parametrize("status", EnrollmentStatus)
@pytest.mark.parametrize("has_claim", [True, False])
@pytest.mark.parametrize("attempts", [(), (attempt(),), (FAILED,)], ids=["none", "open", "failed"])
def test_every_state_has_a_card(
    status: EnrollmentStatus, has_claim: bool, attempts: tuple[object, ...]
) -> None:
    current = enrollment(
        status,
        claim=claim() if has_claim else None,
        attempts=attempts,  # type: ignore[arg-type]  # pytest's parameters are objects
    )
    label, _, enabled = card(current)
    assert (label == "Continue Course") == current.has_access
    assert enabled or label != "Continue Course"


@pytest.mark.req("7.1")
@pytest.mark.parametrize("failure", FailureClass)
def test_a_failed_card_is_told_in_plain_words_with_what_to_do(failure: FailureClass) -> None:
    failed = replace(FAILED, failure=failure.value)
    shown = course_card(logged_in=True, enrollment=enrollment(attempts=(failed,)))
    assert explain(failure).message in shown.message
    assert explain(failure).next_step in shown.message
    assert (shown.action, shown.enabled) == (CardAction.PAY, True)


@pytest.mark.parametrize("code", [None, "", "a reason of a later version"])
def test_a_reason_that_nobody_knows_is_unknown(code: str | None) -> None:
    failed = replace(FAILED, failure=code)
    shown = course_card(logged_in=True, enrollment=enrollment(attempts=(failed,)))
    assert explain(FailureClass.UNKNOWN).message in shown.message


@pytest.mark.parametrize(("failures", "can_ask"), [(2, False), (3, True), (4, True)])
def test_after_three_failures_a_person_may_be_asked(failures: int, can_ask: bool) -> None:
    attempts = tuple(replace(FAILED, id=UUID(int=i)) for i in range(failures))
    assert course_card(logged_in=True, enrollment=enrollment(attempts=attempts)).can_ask is can_ask
    waiting = enrollment(claim=claim(), attempts=attempts)
    assert not course_card(logged_in=True, enrollment=waiting).can_ask
