"""The routes of administration over HTTP: what each answers, and to whom it answers nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from core.domain.roles import Role
from core.ledger.keys import SigningKey
from core.protocol.messages import (
    CourseList,
    CourseRow,
    Device,
    DeviceList,
    DeviceState,
    Session,
    SessionList,
    StaffList,
    StaffMember,
    UserPassword,
    Workspace,
    WorkspaceSettings,
)
from tests.backend.web.asking import bearer, problem
from tests.support.ceremonies import approves, asks, revokes
from tests.support.live_backend import LiveBackend
from tests.support.live_template import PASSWORD, Template

KEY = SigningKey(b"k" * 32)
EMAIL = "sipho@college.example"
NEW: dict[str, Any] = {"name": "Sipho Ndlovu", "email": EMAIL, "roles": ["officer"]}


@pytest.fixture
def admin(live_backend: LiveBackend) -> dict[str, str]:
    """An administrator's headers; each test says which key it means where that matters."""
    session = live_backend.staff(Role.ADMINISTRATOR)
    return {**bearer(session), "Idempotency-Key": str(uuid4())}


def _anew(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "Idempotency-Key": str(uuid4())}


def _id(backend: LiveBackend, role: Role = Role.OFFICER) -> UUID:
    return backend.person(role).id


def _sign_in(http: httpx.Client, email: str, password: str) -> httpx.Response:
    return http.post("/api/staff/sign-in", json={"email": email, "password": password})


def test_somebody_new_signs_in_and_chooses_a_password_first(
    http: httpx.Client, admin: dict[str, str]
) -> None:
    answer = http.post("/api/users", json=NEW, headers=admin)
    added = UserPassword.model_validate_json(answer.content)
    assert added.password is not None
    again = UserPassword.model_validate_json(
        http.post("/api/users", json=NEW, headers=admin).content
    )
    assert (again.user.id, again.password) == (added.user.id, None)

    answer = _sign_in(http, EMAIL, added.password)
    session = Session.model_validate_json(answer.content)
    assert session.user.must_change_password
    headers = bearer(session)
    for path in ("/api/workspace", "/api/enrollments/pending", "/api/ledger/head"):
        problem(http.get(path, headers=headers), 403, "password-change-needed")
    assert http.get("/api/staff/me", headers=headers).json()["must_change_password"]
    assert http.get("/api/staff/sessions", headers=headers).status_code == 200
    change = {"old_password": added.password, "new_password": "a password of my own"}
    assert http.post("/api/staff/password", json=change, headers=headers).status_code == 204
    assert http.get("/api/workspace", headers=headers).status_code == 200
    problem(http.post("/api/staff/password", json=change, headers=headers), 403, "wrong-password")
    same = {"old_password": "a password of my own", "new_password": "a password of my own"}
    problem(http.post("/api/staff/password", json=same, headers=headers), 422, "same-password")


def test_users_are_listed_changed_and_disabled(
    live_backend: LiveBackend, http: httpx.Client, admin: dict[str, str]
) -> None:
    officer, session = _id(live_backend), live_backend.staff()
    listed = StaffList.model_validate_json(http.get("/api/users", headers=admin).content)
    assert {user.name for user in listed.users} >= {"Thandi Mokoena", "Ayesha Patel"}
    answer = http.put(f"/api/users/{officer}/roles", json={"roles": ["supervisor"]}, headers=admin)
    assert StaffMember.model_validate_json(answer.content).roles == (Role.SUPERVISOR,)
    answer = http.post(f"/api/users/{officer}/disable", headers=_anew(admin))
    assert StaffMember.model_validate_json(answer.content).disabled
    refused = http.get("/api/staff/me", headers=bearer(session))
    assert "Ask an administrator" in problem(refused, 403, "account-disabled").detail
    email = live_backend.person(Role.OFFICER).email
    problem(_sign_in(http, email, PASSWORD), 403, "account-disabled")
    answer = http.post(f"/api/users/{officer}/disable", headers=_anew(admin))
    problem(answer, 409, "already-disabled")
    answer = http.post(f"/api/users/{officer}/enable", headers=_anew(admin))
    assert not StaffMember.model_validate_json(answer.content).disabled
    assert _sign_in(http, email, PASSWORD).status_code == 200


def test_a_password_is_reset_and_sessions_are_ended(
    live_backend: LiveBackend, http: httpx.Client, admin: dict[str, str]
) -> None:
    officer = _id(live_backend)
    answer = http.post(f"/api/users/{officer}/password", json={}, headers=admin)
    reset = UserPassword.model_validate_json(answer.content)
    assert reset.password is not None
    email = live_backend.person(Role.OFFICER).email
    first, second = (
        Session.model_validate_json(_sign_in(http, email, reset.password).content) for _ in range(2)
    )
    path = f"/api/users/{officer}/sessions"
    listed = SessionList.model_validate_json(http.get(path, headers=admin).content).sessions
    assert len(listed) == 2
    assert listed[0].device == "Bursar console"
    own = SessionList.model_validate_json(
        http.get("/api/staff/sessions", headers=bearer(first)).content
    )
    (mine,) = [row.id for row in own.sessions if row.current]
    assert http.delete(f"{path}/{mine}", headers=_anew(admin)).status_code == 204
    problem(http.get("/api/staff/me", headers=bearer(first)), 401)
    assert http.get("/api/staff/me", headers=bearer(second)).status_code == 200
    problem(http.delete(f"{path}/{mine}", headers=_anew(admin)), 404, "unknown-session")
    assert http.delete(path, headers=_anew(admin)).status_code == 204
    problem(http.get("/api/staff/me", headers=bearer(second)), 401)


def test_ones_own_sessions_over_http(live_backend: LiveBackend, http: httpx.Client) -> None:
    first, second = live_backend.staff(), live_backend.staff()
    listed = SessionList.model_validate_json(
        http.get("/api/staff/sessions", headers=bearer(second)).content
    ).sessions
    other = next(row.id for row in listed if not row.current)
    path = f"/api/staff/sessions/{other}"
    assert http.delete(path, headers=bearer(second)).status_code == 204
    problem(http.get("/api/staff/me", headers=bearer(first)), 401)
    problem(http.delete(path, headers=bearer(second)), 404, "unknown-session")
    third = live_backend.staff()
    assert http.delete("/api/staff/sessions", headers=bearer(second)).status_code == 204
    problem(http.get("/api/staff/me", headers=bearer(third)), 401)
    assert http.get("/api/staff/me", headers=bearer(second)).status_code == 200


def test_courses_and_the_house(http: httpx.Client, admin: dict[str, str]) -> None:
    body = {"title": "Tax in Brief", "price_cents": 99_900}
    row = CourseRow.model_validate_json(http.post("/api/courses", json=body, headers=admin).content)
    change = {"title": "Tax", "summary": "All of it.", "price_cents": 120_000}
    answer = http.put(f"/api/courses/{row.id}", json=change, headers=_anew(admin))
    assert CourseRow.model_validate_json(answer.content).price_cents == 120_000
    answer = http.post(f"/api/courses/{row.id}/retire", headers=_anew(admin))
    assert CourseRow.model_validate_json(answer.content).retired
    problem(http.post(f"/api/courses/{row.id}/retire", headers=_anew(admin)), 409)
    answer = http.post(f"/api/courses/{row.id}/reopen", headers=_anew(admin))
    assert not CourseRow.model_validate_json(answer.content).retired
    listed = CourseList.model_validate_json(http.get("/api/courses", headers=admin).content)
    assert listed.courses[-1].id == row.id

    answer = http.get("/api/workspace/settings", headers=admin)
    settings = WorkspaceSettings.model_validate_json(answer.content)
    wanted = settings.model_copy(update={"name": "New College", "threshold_cents": 1})
    answer = http.put("/api/workspace/settings", json=wanted.model_dump(), headers=_anew(admin))
    assert WorkspaceSettings.model_validate_json(answer.content) == wanted
    half = wanted.model_copy(update={"bank": ""})
    answer = http.put("/api/workspace/settings", json=half.model_dump(), headers=_anew(admin))
    problem(answer, 422, "bank-incomplete")


def test_the_ceremony_over_http(
    live_backend: LiveBackend,
    live_template: Template,
    http: httpx.Client,
    admin: dict[str, str],
) -> None:
    officer, device = live_backend.staff(), uuid4()
    root, root_key = live_template.root_device, live_template.root_key
    body = asks(officer.user.id, device, KEY).model_dump()
    answer = http.post("/api/devices/requests", json=body, headers=bearer(officer))
    assert Device.model_validate_json(answer.content).state is DeviceState.WAITING
    book = DeviceList.model_validate_json(http.get("/api/devices", headers=admin).content)
    assert [request.device for request in book.requests] == [device]
    path = f"/api/devices/requests/{device}/refuse"
    answer = http.post(path, headers=admin)
    assert Device.model_validate_json(answer.content).state is DeviceState.REFUSED
    problem(http.post(path, headers=_anew(admin)), 404, "unknown-request")

    again = asks(officer.user.id, device, KEY).model_dump()
    http.post("/api/devices/requests", json=again, headers=bearer(officer))
    enroll = approves(officer.user.id, device, KEY, by_device=root, by_key=root_key)
    answer = http.post("/api/devices", json=enroll.model_dump(), headers=admin)
    assert Device.model_validate_json(answer.content).state is DeviceState.ENROLLED

    path = f"/api/devices/{device}/revoke"
    foreign = revokes(device, by_device=device, by_key=KEY).model_dump()
    problem(http.post(path, json=foreign, headers=admin), 403, "not-allowed")
    revoke = revokes(device, by_device=root, by_key=root_key)
    answer = http.post(path, json=revoke.model_dump(), headers=admin)
    assert Device.model_validate_json(answer.content).state is DeviceState.REVOKED
    answer = http.get(f"/api/devices/{device}", headers=bearer(officer))
    assert Device.model_validate_json(answer.content).state is DeviceState.REVOKED
    answer = http.get("/api/workspace", headers=bearer(officer))
    assert len(Workspace.model_validate_json(answer.content).root_fingerprints) == 1


_SOMEBODY = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/users", {}, 422),
        ("POST", "/api/users", NEW | {"roles": []}, 422),
        ("POST", "/api/users", NEW | {"roles": ["student"]}, 422),
        ("POST", "/api/users", NEW | {"roles": ["officer"] * 4}, 422),
        ("POST", "/api/users", NEW | {"email": "nobody"}, 422),
        ("POST", "/api/users", NEW | {"password": "short"}, 422),
        ("POST", "/api/users", NEW | {"disabled": True}, 422),
        ("POST", "/api/users", NEW | {"email": "thandi@college.example"}, 409),
        ("PUT", f"/api/users/{_SOMEBODY}/roles", {"roles": ["officer"]}, 404),
        ("PUT", f"/api/users/{_SOMEBODY}/roles", {"roles": ["king"]}, 422),
        ("POST", f"/api/users/{_SOMEBODY}/disable", None, 404),
        ("POST", "/api/users/nobody/disable", None, 422),
        ("POST", f"/api/users/{_SOMEBODY}/password", {"password": "x" * 201}, 422),
        ("GET", f"/api/users/{_SOMEBODY}/sessions", None, 404),
        ("DELETE", f"/api/users/{_SOMEBODY}/sessions", None, 404),
        ("POST", "/api/courses", {"title": "", "price_cents": 1}, 422),
        ("POST", "/api/courses", {"title": "T", "price_cents": -1}, 422),
        ("POST", "/api/courses", {"title": "T", "price_cents": 1.5}, 422),
        ("POST", "/api/courses", {"title": "T", "price_cents": "100"}, 422),
        ("POST", f"/api/courses/{_SOMEBODY}/retire", None, 404),
        ("PUT", "/api/workspace/settings", {"name": ""}, 422),
        ("POST", "/api/devices/requests", {"payload": "{}", "signature": "AAAA"}, 422),
        ("POST", f"/api/devices/{_SOMEBODY}/revoke", {"payload": "{}", "signature": ""}, 422),
        ("POST", f"/api/devices/requests/{_SOMEBODY}/refuse", None, 404),
    ],
)
def test_what_makes_no_sense_is_a_problem_and_changes_nothing(
    *,
    live_backend: LiveBackend,
    http: httpx.Client,
    admin: dict[str, str],
    method: str,
    path: str,
    body: Any,
    status: int,
) -> None:
    before = live_backend.size
    problem(http.request(method, path, json=body, headers=admin), status)
    assert live_backend.size == before


def test_writes_need_a_key_and_the_last_administrator_stays(
    live_backend: LiveBackend, http: httpx.Client, admin: dict[str, str]
) -> None:
    me = _id(live_backend, Role.ADMINISTRATOR)
    problem(http.post(f"/api/users/{me}/disable", headers=admin), 409, "last-administrator")
    answer = http.put(f"/api/users/{me}/roles", json={"roles": ["officer"]}, headers=_anew(admin))
    problem(answer, 409, "last-administrator")
    without = {"Authorization": admin["Authorization"]}
    problem(http.post("/api/users", json=NEW, headers=without), 422, "invalid")
    answer = http.post(f"/api/users/{me}/password", json={}, headers=_anew(admin))
    problem(answer, 409, "own-password")
    assert http.post("/api/users", json=NEW, headers=admin).status_code == 200
    other = NEW | {"email": "other@college.example"}
    problem(http.post("/api/users", json=other, headers=admin), 409, "key-reused")
