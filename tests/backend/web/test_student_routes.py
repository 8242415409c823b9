"""The student's routes over real HTTP: what works, and what is refused."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from core.domain.enrollment import PaymentMethod
from core.protocol.messages import CardView, LessonPage, Payment, StudentCards, StudentHouse
from tests.backend.web.asking import as_student, problem
from tests.support.live_backend import LiveBackend
from tests.support.live_people import LiveStudent
from tests.support.live_template import PASSWORD


def _cards(http: httpx.Client, student: LiveStudent | None) -> dict[UUID, CardView]:
    headers = student.headers if student else {}
    answer = http.get("/api/student/cards", headers=headers)
    read = StudentCards.model_validate_json(answer.content)
    assert (read.student.id if read.student else None) == (student.id if student else None)
    return {card.course: card for card in read.cards}


def _enroll(http: httpx.Client, student: LiveStudent, course: UUID, key: str) -> httpx.Response:
    body = {"course": str(course), "method": "eft"}
    return http.post("/api/student/enroll", json=body, headers=as_student(student, key))


@pytest.mark.req("1.1", "6.1")
def test_a_visitor_is_asked_to_register(live_backend: LiveBackend, http: httpx.Client) -> None:
    cards = _cards(http, None)
    assert {course.id for course in live_backend.courses} == set(cards)
    assert {(card.label, card.action) for card in cards.values()} == {
        ("Register To Enroll", "sign_up")
    }


def test_anybody_may_ask_what_can_be_paid_with(http: httpx.Client) -> None:
    read = StudentHouse.model_validate_json(http.get("/api/student/house").content)
    assert read == StudentHouse(demo=False, methods=(PaymentMethod.EFT,), simulated=False)


@pytest.mark.req("1.2", "6.2")
def test_a_student_signs_up_and_sees_enroll_now(http: httpx.Client) -> None:
    body = {"name": "Sipho", "email": "sipho@mail.example", "password": PASSWORD}
    answer = http.post("/api/student/sign-up", json=body)
    assert answer.status_code == 200, answer.text
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie  # plain http, on loopback only
    read = StudentCards.model_validate_json(http.get("/api/student/cards").content)
    assert read.student is not None
    assert read.student.name == "Sipho"
    assert {card.label for card in read.cards} == {"Enroll Now"}


def test_one_account_per_email(http: httpx.Client) -> None:
    body = {"name": "Sipho", "email": "sipho@mail.example", "password": PASSWORD}
    assert http.post("/api/student/sign-up", json=body).status_code == 200
    problem(http.post("/api/student/sign-up", json=body | {"email": "SIPHO@mail.example"}), 409)


def test_sign_in_and_sign_out(live_backend: LiveBackend, http: httpx.Client) -> None:
    student = live_backend.student()
    body = {"email": student.email, "password": PASSWORD}
    assert http.post("/api/student/sign-in", json=body).status_code == 200
    cookie = f"bursar_session={http.cookies['bursar_session']}"
    assert http.post("/api/student/sign-out").status_code == 204
    assert not dict(http.cookies)
    read = http.get("/api/student/cards", headers={"Cookie": cookie})
    assert StudentCards.model_validate_json(read.content).student is None


def test_a_wrong_password_is_refused(live_backend: LiveBackend, http: httpx.Client) -> None:
    body = {"email": live_backend.student().email, "password": "wrong password"}
    problem(http.post("/api/student/sign-in", json=body), 401, "sign-in-refused")


def test_enroll_now_gives_the_bank_details_and_one_pending_enrollment(
    live_backend: LiveBackend, http: httpx.Client
) -> None:
    student, course = live_backend.student(), live_backend.courses[0]
    answer = _enroll(http, student, course.id, "the-same-key")
    payment = Payment.model_validate_json(answer.content)
    assert payment.bank is not None
    assert payment.bank.amount_cents == course.price_cents
    assert payment.bank.reference
    assert "<svg" in payment.bank.qr_svg
    assert payment.card.action == "pay"

    again = Payment.model_validate_json(_enroll(http, student, course.id, "the-same-key").content)
    looked_up = Payment.model_validate_json(
        http.get(f"/api/student/payment/{course.id}", headers=student.headers).content
    )
    assert again == payment == looked_up
    assert payment.card.enrollment is not None
    assert live_backend.row(payment.card.enrollment).status == "pending"


@pytest.mark.req("2.3", "2.4", "6.3")
def test_an_eft_waits_for_an_officer(live_backend: LiveBackend, http: httpx.Client) -> None:
    student, course = live_backend.student(), live_backend.courses[0]
    _enroll(http, student, course.id, "enrolling")
    body = {"course": str(course.id)}
    answers = [
        http.post("/api/student/eft", json=body, headers=as_student(student, "i-have-paid"))
        for _ in range(2)
    ]
    first, again = (CardView.model_validate_json(answer.content) for answer in answers)
    assert first == again == _cards(http, student)[course.id]
    assert (first.label, first.enabled) == ("Pending Approval", False)
    rows = live_backend.pending().rows
    assert [(row.enrollment, row.status) for row in rows] == [(first.enrollment, "pending")]


@pytest.mark.req("3.4")
def test_lessons_are_refused_until_the_enrollment_is_approved(
    live_backend: LiveBackend, http: httpx.Client
) -> None:
    claim = live_backend.claim()
    path, headers = f"/api/student/lessons/{claim.course}", claim.student.headers
    problem(http.get(path, headers=headers), 403)

    live_backend.approve(live_backend.device(), claim.enrollment)
    page = LessonPage.model_validate_json(http.get(path, headers=headers).content)
    assert page.course == claim.course
    assert page.lessons

    stranger = live_backend.student()
    problem(http.get(path, headers=stranger.headers), 403)


def test_another_students_enrollment_is_not_theirs_to_see(
    live_backend: LiveBackend, http: httpx.Client
) -> None:
    claim, stranger = live_backend.claim(), live_backend.student()
    answer = http.get(f"/api/student/payment/{claim.course}", headers=stranger.headers)
    assert answer.status_code in (404, 409)
    problem(answer, answer.status_code)
    assert _cards(http, stranger)[claim.course].label == "Enroll Now"


@pytest.mark.parametrize("key", [None, "short", "x" * 101, "with a\ttab"])
def test_a_write_needs_a_key_of_its_own(
    live_backend: LiveBackend, http: httpx.Client, key: str | None
) -> None:
    student = live_backend.student()
    headers = student.headers | ({"Idempotency-Key": key} if key else {})
    body = {"course": str(live_backend.courses[0].id), "method": "eft"}
    read = problem(http.post("/api/student/enroll", json=body, headers=headers), 422, "invalid")
    assert "Idempotency-Key" in read.detail
    assert not live_backend.pending().rows


def test_one_key_is_not_good_for_two_requests(
    live_backend: LiveBackend, http: httpx.Client
) -> None:
    student = live_backend.student()
    first, second, _ = live_backend.courses
    assert _enroll(http, student, first.id, "one-key-for-all").status_code == 200
    problem(_enroll(http, student, second.id, "one-key-for-all"), 409)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"course": "not an id", "method": "eft"}, 422),
        ({"course": 7, "method": "eft"}, 422),
        ({"course": str(uuid4()), "method": "eft"}, 404),
        ({"course": str(uuid4()), "method": "gold"}, 422),
        ({"course": str(uuid4()), "method": "eft", "price_cents": 1}, 422),
    ],
)
def test_enrolling_with_a_wrong_body(
    live_backend: LiveBackend, http: httpx.Client, body: dict[str, Any], status: int
) -> None:
    headers = as_student(live_backend.student(), "a-good-key")
    problem(http.post("/api/student/enroll", json=body, headers=headers), status)


@pytest.mark.parametrize("method", ["card", "manual"])
def test_a_method_that_is_not_offered(
    live_backend: LiveBackend, http: httpx.Client, method: str
) -> None:
    body = {"course": str(live_backend.courses[0].id), "method": method}
    headers = as_student(live_backend.student(), "a-good-key")
    answer = http.post("/api/student/enroll", json=body, headers=headers)
    assert answer.status_code in (403, 409, 422)
    problem(answer, answer.status_code)


def test_eft_without_an_enrollment(live_backend: LiveBackend, http: httpx.Client) -> None:
    body = {"course": str(live_backend.courses[0].id)}
    headers = as_student(live_backend.student(), "a-good-key")
    answer = http.post("/api/student/eft", json=body, headers=headers)
    assert answer.status_code in (404, 409)
    problem(answer, answer.status_code)


def test_a_page_of_another_site_cannot_write(live_backend: LiveBackend, http: httpx.Client) -> None:
    student, course = live_backend.student(), live_backend.courses[0]
    for origin in ("https://evil.example", "null", live_backend.url + "9"):
        headers = as_student(student, "a-good-key") | {"Origin": origin}
        body = {"course": str(course.id), "method": "eft"}
        problem(http.post("/api/student/enroll", json=body, headers=headers), 403, "wrong-origin")
    assert _cards(http, student)[course.id].label == "Enroll Now"
    assert _cards(http, student)[course.id].version == 0


def test_a_cookie_of_another_time_is_not_a_session(http: httpx.Client) -> None:
    for cookie in ("x" * 40, "x" * 5000, '"', "%00"):
        headers = {"Cookie": f"bursar_session={cookie}"}
        answer = http.get(f"/api/student/lessons/{uuid4()}", headers=headers)
        problem(answer, 401, "sign-in-needed")
