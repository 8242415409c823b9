"""Card payments over real HTTP and a real websocket: the student's way, and what staff see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7
from websockets.asyncio.client import ClientConnection

from core.domain.decisions import ReasonCode, Verdict
from core.domain.failures import FailureClass
from core.domain.roles import Role
from core.protocol.messages import (
    CardAsked,
    CardAttemptPage,
    CardView,
    LateMoneyPage,
    LateMoneyRow,
    Payment,
    RefundPage,
    RefundRow,
    StudentCard,
    StudentCards,
)
from tests.backend.web.asking import as_student, bearer, live_student, problem
from tests.support.card_provider import ScriptedProvider
from tests.support.live_backend import LiveBackend, http_client
from tests.support.live_people import LiveStudent
from tests.support.live_template import Template
from tests.support.watch import ExpectedLogs


class Counter:
    """A backend that takes cards, and somebody in front of it."""

    def __init__(
        self, backend: LiveBackend, provider: ScriptedProvider, http: httpx.Client
    ) -> None:
        self.backend = backend
        self.provider = provider
        self.http = http
        self.course = str(backend.courses[0].id)

    def write(self, student: LiveStudent, path: str, **body: str) -> httpx.Response:
        headers = as_student(student, str(uuid7()))
        sent = {"course": self.course, **body}
        return self.http.post(f"/api/student/{path}", json=sent, headers=headers)

    def enroll(self, student: LiveStudent) -> Payment:
        answer = self.write(student, "enroll", method="card")
        assert answer.status_code == 200, answer.text
        return Payment.model_validate_json(answer.content)

    def card(self, student: LiveStudent) -> CardView:
        answer = self.http.get("/api/student/cards", headers=student.headers)
        return StudentCards.model_validate_json(answer.content).cards[0]

    def called_back(self, failure: FailureClass | None = None) -> None:
        """As the webhooks will: about the newest link."""
        newest = self.provider.requests[-1].external_id
        services = self.backend.services
        self.backend.run(services.confirmations.confirm(attempt=UUID(newest), failure=failure))

    def staff(self, role: Role = Role.OFFICER) -> dict[str, str]:
        return {**bearer(self.backend.staff(role)), "Idempotency-Key": str(uuid7())}


@pytest.fixture
def counter(sqlite_template: Template, tmp_path: Path) -> Iterator[Counter]:
    provider = ScriptedProvider()
    backend = LiveBackend(sqlite_template, tmp_path / "backend", card_provider=provider)
    try:
        with http_client(backend.url) as http:
            yield Counter(backend, provider, http)
    finally:
        backend.close()


@pytest.mark.req("2.1", "2.2", "3.1", "7.1", "7.3", "7.4")
async def test_a_card_fails_and_then_goes_through_before_the_students_eyes(
    counter: Counter,
) -> None:
    backend, student = counter.backend, counter.backend.student()
    async with live_student(backend, student) as socket:
        StudentCards.model_validate_json(await socket.recv())
        payment = await asyncio.to_thread(counter.enroll, student)
        assert "being processed" in (await _card(socket, "processing")).message
        assert payment.card_payment is not None
        assert payment.card_payment.url == "https://pay.example/1"

        await asyncio.to_thread(counter.called_back, FailureClass.EXPIRED_CARD)
        failed = await _card(socket, "failed")
        assert "The card has expired" in failed.message
        assert (failed.action, failed.enabled) == ("pay", True)
        again = await asyncio.to_thread(counter.write, student, "card")
        second = Payment.model_validate_json(again.content)
        assert second.card.enrollment == payment.card.enrollment
        assert second.card_payment is not None
        assert second.card_payment.url == "https://pay.example/2"
        await _card(socket, "processing")

        counter.provider.pay()
        await asyncio.to_thread(counter.write, student, "card/check")
        assert (await _card(socket, "completed")).label == "Continue Course"
    lessons = counter.http.get(f"/api/student/lessons/{counter.course}", headers=student.headers)
    assert lessons.status_code == 200


async def _card(socket: ClientConnection, payment: str) -> CardView:
    """The next card whose payment stands like this; what was quickly over may not be told."""
    while True:
        card = StudentCard.model_validate_json(await socket.recv()).card
        if card.payment == payment:
            return card


def test_three_failures_and_then_a_person(counter: Counter) -> None:
    student = counter.backend.student()
    counter.enroll(student)
    problem(counter.write(student, "manual"), 409, "too-few-failures")
    for tried in range(3):
        counter.called_back(FailureClass.DECLINED)
        if tried < 2:
            assert counter.write(student, "card").status_code == 200
    assert counter.card(student).can_ask
    asked = CardView.model_validate_json(counter.write(student, "manual").content)
    assert asked.label == "Pending Approval"
    (row,) = counter.backend.pending().rows
    assert row.claim is not None
    assert row.claim.method == "manual"
    path = f"/api/payments/enrollments/{row.enrollment}"
    page = CardAttemptPage.model_validate_json(
        counter.http.get(path, headers=counter.staff()).content
    )
    assert [(r.failure, r.failure_message) for r in page.rows] == [
        (FailureClass.DECLINED, "Your bank declined the card payment.")
    ] * 3


def test_staff_see_every_link_and_ask_the_provider(counter: Counter) -> None:
    students = [counter.backend.student() for _ in range(3)]
    for student in students:
        counter.enroll(student)
    headers = counter.staff(Role.ADMINISTRATOR)
    first = CardAttemptPage.model_validate_json(
        counter.http.get("/api/payments?limit=2", headers=headers).content
    )
    rest = CardAttemptPage.model_validate_json(
        counter.http.get(f"/api/payments?limit=2&after={first.next_after}", headers=headers).content
    )
    assert [r.link_id for r in (*first.rows, *rest.rows)] == ["link3", "link2", "link1"]
    assert rest.next_after is None
    newest = first.rows[0]
    assert (newest.student_name, newest.link_state) == (students[2].name, "open")

    ask = f"/api/payments/attempts/{newest.attempt}/ask"
    asked = CardAsked.model_validate_json(counter.http.post(ask, headers=headers).content)
    assert (asked.answer, asked.row.word) == ("not_paid", "UNPAID")
    counter.provider.pay()
    asked = CardAsked.model_validate_json(counter.http.post(ask, headers=headers).content)
    assert (asked.answer, asked.row.link_state) == ("approved", "paid")
    assert counter.card(students[2]).label == "Continue Course"
    unknown = f"/api/payments/attempts/{uuid7()}/ask"
    problem(counter.http.post(unknown, headers=headers), 404, "unknown-attempt")
    nowhere = f"/api/payments/enrollments/{uuid7()}"
    problem(counter.http.get(nowhere, headers=headers), 404, "unknown-enrollment")


def test_late_money_is_settled_by_who_may(counter: Counter, expected_logs: ExpectedLogs) -> None:
    counter.enroll(counter.backend.student())
    counter.provider.pay()
    counter.provider.lies = lambda status: replace(status, amount_cents=1)
    with expected_logs("another amount"):
        counter.called_back()
    listed = counter.http.get("/api/payments/late-money?open_only=true", headers=counter.staff())
    (row,) = LateMoneyPage.model_validate_json(listed.content).rows
    path = f"/api/payments/late-money/{row.id}/settle"
    body = {"how": "refunded", "words": "Sent back on Monday."}
    administrator = counter.staff(Role.ADMINISTRATOR)
    problem(counter.http.post(path, json=body, headers=administrator), 403, "wrong-role")
    settled = counter.http.post(path, json=body, headers=counter.staff())
    assert LateMoneyRow.model_validate_json(settled.content).words == "Sent back on Monday."
    problem(counter.http.post(path, json=body, headers=counter.staff()), 409, "already-settled")
    problem(
        counter.http.post(
            f"/api/payments/late-money/{uuid7()}/settle", json=body, headers=counter.staff()
        ),
        404,
        "unknown-late-money",
    )


def test_a_refund_is_followed_to_its_end(counter: Counter) -> None:
    payment = counter.enroll(counter.backend.student())
    counter.provider.pay()
    counter.called_back()
    assert payment.card.enrollment is not None
    device = counter.backend.device(Role.SUPERVISOR)
    decision = counter.backend.decision(
        device, payment.card.enrollment, Verdict.REVERSE_APPROVAL, reason=ReasonCode.MISTAKE
    )
    assert counter.backend.decide(device, decision)[0].kind == "accepted"
    listed = counter.http.get("/api/payments/refunds", headers=counter.staff())
    (row,) = RefundPage.model_validate_json(listed.content).rows
    assert (row.state, row.cents) == ("due", counter.backend.courses[0].price_cents)
    path = f"/api/payments/refunds/{row.attempt}"
    problem(counter.http.post(f"{path}/done", headers=counter.staff()), 409, "wrong-state")
    for step in ("sent", "done"):
        moved = counter.http.post(f"{path}/{step}", headers=counter.staff())
        assert RefundRow.model_validate_json(moved.content).state == step


def test_a_school_without_cards_says_so(live_backend: LiveBackend) -> None:
    student = live_backend.student()
    with http_client(live_backend.url) as http:
        for path, body in (("enroll", {"method": "card"}), ("card", {})):
            sent = {"course": str(live_backend.courses[0].id), **body}
            headers = as_student(student, str(uuid7()))
            answer = http.post(f"/api/student/{path}", json=sent, headers=headers)
            problem(answer, 422, "method-unavailable")
