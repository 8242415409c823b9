"""Callbacks over real HTTP: the sandbox's own, and what others send."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.backend.gateway.sandbox.book import SandboxLink
from core.domain.enrollment import AttemptStatus, EnrollmentStatus
from core.domain.roles import Role
from core.domain.webhooks import AlertKind, DeliveryState
from core.protocol.messages import MAX_INBOUND_BYTES, SecurityAlertPage, WebhookStanding
from tests.backend.web.asking import bearer, problem
from tests.backend.webhooks.letters import PATH, compact, fields
from tests.backend.webhooks.till import Till
from tests.support.live_backend import LiveBackend, http_client
from tests.support.watch import ExpectedLogs

REFUSED = "callbacks of the card provider refused|many callbacks refused"


def _pay(till: Till, link: SandboxLink, how: str = "pay") -> None:
    """As a person does on the pay page."""
    with http_client(till.sandbox.address) as browser:
        assert browser.post(f"/pay/{link.id}/{how}").status_code == 303
    till.settled()


@pytest.mark.req("2.1", "2.2", "8.1")
@pytest.mark.both_engines
def test_a_paid_card_lets_the_student_in_by_itself(till: Till) -> None:
    student, other = [till.backend.student() for _ in range(2)]
    link = till.enroll(student)
    till.enroll(other)
    _pay(till, link)
    assert till.card(student).label == "Continue Course"
    assert till.card(other).label != "Continue Course"
    (delivery,) = till.deliveries()
    assert (delivery.state, delivery.outcome, delivery.tries) == (DeliveryState.DONE, "approved", 1)
    assert delivery.enrollment == till.enrollment(student).id
    assert not till.alerts()


@pytest.mark.req("7.2", "8.2")
def test_a_declined_card_leaves_the_enrollment_pending_with_its_reason(till: Till) -> None:
    student = till.backend.student()
    link = till.enroll(student)
    _pay(till, link, "no-money")
    enrollment = till.enrollment(student)
    assert enrollment.status is EnrollmentStatus.PENDING
    (attempt,) = enrollment.attempts
    assert (attempt.status, attempt.failure) == (AttemptStatus.FAILED, "insufficient_funds")
    assert "not enough money" in till.card(student).message
    _pay(till, link)  # the same link can still be paid
    assert [d.outcome for d in till.deliveries()] == ["failed", "approved"]


@pytest.mark.parametrize(
    "how", [{"form": True}, {"text": "Approved", "form": True}, {"text": "x", "sign_raw": True}]
)
def test_both_forms_of_body_and_of_signature(till: Till, how: dict[str, object]) -> None:
    student = till.backend.student()
    till.misbehave(**how)
    _pay(till, till.enroll(student))
    assert till.card(student).label == "Continue Course"


def test_what_is_not_signed_of_a_body_makes_no_second_callback(
    till: Till, http: httpx.Client
) -> None:
    """Nor does it come to lie about in the clear."""
    link = till.enroll(till.backend.student())
    till.backend.run(_paid(till, link))
    body, headers = till.letter(link)
    told = fields(link.id, link.external_id)
    form = {**headers, "content-type": "application/x-www-form-urlencoded"}
    for raw, head in (
        (body, headers),
        (body, {**headers, "ik-sign": headers["ik-sign"].upper()}),
        (compact({**told, "text": "a-canary-of-somebody"}), headers),
        (urlencode({**told, "text": "other"}).encode(), form),
    ):
        assert http.post(PATH, content=raw, headers=head).status_code == 200
    till.settled()
    (delivery,) = till.deliveries()
    assert delivery.copies == 4
    assert delivery.tries == 1
    assert b"canary" not in delivery.sealed
    assert link.id.encode() not in delivery.sealed


async def _paid(till: Till, link: SandboxLink) -> None:
    """Paid without anybody being called back."""
    till.sandbox.book.pay(link.id)


def test_the_secret_before_is_good_as_long_as_it_is_set(
    till: Till, http: httpx.Client, expected_logs: ExpectedLogs
) -> None:
    handler = till.backend.services.webhooks
    assert handler is not None
    link = till.enroll(till.backend.student())
    body, _ = till.letter(link, success=False, code="05")
    old = till.sign(body, secret="the-secret-before")
    with expected_logs(REFUSED):
        problem(http.post(PATH, content=body, headers=old), 401, "bad-signature")
        till.alerts()
    keys = handler._keys
    handler._keys = type(keys)(app_id=keys.app_id, secrets=(*keys.secrets, "the-secret-before"))
    assert http.post(PATH, content=body, headers=old).status_code == 200
    till.settled()


def _wrong(till: Till, body: bytes, other: bytes) -> dict[str, tuple[bytes, dict[str, str]]]:
    """Callbacks that nobody of the provider has sent: bodies and headers."""
    good = till.sign(body)

    def without(name: str) -> dict[str, str]:
        return {key: value for key, value in good.items() if key != name}

    return {
        "no signature": (body, without("ik-sign")),
        "garbage": (body, {**good, "ik-sign": "é" * 64}),
        "half a signature": (body, {**good, "ik-sign": good["ik-sign"][:63]}),
        "another secret": (body, till.sign(body, secret="somebody-elses-secret")),
        "another path": (body, till.sign(body, path="/")),
        "the path with a query": (body, till.sign(body, path=f"{PATH}?")),
        "another body": (body.replace(b"SUCCESS", b"FAILURE"), good),
        "another link": (other, good),
        "no app": (body, without("ik-appid")),
        "another app": (body, {**good, "ik-appid": "IKOTHER"}),
    }


@pytest.mark.req("5.4", "8.4")
@pytest.mark.both_engines
def test_a_bad_signature_changes_nothing_and_raises_an_alert(
    till: Till, http: httpx.Client, expected_logs: ExpectedLogs
) -> None:
    student = till.backend.student()
    link, other = till.enroll(student), till.enroll(till.backend.student())
    till.backend.run(_paid(till, other))
    wrong = _wrong(till, till.letter(link)[0], till.letter(other)[0])
    size = till.backend.size
    with expected_logs(REFUSED) as lines:
        for raw, head in wrong.values():
            encoded = {k: v.encode("latin-1") for k, v in head.items()}
            answer = http.post(PATH, content=raw, headers=encoded)  # type: ignore[arg-type]  # bytes are allowed
            problem(answer, 401, "bad-signature")
        alerts = till.alerts()
    assert till.backend.size == size
    assert not till.deliveries()
    assert till.enrollment(student).attempts[0].status is AttemptStatus.OPEN
    counts = {alert.kind: alert.count for alert in alerts}
    assert counts == {AlertKind.BAD_SIGNATURE: 8, AlertKind.WRONG_APP: 2}
    assert not any("127.0.0.1" in line for line in lines)
    listed = http.get("/api/webhooks/alerts", headers=bearer(till.backend.staff()))
    rows = SecurityAlertPage.model_validate_json(listed.content).rows
    assert {(row.address, row.many) for row in rows} == {("127.0.0.1", False)}
    told = http.get(
        "/api/webhooks/standing", headers=bearer(till.backend.staff(Role.ADMINISTRATOR))
    )
    assert WebhookStanding.model_validate_json(told.content).refused == 10


def test_a_body_over_the_limit_is_refused_before_it_is_looked_at(
    till: Till, http: httpx.Client
) -> None:
    for extra, status in ((0, 200), (1, 413)):
        link = till.enroll(till.backend.student())
        plain = compact({**fields(link.id, link.external_id, success=False), "more": ""})
        body = plain[:-2] + b"x" * (MAX_INBOUND_BYTES + extra - len(plain)) + plain[-2:]
        assert len(body) == MAX_INBOUND_BYTES + extra
        answer = http.post(PATH, content=body, headers=till.sign(body))
        assert answer.status_code == status, answer.text
    till.settled()


def test_any_bytes_are_answered(
    till: Till, http: httpx.Client, expected_logs: ExpectedLogs
) -> None:
    """Signed or not, whatever the headers: never an error of ours."""
    texts = st.text(st.characters(codec="latin-1", categories=("L", "N", "P", "S")), max_size=70)
    odd = st.dictionaries(st.text(max_size=5), st.text(max_size=9) | st.integers() | st.none())
    bodies = st.binary(max_size=200) | odd.map(compact_or_empty) | st.builds(
        _nearly, st.text(max_size=20), st.text(max_size=20), st.text(max_size=3)
    )  # fmt: skip

    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(body=bodies, signature=texts, app_id=texts)
    def one(body: bytes, signature: str, app_id: str) -> None:
        assert http.post(PATH, content=body, headers=till.sign(body)).status_code == 200
        odd_head = {"ik-sign": signature.encode("latin-1"), "ik-appid": app_id.encode("latin-1")}
        unsigned = http.post(PATH, content=body, headers=odd_head)  # type: ignore[arg-type]  # bytes are allowed
        problem(unsigned, 401, "bad-signature")

    size = till.backend.size
    with expected_logs(f"{REFUSED}|a callback waits for a person"):
        one()
        till.alerts()
        dead = (DeliveryState.DEAD, DeliveryState.WAITING)
        for delivery in till.deliveries():
            assert delivery.state in dead
        handler = till.backend.services.webhooks
        assert handler is not None
        till.backend.run(handler.worker.work())
        till.backend.run(handler.worker.stop())
    assert till.backend.size == size


def compact_or_empty(body: Mapping[str, object]) -> bytes:
    try:
        return compact(body)
    except UnicodeEncodeError:
        return b"{}"


def _nearly(link: str, attempt: str, code: str) -> bytes:
    return compact_or_empty(fields(link, attempt, code=code))


def test_without_cards_there_is_nothing_to_call(live_backend: LiveBackend) -> None:
    with http_client(live_backend.url) as http:
        problem(http.post(PATH, content=b"{}"), 404, "no-cards")
        problem(http.get(PATH), 405)
