"""Decisions over HTTP: the whole EFT path, and everything that must not decide."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import httpx
import pytest
from uuid_utils.compat import uuid7

from core.domain.decisions import ReasonCode, Verdict
from core.domain.roles import Role
from core.ledger.keys import SigningKey
from core.protocol.messages import DecisionAnswers, SignedDecision
from core.protocol.signing import read_decision
from tests.backend.web.asking import (
    bearer,
    live,
    live_student,
    next_message,
    problem,
    say_hello,
)
from tests.support.live_backend import LiveBackend


@pytest.mark.req("3.1", "4.3")
async def test_approval_turns_the_students_card_without_a_reload(
    live_backend: LiveBackend,
) -> None:
    claim, device = live_backend.claim(), live_backend.device()
    async with (
        live_student(live_backend, claim.student) as tab,
        live_student(live_backend, claim.student) as other_tab,
    ):
        for socket in (tab, other_tab):
            first = json.loads(await socket.recv())
            labels = {card["course"]: card["label"] for card in first["cards"]}
            assert labels[str(claim.course)] == "Pending Approval"
        answer = live_backend.approve(device, claim.enrollment)
        assert answer.kind == "accepted"
        for socket in (tab, other_tab):
            changed = json.loads(await socket.recv())
            assert changed["type"] == "card"
            assert changed["card"]["course"] == str(claim.course)
            assert changed["card"]["label"] == "Continue Course"


@pytest.mark.req("4.4")
async def test_a_decided_enrollment_stops_waiting_on_every_console(
    live_backend: LiveBackend,
) -> None:
    claim, device = live_backend.claim(), live_backend.device()
    async with live(live_backend) as one, live(live_backend) as two:
        for socket in (one, two):
            await say_hello(socket, device.session)
            waiting = []
            while (message := await next_message(socket)).type != "snapshot_end":
                waiting += [row.enrollment for row in getattr(message, "rows", ())]
            assert waiting == [claim.enrollment]
        live_backend.reject(device, claim.enrollment)
        for socket in (one, two):
            while (message := await next_message(socket)).type != "entry":
                pass
            assert message.row is not None
            assert message.row.enrollment == claim.enrollment
            assert not message.row.waiting
            assert message.row.status == "rejected"
    assert not live_backend.pending().rows


def test_the_same_decision_again_gets_the_same_answer(live_backend: LiveBackend) -> None:
    claim, device = live_backend.claim(), live_backend.device()
    decision = live_backend.decision(device, claim.enrollment)
    first, second = (live_backend.decide(device, decision)[0] for _ in range(2))
    assert first.kind == second.kind == "accepted"
    assert first.index == second.index
    assert live_backend.row(claim.enrollment).status == "approved"
    approvals = [
        entry
        for entry in live_backend.detail(claim.enrollment).timeline
        if json.loads(entry.leaf)["action"] == "enrollment.approved"
    ]
    assert len(approvals) == 1


def test_a_batch_answers_each_item_in_order_and_one_bad_item_blocks_nothing(
    live_backend: LiveBackend,
) -> None:
    good, other = (claim.enrollment for claim in live_backend.push_claims(2))
    device = live_backend.device()
    unreadable = SignedDecision(id=uuid7(), payload="{}", signature="AAAA")
    forged = live_backend.decision(device, good).model_copy(
        update={"signature": base64.b64encode(bytes(64)).decode()}
    )
    rightly = [live_backend.decision(device, enrollment) for enrollment in (good, other)]
    items = [unreadable, forged, *rightly]
    answers = live_backend.decide(device, *items)
    assert [answer.id for answer in answers] == [item.id for item in items]
    assert [answer.kind for answer in answers] == ["refused", "refused", "accepted", "accepted"]
    assert (answers[0].code, answers[1].code) == ("unreadable", "bad_signature")


def test_the_second_officer_reads_who_was_first(live_backend: LiveBackend) -> None:
    claim = live_backend.claim()
    first, second = live_backend.device(), live_backend.device(number=1)
    late = live_backend.decision(second, claim.enrollment)
    live_backend.approve(first, claim.enrollment)
    answer = live_backend.decide(second, late)[0]
    assert answer.kind == "conflict_decided"
    assert live_backend.person(Role.OFFICER).name.split()[-1] in answer.message
    assert answer.row is not None
    assert answer.row.status == "approved"


def test_a_large_amount_needs_two_officers(live_backend: LiveBackend) -> None:
    claim = live_backend.claim(course=live_backend.courses[-1])
    first, second = live_backend.device(), live_backend.device(number=1)
    assert live_backend.approve(first, claim.enrollment).code == "first_signature"
    assert live_backend.approve(first, claim.enrollment).kind == "refused"
    assert live_backend.row(claim.enrollment).status == "pending"
    assert live_backend.approve(second, claim.enrollment).kind == "accepted"
    assert live_backend.row(claim.enrollment).status == "approved"


def test_a_rejection_needs_a_reason(live_backend: LiveBackend) -> None:
    claim, device = live_backend.claim(), live_backend.device()
    bare = live_backend.decision(device, claim.enrollment, Verdict.REJECT)
    assert live_backend.decide(device, bare)[0].kind == "refused"
    worded = live_backend.decision(
        device, claim.enrollment, Verdict.REJECT, reason=ReasonCode.OTHER, words="Ask the bank."
    )
    assert live_backend.decide(device, worded)[0].kind == "accepted"


def test_an_administrator_runs_the_house_but_decides_no_money(live_backend: LiveBackend) -> None:
    claim, device = live_backend.claim(), live_backend.device(Role.ADMINISTRATOR)
    assert live_backend.approve(device, claim.enrollment).kind == "refused"
    assert live_backend.row(claim.enrollment).waiting


def test_a_decision_signed_by_a_device_of_somebody_else(live_backend: LiveBackend) -> None:
    claim = live_backend.claim()
    mine, other = live_backend.device(), live_backend.device(number=1)
    decision = live_backend.decision(mine, claim.enrollment)
    # Sent by another officer: the queue belongs to one person.
    answer = live_backend.decide(other, decision)[0]
    assert answer.kind in ("refused", "transient")
    assert live_backend.row(claim.enrollment).waiting


def test_a_device_that_nobody_enrolled_waits(live_backend: LiveBackend) -> None:
    claim, device = live_backend.claim(), live_backend.device()
    stranger = replace(device, id=uuid7(), key=SigningKey(bytes(range(32))))
    answer = live_backend.approve(stranger, claim.enrollment)
    assert (answer.kind, answer.code) == ("transient", "device_pending")


def test_a_changed_payload_under_a_known_id(live_backend: LiveBackend) -> None:
    claim, device = live_backend.claim(), live_backend.device()
    decision = live_backend.decision(device, claim.enrollment)
    live_backend.decide(device, decision)
    other = replace(
        read_decision(decision.payload.encode()),
        verdict=Verdict.REJECT,
        reason_code=ReasonCode.MISTAKE,
    )
    answer = live_backend.decide(device, device.signed(other))[0]
    assert (answer.kind, answer.code) == ("refused", "id_reused")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": []},
        {"items": "all"},
        {"items": [{"id": "x", "payload": "{}", "signature": "AAAA"}]},
        {"items": [{"id": str(uuid7()), "payload": "{}", "signature": "not base64!"}]},
        {"items": [{"id": str(uuid7()), "payload": "x" * 4097, "signature": "AAAA"}]},
        {"items": [{"id": str(uuid7()), "payload": "{}", "signature": "AAAA"}] * 101},
    ],
)
def test_a_batch_of_a_wrong_shape(
    live_backend: LiveBackend, http: httpx.Client, body: object
) -> None:
    answer = http.post("/api/decisions", json=body, headers=bearer(live_backend.staff()))
    problem(answer, 422, "invalid")


def test_an_expired_token_decides_nothing(live_backend: LiveBackend, http: httpx.Client) -> None:
    claim, device = live_backend.claim(), live_backend.device()
    decision = live_backend.decision(device, claim.enrollment)
    http.post("/api/staff/sign-out", headers=device.headers)
    body = {"items": [decision.model_dump(mode="json")]}
    problem(http.post("/api/decisions", json=body, headers=device.headers), 401, "sign-in-needed")
    assert live_backend.row(claim.enrollment).waiting

    fresh = bearer(live_backend.staff())
    answers = http.post("/api/decisions", json=body, headers=fresh)
    assert DecisionAnswers.model_validate_json(answers.content).results[0].kind == "accepted"


def test_a_withdrawal_travels_like_a_decision(live_backend: LiveBackend) -> None:
    """A batch may hold both; an old copy of the queue revives nothing."""
    kept, dropped = (claim.enrollment for claim in live_backend.push_claims(2))
    device = live_backend.device()
    first, second = (live_backend.decision(device, enrollment) for enrollment in (kept, dropped))
    answers = live_backend.decide(device, first, device.withdrawal(second), second)
    assert [answer.code for answer in answers] == ["accepted", "withdrawn", "withdrawn"]
    assert [answer.kind for answer in answers] == ["accepted", "accepted", "refused"]
    (late,) = live_backend.decide(device, device.withdrawal(first))
    assert (late.kind, late.code, late.index) == ("refused", "already_decided", answers[0].index)
    assert live_backend.row(kept).status == "approved"
    assert live_backend.row(dropped).waiting


def test_what_a_disabled_officer_holds_is_handed_in_and_refused(
    live_backend: LiveBackend, http: httpx.Client
) -> None:
    """Nothing else is answered; what was carried out before gets the answer that was lost."""
    claim, device = live_backend.claim(), live_backend.device()
    done = live_backend.decision(device, live_backend.claim().enrollment)
    held = live_backend.decision(device, claim.enrollment)
    (before,) = live_backend.decide(device, done)
    items = [item.model_dump(mode="json") for item in (done, held)]
    token = {"refresh_token": device.session.refresh_token}
    # Who is not disabled sends with a session.
    problem(http.post("/api/decisions/held", json={"items": items} | token), 401)

    administrator = bearer(live_backend.staff(Role.ADMINISTRATOR))
    asking = {**administrator, "Idempotency-Key": str(uuid7())}
    assert http.post(f"/api/users/{device.user}/disable", headers=asking).is_success
    for refused in (
        http.post("/api/decisions", json={"items": items}, headers=device.headers),
        http.post("/api/staff/refresh", json=token),
        http.get("/api/enrollments/pending", headers=device.headers),
    ):
        assert "Ask an administrator" in problem(refused, 403, "account-disabled").detail
    size = live_backend.size
    answer = http.post("/api/decisions/held", json={"items": items} | token)
    first, second = DecisionAnswers.model_validate_json(answer.content).results
    assert (first.kind, first.index) == ("accepted", before.index)
    assert (second.kind, second.code) == ("refused", "account_disabled")
    assert live_backend.size == size + 1
    assert live_backend.row(claim.enrollment).waiting
    stranger = {"refresh_token": "A" * 43}
    problem(http.post("/api/decisions/held", json={"items": items} | stranger), 401)
    assert live_backend.size == size + 1
