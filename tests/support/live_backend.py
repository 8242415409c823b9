"""`live_backend`: our real backend over real sockets and a real database file, for one test.

It runs in a thread with a loop of its own, so that synchronous and asynchronous tests use it alike:
every method here blocks until the backend has done it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
from starlette.types import ASGIApp
from uuid_utils.compat import uuid7

from core.backend.gateway.provider import CardProvider
from core.backend.services.container import Services, build
from core.backend.services.identities import StudentIdentity
from core.backend.services.realtime import SyncLimits
from core.backend.services.webhooks import CallbackKeys
from core.backend.storage.ledger import read_head
from core.backend.web.app import create_app
from core.backend.web.live import LiveLimits
from core.domain.decisions import ReasonCode, Verdict
from core.domain.enrollment import PaymentMethod
from core.domain.roles import Role
from core.ledger.keys import SigningKey
from core.ledger.tree import root_from_peaks
from core.protocol.messages import (
    DecisionAnswer,
    DecisionAnswers,
    DecisionBatch,
    EnrollmentDetail,
    EnrollmentRow,
    RowPage,
    Session,
    SignedDecision,
    SignUp,
)
from tests.support.live_people import Claimed, LiveDevice, LiveStudent
from tests.support.live_server import LiveServer, LoopThread, Weather
from tests.support.live_template import (
    PASSWORD,
    LiveCourse,
    LivePerson,
    Template,
    enroll_device,
    live_config,
    sign_in,
)

_T = TypeVar("_T")


def http_client(url: str) -> httpx.Client:
    """A client for plain http on this machine: without proxies, without anybody's session."""
    # Reading the system's certificates would take longer than most tests do.
    return httpx.Client(base_url=url, trust_env=False, verify=False)  # noqa: S501


class LiveBackend:
    """`url` and `ws_url` stay the same for its whole life, dark or not.

    `services` are the backend's own parts; call their coroutines through `run`.
    """

    def __init__(
        self,
        template: Template,
        folder: Path,
        *,
        live_limits: LiveLimits | None = None,
        sync_limits: SyncLimits | None = None,
        card_provider: CardProvider | None = None,
        callback_keys: CallbackKeys | None = None,
    ) -> None:
        self.folder = folder
        self._card_provider = card_provider
        self._callback_keys = callback_keys
        self._template = template
        self._live_limits = live_limits
        self._sync_limits = sync_limits
        self._names = itertools.count(1)
        template.copy_to(folder)
        self._thread = LoopThread()
        self._server = LiveServer(self._thread)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self.ws_url = f"ws://127.0.0.1:{self._server.port}"
        self._http = http_client(self.url)
        self.services = self._build()
        self._server.serve(self._app())

    def _build(self) -> Services:
        config = live_config(self.folder, url=self.url, sync_limits=self._sync_limits)
        services = build(
            replace(config, card_provider=self._card_provider, callback_keys=self._callback_keys)
        )
        self._thread.run(services.start())
        return services

    def _app(self) -> ASGIApp:
        return create_app(self.services, live_limits=self._live_limits)

    def close(self) -> None:
        """Cut everybody off and stop; `AssertionError` if the backend left something behind."""
        self._http.close()
        self._server.close()
        self._thread.run(self.services.stop())
        self._thread.close()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine of the services on the backend's own loop."""
        return self._thread.run(work)

    # --- the weather -------------------------------------------------------------------------

    def offline(self) -> AbstractContextManager[None]:
        """Cut every connection and refuse new ones; back on the same port, same database.

        Everything else here goes on working meanwhile: things happen while a client is away.
        """
        return self._server.dark()

    def restart(self) -> None:
        """Stop and start again over the same database, as after a crash of the machine."""
        with self._server.dark():
            self._thread.run(self.services.stop())
            self.services = self._build()
            self._server.replace(self._app())

    @contextmanager
    def slow(self, seconds: float = 0.3) -> Iterator[None]:
        """Every answer and every live message comes this much later."""
        self._weather.delay = seconds
        try:
            yield
        finally:
            self._weather.delay = 0.0

    @contextmanager
    def held(self) -> Iterator[None]:
        """No request is answered before this ends: to look at what is shown meanwhile."""
        self._thread.loop.call_soon_threadsafe(self._weather.open.clear)
        try:
            yield
        finally:
            self._thread.loop.call_soon_threadsafe(self._weather.open.set)

    @property
    def _weather(self) -> Weather:
        assert self._server.weather is not None
        return self._server.weather

    @property
    def connections(self) -> int:
        """How many sockets are open now."""
        return self._server.connections

    # --- people ------------------------------------------------------------------------------

    @property
    def courses(self) -> tuple[LiveCourse, ...]:
        """The last one costs more than one officer may approve alone."""
        return self._template.courses

    def person(self, role: Role, number: int = 0) -> LivePerson:
        """Somebody on the staff; there are two officers. Everybody's password is PASSWORD."""
        return self._template.staff[role][number]

    def staff(self, role: Role = Role.OFFICER, number: int = 0) -> Session:
        """A fresh session of `person(role, number)`."""
        return self.run(sign_in(self.services, self.person(role, number)))

    def device(self, role: Role = Role.OFFICER, number: int = 0) -> LiveDevice:
        """A new device of that person, enrolled by the administrator's first device."""
        owner, administrator = self.staff(role, number), self.staff(Role.ADMINISTRATOR)
        device = LiveDevice(id=uuid7(), session=owner, key=SigningKey(os.urandom(32)))
        self.run(
            enroll_device(
                self.services,
                owner=owner,
                device=device.id,
                key=device.key,
                by_device=self._template.root_device,
                by_key=self._template.root_key,
                administrator=administrator,
            )
        )
        return device

    def student(self, name: str | None = None) -> LiveStudent:
        """A student who has just signed up."""
        return self.run(self._sign_up(name))

    async def _sign_up(self, name: str | None = None) -> LiveStudent:
        number = next(self._names)
        name = name or f"Student {number}"
        email = f"student{number}@mail.example"
        body = SignUp(name=name, email=email, password=PASSWORD)
        # Everybody from an address of their own: one that signs up many is slowed down.
        address = f"student {number}"
        session = await self.services.accounts.student_sign_up(body, address=address)
        student = session.identity.student
        return LiveStudent(student, name, email, PASSWORD, session.token, self.url)

    # --- the job -----------------------------------------------------------------------------

    def claim(
        self, student: LiveStudent | None = None, course: LiveCourse | None = None
    ) -> Claimed:
        """One student enrolls and says: I have paid."""
        return self.run(self._claim(course or self.courses[0], student))

    def push_claims(self, count: int, course: LiveCourse | None = None) -> list[Claimed]:
        """That many new students, all at once, through the real commands."""
        return self.run(self._push(count, course or self.courses[0]))

    async def _push(self, count: int, course: LiveCourse) -> list[Claimed]:
        return list(await asyncio.gather(*(self._claim(course) for _ in range(count))))

    async def _claim(self, course: LiveCourse, student: LiveStudent | None = None) -> Claimed:
        student = student or await self._sign_up()
        identity = await self._identity(student)
        orchestrator = self.services.orchestrator
        await orchestrator.enroll(identity, course.id, PaymentMethod.EFT, key=str(uuid7()))
        card = await orchestrator.submit_eft(identity, course.id, key=str(uuid7()))
        assert card.enrollment is not None
        return Claimed(student, course.id, card.enrollment)

    async def _identity(self, student: LiveStudent) -> StudentIdentity:
        return await self.services.accounts.student_identity(student.token)

    def pending(self) -> RowPage:
        """The first page of what waits, as the console gets it."""
        return self.run(self.services.approval.pending(after=None, limit=500))

    def row(self, enrollment: UUID) -> EnrollmentRow:
        """The enrollment as staff see it now."""
        return self.detail(enrollment).row

    def detail(self, enrollment: UUID) -> EnrollmentDetail:
        return self.run(self.services.approval.detail(enrollment))

    @property
    def size(self) -> int:
        """How many entries the ledger has."""
        return self.services.reader.run_now(read_head).size

    @property
    def root(self) -> bytes:
        """The root over the whole ledger."""
        return root_from_peaks(self.services.reader.run_now(read_head).peaks)

    def decision(
        self,
        device: LiveDevice,
        enrollment: UUID,
        verdict: Verdict = Verdict.APPROVE,
        *,
        reason: ReasonCode | None = None,
        words: str | None = None,
    ) -> SignedDecision:
        """A rightly signed decision about what the enrollment is now."""
        return device.decision(
            self.row(enrollment), verdict, as_of=self.size - 1, reason=reason, words=words
        )

    def decide(self, device: LiveDevice, *decisions: SignedDecision) -> list[DecisionAnswer]:
        """Post decisions over HTTP as the device's owner; one answer each, in order."""
        body = DecisionBatch(items=decisions).model_dump_json()
        headers = {**device.headers, "Content-Type": "application/json"}
        answer = self._http.post("/api/decisions", content=body, headers=headers)
        answer.raise_for_status()
        return list(DecisionAnswers.model_validate_json(answer.content).results)

    def approve(self, device: LiveDevice, enrollment: UUID) -> DecisionAnswer:
        """The officer approves what is on the screen, over HTTP."""
        return self.decide(device, self.decision(device, enrollment))[0]

    def reject(self, device: LiveDevice, enrollment: UUID) -> DecisionAnswer:
        """The officer rejects it: no payment was found."""
        decision = self.decision(
            device, enrollment, Verdict.REJECT, reason=ReasonCode.NO_PAYMENT_FOUND
        )
        return self.decide(device, decision)[0]
