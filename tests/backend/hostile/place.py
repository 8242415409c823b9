"""The backend that is attacked: who is there, how they ask, and what must not change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import select, update
from sqlalchemy.engine import Connection
from uuid_utils.compat import uuid7

from core.backend.storage.tables import metadata, staff_sessions, student_sessions
from core.backend.web.app import create_app
from core.domain.enrollment import PaymentMethod
from core.domain.roles import Role
from core.protocol.messages import Problem, SignIn
from tests.backend.hostile.routes import Route, all_routes
from tests.backend.hostile.samples import Samples
from tests.backend.web.asking import bearer
from tests.support.live_backend import LiveBackend
from tests.support.live_template import PASSWORD

MEDIA_TYPE = "application/problem+json"
# Written by the signer in its own time, and answers that are kept; both say nothing of money.
_UNWATCHED = {"checkpoints", "idempotency"}
# Sessions are told apart by number only: when one was last seen is written on every request.
_COUNTED = {"staff_sessions", "student_sessions"}
_PAST = datetime(2020, 1, 1, tzinfo=UTC)


class Place:
    """A live backend with one waiting and one approved enrollment of one student."""

    def __init__(self, backend: LiveBackend, http: httpx.Client) -> None:
        self.backend = backend
        self.http = http
        app = create_app(backend.services)
        self.document = app.openapi()
        self.app = app
        self.routes = all_routes(app)
        self.owner = backend.student()
        self.waiting = backend.claim(self.owner)
        self.open = backend.claim(self.owner, backend.courses[1])
        self.device = backend.device()
        assert backend.approve(self.device, self.open.enrollment).kind == "accepted"
        self.other = backend.student()
        self.known: Mapping[str, object] = {
            "course": self.waiting.course,
            "enrollment": self.waiting.enrollment,
            "device": self.device.id,
            "user": self.device.user,
            "session": self._session_of_owner(),
            "method": PaymentMethod.EFT.value,
            "attempt": uuid7(),  # nobody pays by card here
            "money": uuid7(),
            "delivery": uuid7(),  # and nobody calls back
            "name": "x",  # of a font
            "refresh_token": self._token_of_somebody_disabled(),
        }
        self.samples = Samples(self.document, self.known)

    def session_of_officer(self) -> object:
        """The session of the officer whose device this is."""
        mine = select(staff_sessions.c.id).where(staff_sessions.c.user_id == self.device.user)
        return self.backend.services.reader.run_now(lambda c: c.execute(mine).scalars().first())

    def _token_of_somebody_disabled(self) -> str:
        email, services = "gone@college.example", self.backend.services
        left = services.accounts.add_user(
            email=email, name="Zodwa Sithole", password=PASSWORD, roles=frozenset({Role.OFFICER})
        )
        user = self.backend.run(left)
        signed_in = services.accounts.staff_sign_in(
            SignIn(email=email, password=PASSWORD), address=""
        )
        session = self.backend.run(signed_in)
        users = services.users
        self.backend.run(users.set_disabled(users.by_system(), user, disabled=True))
        return session.refresh_token

    def _session_of_owner(self) -> object:
        mine = select(student_sessions.c.id).where(student_sessions.c.student_id == self.owner.id)
        return self.backend.services.reader.run_now(lambda c: c.execute(mine).scalars().first())

    # --- asking --------------------------------------------------------------------------------

    def headers_for(self, route: Route) -> dict[str, str]:
        """A session that the route lets in, and a fresh key."""
        headers: dict[str, str] = {"Idempotency-Key": str(uuid7())}
        if route.audience is None:
            return headers | {"Origin": self.backend.url}
        if route.audience.scheme_name == "student":
            return headers | self.other.headers
        roles = getattr(route.audience, "roles", frozenset[Role]())
        # Not the officer, whose password some routes change.
        role = Role.ADMINISTRATOR if Role.ADMINISTRATOR in roles else Role.SUPERVISOR
        return headers | bearer(self.backend.staff(role))

    def ask(
        self, route: Route, headers: Mapping[str, str], body: object = None, **options: Any
    ) -> httpx.Response:
        """With the ids that exist in the path. A body may hold what httpx itself would refuse."""
        self.forgive()
        if body is not None:
            options["content"] = json.dumps(body).encode()
            headers = {**headers, "Content-Type": "application/json"}
        url = options.pop("url", None) or route.url(self.known)
        return self.http.request(route.method, url, headers=dict(headers), **options)

    def forgive(self) -> None:
        """Nobody has to wait for wrong guesses: those have tests of their own."""
        self.backend.services.accounts._guesses._tries.clear()

    # --- what must not change ------------------------------------------------------------------

    def state(self) -> dict[str, str]:
        """Every table that counts, as a digest; and the ledger's root."""
        found = self.backend.services.reader.run_now(_digests)
        return {**found, "ledger": f"{self.backend.size} {self.backend.root.hex()}"}

    def expire(self, table: Any, where: Any) -> None:
        """Sessions that ended some years ago."""
        column = "access_expires_at" if table is staff_sessions else "expires_at"
        with self.backend.services.engine.begin() as connection:
            connection.execute(update(table).where(where).values({column: _PAST}))


def _digests(connection: Connection) -> dict[str, str]:
    found = {}
    for table in metadata.sorted_tables:
        if table.name in _UNWATCHED:
            continue
        rows = sorted(repr(row) for row in connection.execute(select(table)))
        told = "" if table.name in _COUNTED else hashlib.sha256("".join(rows).encode()).hexdigest()
        found[table.name] = f"{len(rows)} {told}"
    return found


def complaint(answer: httpx.Response, allowed: Iterable[int] | None = None) -> str:
    """Why this is no plain refusal; empty where it is one.

    A problem document, of a 4xx status (one of `allowed`), in words, without a word of Python.
    """
    if not 400 <= answer.status_code < 500:
        return f"answered {answer.status_code}: {answer.text[:200]}"
    if answer.headers.get("content-type") != MEDIA_TYPE:
        return f"answered {answer.status_code} as {answer.headers.get('content-type')}"
    problem = Problem.model_validate_json(answer.content)
    if problem.status != answer.status_code or not problem.type.startswith("urn:bursar:"):
        return f"a problem that does not fit: {problem}"
    if not problem.detail.endswith((".", "?")) or "Traceback" in problem.detail:
        return f"not in plain words: {problem.detail}"
    if allowed is not None and answer.status_code not in allowed:
        return f"answered {answer.status_code} {problem.detail}"
    return ""
