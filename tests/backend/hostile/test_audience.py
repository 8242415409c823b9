"""Role x route x object: made from the application, so that every route is in it.

Whom a route lets in is what it declares; what it declares is what this house decided.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import insert, select, update
from uuid_utils.compat import uuid7

from core.backend.storage.tables import staff_sessions, student_sessions, users
from core.backend.web.auth import RequireStaff, RequireStudent
from core.domain.roles import DECIDING_ROLES, STAFF_ROLES, Role
from tests.backend.hostile.place import Place, complaint
from tests.backend.hostile.routes import WRITES, Audience, Route, all_routes, mounts, sockets
from tests.backend.web.asking import bearer
from tests.support.live_template import LivePerson, sign_in

Headers = dict[str, str]
_ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
_STUDENT = "student"
_ANYBODY = "anybody"
NEWCOMER = "administrator with a first password"
# What the house decided, by the beginning of the path; the longest that fits counts. What only
# some may do stands here with its method.
_DECIDED: Mapping[str, object] = {
    "/": _ANYBODY,
    "/api/": frozenset[Role](),  # a new part has to be decided
    "/api/student/": _STUDENT,
    "/api/student/cards": _ANYBODY,
    "/api/student/house": _ANYBODY,
    "/api/student/sign-in": _ANYBODY,
    "/api/student/sign-up": _ANYBODY,
    "/api/staff/": STAFF_ROLES,
    "/api/staff/sign-in": _ANYBODY,
    "/api/staff/refresh": _ANYBODY,
    "/api/staff/embedded": _ANYBODY,
    "/api/workspace": STAFF_ROLES,
    "/api/workspace/settings": _ADMINISTRATOR,
    "/api/enrollments/": STAFF_ROLES,
    "/api/decisions": STAFF_ROLES,  # an item of somebody who may not decide is answered itself
    "/api/decisions/held": _ANYBODY,  # the refresh token of somebody disabled, and signatures
    "/api/payments": STAFF_ROLES,
    "POST /api/payments/late-money/": DECIDING_ROLES,
    "POST /api/payments/refunds/": DECIDING_ROLES,
    "/api/webhooks": STAFF_ROLES,
    "POST /api/webhooks/": frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}),
    "/api/ledger/": STAFF_ROLES,
    "/api/audit": STAFF_ROLES,
    "/api/users": _ADMINISTRATOR,
    "/api/courses": _ADMINISTRATOR,
    "/api/devices": _ADMINISTRATOR,
    "GET /api/devices/": STAFF_ROLES,
    "POST /api/devices/requests": STAFF_ROLES,
    "POST /api/devices/requests/": _ADMINISTRATOR,
}


def _decided(route: Route) -> object:
    fitting = [key for key in _DECIDED if str(route).startswith(key) or route.path.startswith(key)]
    return _DECIDED[max(fitting, key=lambda key: len(key.rpartition(" ")[2]))]


def _declared(audience: Audience) -> object:
    if isinstance(audience, RequireStaff):
        return audience.roles
    return _STUDENT if isinstance(audience, RequireStudent) else _ANYBODY


def test_every_route_is_for_those_for_whom_it_was_decided(place: Place) -> None:
    for route in place.routes:
        assert _declared(route.audience) == _decided(route), route
    assert len(place.routes) >= 26
    assert sockets(place.app) == {"/live", "/live/student"}
    assert mounts(place.app) == {"/static"}


def test_every_route_of_the_api_is_described(place: Place) -> None:
    for route in place.routes:
        if route.path.startswith(("/api/", "/health/")):
            assert route.operation, f"{route} is not in the OpenAPI document"
            schemes = {name for part in route.operation.get("security", ()) for name in part}
            expected = set() if route.audience is None else {route.audience.scheme_name}
            assert schemes == expected, route


def test_a_route_that_does_not_say_whom_it_is_for_is_found() -> None:
    app = FastAPI()

    @app.get("/api/forgotten")
    async def forgotten() -> None: ...

    with pytest.raises(AssertionError, match="/api/forgotten does not say whom"):
        all_routes(app)

    both = FastAPI()

    @both.get(
        "/api/both", dependencies=[Depends(RequireStudent()), Depends(RequireStaff(STAFF_ROLES))]
    )
    async def both_of_them() -> None: ...

    with pytest.raises(AssertionError, match="does not say whom"):
        all_routes(both)


# --- role x route ------------------------------------------------------------------------------


class _People:
    """Each kind of person; `headers` are those of a session of theirs."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._backend = place.backend
        self._officer = self._backend.staff()
        self._outside: Mapping[str, Headers] = {
            "anonymous": {},
            "junk": {"Authorization": "Bearer " + "x" * 43, "Cookie": "bursar_session=" + "x" * 43},
            "odd": {"Authorization": "Basic \t, Bearer", "Cookie": ";;=;bursar_session"},
            "token in the cookie": {"Cookie": f"bursar_session={self._token()}"},
            "cookie as the token": {"Authorization": f"Bearer {self._backend.student().token}"},
            "refresh token": {"Authorization": f"Bearer {self._officer.refresh_token}"},
            "expired": self._expired(),
            "revoked": self._revoked(),
            "disabled": self._disabled(),
            "expired student": self._expired_student(),
            "revoked student": self._revoked_student(),
        }
        self._newcomer = self._with_first_password()
        self.all = ("student", *sorted(STAFF_ROLES), NEWCOMER, *self._outside)

    def headers(self, person: str) -> Headers:
        """Whoever is really signed in gets a fresh session: some routes end them."""
        if person in self._outside:
            return self._outside[person]
        if person == "student":
            return self._backend.student().headers
        if person == NEWCOMER:
            return bearer(self._backend.run(sign_in(self._backend.services, self._newcomer)))
        return bearer(self._backend.staff(Role(person)))

    def _with_first_password(self) -> LivePerson:
        """An administrator whose password somebody else has set."""
        model = self._backend.person(Role.ADMINISTRATOR)
        newcomer = LivePerson(uuid7(), "New Comer", "new@college.example")
        with self._backend.services.engine.begin() as connection:
            row = connection.execute(select(users).where(users.c.id == model.id)).mappings().one()
            changed = {"id": newcomer.id, "email": newcomer.email, "must_change_password": True}
            connection.execute(insert(users).values(**{**row, **changed}))
        return newcomer

    def _token(self) -> str:
        return self._backend.staff(Role.ADMINISTRATOR).access_token

    def _expired(self) -> Headers:
        session = self._backend.staff(Role.ADMINISTRATOR)
        self._place.expire(staff_sessions, staff_sessions.c.user_id == session.user.id)
        return bearer(session)

    def _revoked(self) -> Headers:
        headers = bearer(self._backend.staff(Role.ADMINISTRATOR))
        assert self._place.http.post("/api/staff/sign-out", headers=headers).status_code == 204
        return headers

    def _disabled(self) -> Headers:
        session = self._backend.staff(Role.OFFICER, 1)
        with self._backend.services.engine.begin() as connection:
            gone = update(users).where(users.c.id == session.user.id)
            connection.execute(gone.values(disabled=True))
        return bearer(session)

    def _expired_student(self) -> Headers:
        student = self._backend.student()
        self._place.expire(student_sessions, student_sessions.c.student_id == student.id)
        return student.headers

    def _revoked_student(self) -> Headers:
        headers = self._backend.student().headers
        assert self._place.http.post("/api/student/sign-out", headers=headers).status_code == 204
        return headers


def _expected(route: Route, person: str) -> int:
    """200 stands for: let in, whatever is said then."""
    audience = route.audience
    if audience is None:
        return 200
    if isinstance(audience, RequireStudent):
        return 200 if person == "student" else 401
    if person == NEWCOMER:
        return 200 if audience.even_with_first_password else 403
    if person == "disabled":
        return 403  # to sign in again would not help, and that is said
    if person not in {role.value for role in STAFF_ROLES}:
        return 401
    return 200 if Role(person) in audience.roles else 403


def test_who_may_ask_what(place: Place) -> None:
    """Every kind of person at every route; whoever is refused changes nothing."""
    people = _People(place)
    found = []
    for route in place.routes:
        expected = {person: _expected(route, person) for person in people.all}
        refused = {person: status for person, status in expected.items() if status != 200}
        theirs = {person: people.headers(person) for person in refused}
        before = place.state()
        for person, status in refused.items():
            if why := complaint(_ask(place, route, theirs[person]), {status}):
                found.append(f"{route} {person}, expected {status}: {why}")
        if place.state() != before:
            found.append(f"{route} changed something for somebody who was refused")
        for person in expected.keys() - refused.keys():
            answer = _ask(place, route, people.headers(person))
            if not _was_let_in(answer):
                found.append(f"{route} {person}: {answer.text}")
    assert not found, "\n".join(found)


def _ask(place: Place, route: Route, headers: Headers) -> httpx.Response:
    """Without a body or a key, and for things that nobody has: who is let in changes little."""
    ids = {part["name"]: str(uuid7()) for part in route.parameters("path")}
    return place.ask(route, headers, {}, url=route.url({**place.known, **ids}))


def _was_let_in(answer: httpx.Response) -> bool:
    refusals = ("urn:bursar:sign-in-needed", "urn:bursar:wrong-role", "password-change-needed")
    return answer.status_code < 500 and not any(word in answer.text for word in refusals)


# --- objects -----------------------------------------------------------------------------------


def test_what_belongs_to_one_student_is_nothing_to_another(place: Place) -> None:
    """Every route of the students that names an object, in its path or in its body."""
    secrets = _secrets(place)
    found, tried = [], 0
    for course in (place.waiting.course, place.open.course):
        for route in place.routes:
            if not isinstance(route.audience, RequireStudent) or not route.parameters("path"):
                continue
            tried += 1
            headers, before = place.headers_for(route), place.state()
            answer = place.ask(route, headers, url=route.url({**place.known, "course": course}))
            if why := complaint(answer, {403, 404}):
                found.append(f"{route}: {why}")
            if place.state() != before:
                found.append(f"{route} changed something")
            found += [f"{route} tells {s}" for s in secrets if s in answer.text]
    assert tried >= 4
    assert not found, "\n".join(found)


def test_what_belongs_to_one_of_the_staff_is_nothing_to_another(place: Place) -> None:
    """Every route about oneself, with the id of a session of somebody else."""
    found = []
    for route in place.routes:
        if not route.path.startswith("/api/staff/") or not route.parameters("path"):
            continue
        headers = bearer(place.backend.staff(Role.OFFICER, 1))
        before = place.state()
        url = route.url({**place.known, "session": place.session_of_officer()})
        if why := complaint(place.ask(route, headers, url=url), {403, 404}):
            found.append(f"{route}: {why}")
        if place.state() != before:
            found.append(f"{route} changed something")
    assert not found, "\n".join(found)
    alive = place.http.get("/api/staff/me", headers=bearer(place.device.session))
    assert alive.status_code == 200


def test_no_answer_to_a_student_tells_of_another(place: Place) -> None:
    """Every route of the students, rightly asked by somebody else."""
    secrets = _secrets(place)
    found = []
    for route in place.routes:
        if not route.path.startswith("/api/student/"):
            continue
        headers = place.headers_for(route) | place.backend.student().headers
        body = None if route.body is None else place.samples.good(route.body)
        answer = place.ask(route, headers, body, url=route.url(place.known))
        found += [f"{route} tells {secret}" for secret in secrets if secret in answer.text]
    assert not found, "\n".join(found)
    owner = place.http.get("/api/student/cards", headers=place.owner.headers).text
    assert any(secret in owner for secret in secrets)  # the owner sees them


def _secrets(place: Place) -> list[str]:
    row = place.backend.row(place.waiting.enrollment)
    ids = (place.owner.id, place.waiting.enrollment, place.open.enrollment)
    return [place.owner.email, row.reference, place.owner.name + '"', *map(str, ids)]


def test_every_write_of_a_browser_checks_its_origin(place: Place) -> None:
    found, checked = [], 0
    for route in place.routes:
        if route.method not in WRITES or not route.path.startswith("/api/student/"):
            continue
        assert route.origin_checked, route
        for origin in ("https://evil.example", "null", "", place.backend.url + ".evil.example"):
            checked += 1
            headers, before = place.headers_for(route), place.state()
            body = None if route.body is None else place.samples.good(route.body)
            url = route.url(place.known)
            answer = place.ask(route, {**headers, "Origin": origin}, body, url=url)
            why = complaint(answer, {403}) or ("" if place.state() == before else "changed")
            if why:
                found.append(f"{route} from {origin!r}: {why}")
    assert checked >= 20
    assert not found, "\n".join(found)
