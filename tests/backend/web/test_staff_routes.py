"""The staff's routes over real HTTP: what works, and what is refused."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import httpx
import pytest

from core.domain.roles import Role
from core.ledger.merkle import verify_consistency
from core.ledger.tree import root_from_peaks
from core.protocol.messages import (
    ConsistencyProof,
    Device,
    EnrollmentDetail,
    LedgerHead,
    RowPage,
    Session,
    User,
    Workspace,
)
from tests.backend.web.asking import bearer, problem
from tests.support.live_backend import LiveBackend
from tests.support.live_template import PASSWORD


def _sign_in(http: httpx.Client, backend: LiveBackend) -> Session:
    email = backend.person(Role.OFFICER).email
    answer = http.post("/api/staff/sign-in", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return Session.model_validate_json(answer.content)


def test_sign_in_gives_a_session_that_names_its_user(
    live_backend: LiveBackend, http: httpx.Client
) -> None:
    session = _sign_in(http, live_backend)
    me = User.model_validate_json(http.get("/api/staff/me", headers=bearer(session)).content)
    assert me == session.user
    assert me.roles == (Role.OFFICER,)


def test_a_wrong_password_and_an_unknown_email_read_the_same(
    live_backend: LiveBackend, http: httpx.Client
) -> None:
    known = live_backend.person(Role.OFFICER).email
    answers = [
        http.post("/api/staff/sign-in", json={"email": email, "password": "wrong password"})
        for email in (known, "nobody@college.example")
    ]
    assert problem(answers[0], 401, "sign-in-refused") == problem(answers[1], 401)


def test_guessing_is_slowed_down_and_says_how_long(
    live_backend: LiveBackend, http: httpx.Client
) -> None:
    body = {"email": live_backend.person(Role.OFFICER).email, "password": "wrong password"}
    answers = [http.post("/api/staff/sign-in", json=body) for _ in range(30)]
    slowed = answers[-1]
    problem(slowed, 429, "too-many-guesses")
    assert int(slowed.headers["retry-after"]) >= 1


def test_a_refresh_token_is_good_once_and_reuse_ends_the_family(
    live_backend: LiveBackend, http: httpx.Client
) -> None:
    first = _sign_in(http, live_backend)
    answer = http.post("/api/staff/refresh", json={"refresh_token": first.refresh_token})
    second = Session.model_validate_json(answer.content)
    assert second.refresh_token != first.refresh_token
    assert http.get("/api/staff/me", headers=bearer(second)).status_code == 200

    again = http.post("/api/staff/refresh", json={"refresh_token": first.refresh_token})
    problem(again, 401)
    problem(http.get("/api/staff/me", headers=bearer(second)), 401, "sign-in-needed")
    problem(http.post("/api/staff/refresh", json={"refresh_token": second.refresh_token}), 401)


def test_sign_out_ends_both_tokens(live_backend: LiveBackend, http: httpx.Client) -> None:
    session = _sign_in(http, live_backend)
    assert http.post("/api/staff/sign-out", headers=bearer(session)).status_code == 204
    problem(http.get("/api/staff/me", headers=bearer(session)), 401)
    problem(http.post("/api/staff/refresh", json={"refresh_token": session.refresh_token}), 401)


def test_the_embedded_door_is_closed_in_a_backend_that_nobody_embedded(http: httpx.Client) -> None:
    answer = http.post("/api/staff/embedded", json={"token": "x" * 40})
    assert answer.status_code in (401, 403, 404)
    problem(answer, answer.status_code)


def test_the_workspace_names_the_key_of_its_checkpoints(
    live_backend: LiveBackend, http: httpx.Client
) -> None:
    answer = http.get("/api/workspace", headers=bearer(live_backend.staff()))
    workspace = Workspace.model_validate_json(answer.content)
    assert workspace.name == "Test College"
    assert not workspace.demo


def test_devices_unknown_and_enrolled(live_backend: LiveBackend, http: httpx.Client) -> None:
    device = live_backend.device()
    for asked, state in ((device.id, "enrolled"), (uuid4(), "unknown")):
        answer = http.get(f"/api/devices/{asked}", headers=device.headers)
        assert Device.model_validate_json(answer.content).state == state


def test_a_device_is_not_enrolled_by_a_signature_that_does_not_hold(
    live_backend: LiveBackend, http: httpx.Client
) -> None:
    administrator = bearer(live_backend.staff(Role.ADMINISTRATOR))
    body = {"payload": "{}", "signature": "AAAA", "code": "x" * 20}
    answer = http.post("/api/devices", json=body, headers=administrator)
    assert answer.status_code in (403, 422)
    problem(answer, answer.status_code)


def test_pending_comes_in_pages_and_detail_has_the_history(
    live_backend: LiveBackend, http: httpx.Client
) -> None:
    claims = live_backend.push_claims(5)
    headers = bearer(live_backend.staff())
    seen, after = [], None
    while True:
        parameters = {"limit": "2"} | ({"after": after} if after else {})
        answer = http.get("/api/enrollments/pending", params=parameters, headers=headers)
        page = RowPage.model_validate_json(answer.content)
        assert len(page.rows) <= 2
        seen += [row.enrollment for row in page.rows]
        after = page.next_after
        if after is None:
            break
    assert sorted(seen) == sorted(claim.enrollment for claim in claims)

    answer = http.get(f"/api/enrollments/{seen[0]}", headers=headers)
    detail = EnrollmentDetail.model_validate_json(answer.content)
    assert detail.row.enrollment == seen[0]
    assert [entry.index for entry in detail.timeline] == sorted(e.index for e in detail.timeline)
    assert detail.card.label == "Pending Approval"


def test_the_head_and_its_consistency_proof(live_backend: LiveBackend, http: httpx.Client) -> None:
    headers = bearer(live_backend.staff())
    head = LedgerHead.model_validate_json(http.get("/api/ledger/head", headers=headers).content)
    live_backend.push_claims(3)
    now = live_backend.size
    assert now > head.size
    sizes = {"size1": head.size, "size2": now}
    answer = http.get("/api/ledger/consistency", params=sizes, headers=headers)
    proof = ConsistencyProof.model_validate_json(answer.content)
    assert (proof.size1, proof.size2) == (head.size, now)
    root = root_from_peaks([base64.b64decode(peak) for peak in head.peaks])
    verify_consistency(
        head.size,
        now,
        [base64.b64decode(part) for part in proof.hashes],
        root,
        live_backend.root,
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/enrollments/pending?limit=0", 422),
        ("/api/enrollments/pending?limit=501", 422),
        ("/api/enrollments/pending?limit=many", 422),
        ("/api/enrollments/pending?after=%00%ff", 422),
        ("/api/enrollments/not-an-id", 422),
        ("/api/enrollments/00000000-0000-7000-8000-000000000000", 404),
        ("/api/devices/not-an-id", 422),
        ("/api/ledger/consistency?size1=-1&size2=2", 422),
        ("/api/ledger/consistency?size1=2", 422),
        ("/api/ledger/consistency?size1=1&size2=99999999", 422),
        ("/api/ledger/consistency?size1=5&size2=1", 422),
        ("/api/nowhere", 404),
    ],
)
def test_questions_that_make_no_sense_are_problems(
    live_backend: LiveBackend, http: httpx.Client, path: str, status: int
) -> None:
    problem(http.get(path, headers=bearer(live_backend.staff())), status)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "thandi@college.example"},
        {"email": 5, "password": "long enough"},
        {"email": "no-at-sign", "password": "long enough"},
        {"email": "a@b", "password": "short"},
        {"email": "a@b", "password": "x" * 201},
        {"email": "a@b", "password": "long enough", "admin": True},
        [],
        "text",
        None,
    ],
)
def test_a_sign_in_of_a_wrong_shape_is_a_problem_that_echoes_nothing(
    http: httpx.Client, body: Any
) -> None:
    read = problem(http.post("/api/staff/sign-in", json=body), 422, "invalid")
    assert "long enough" not in read.detail
    assert "no-at-sign" not in read.detail
