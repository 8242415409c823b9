"""A live backend and the sandbox, over real HTTP both ways."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from uuid_utils.compat import uuid7

from core.backend.demo_cards import DemoCards
from core.backend.gateway.sandbox.book import SandboxLink
from core.backend.gateway.sandbox.mischief import Mischief
from core.backend.gateway.sandbox.sandbox import Sandbox
from core.backend.storage import queries, webhooks
from core.backend.storage.webhook_records import Alert, Delivery
from core.domain.enrollment import Enrollment, PaymentMethod
from core.domain.webhooks import DeliveryState
from core.protocol.messages import CardView
from tests.backend.webhooks.letters import compact, fields, signed
from tests.support.live_backend import LiveBackend
from tests.support.live_people import LiveStudent
from tests.support.live_template import Template
from tests.support.waiting import wait_until


class Till:
    """`cards` are the demo's own: the provider, its keys, and the sandbox behind it."""

    def __init__(self, template: Template, folder: Path, cards: DemoCards | None = None) -> None:
        self.cards = cards or DemoCards()
        self._open: AbstractAsyncContextManager[None] = self.cards.open()
        self.backend = LiveBackend(
            template, folder,
            card_provider=self.cards.provider, callback_keys=self.cards.callback_keys,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self.backend.run(self._open.__aenter__())
        sweeper = self.backend.services.sweeper
        assert sweeper is not None
        # Its first look at the history is over: from now on a payment is found by its callback.
        wait_until(lambda: sweeper._compared, what="the sweeper's first look")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.backend.run(self._open.__aexit__(None, None, None))
        self.backend.close()

    @property
    def sandbox(self) -> Sandbox:
        return self.cards.sandbox

    @property
    def secret(self) -> str:
        return self.cards.callback_keys.secrets[0]

    def enroll(self, student: LiveStudent) -> SandboxLink:
        """Wants to pay by card: the link."""
        orchestrator = self.backend.services.orchestrator
        identity = self.backend.run(self.backend._identity(student))
        course = self.backend.courses[0].id
        payment = self.backend.run(
            orchestrator.enroll(identity, course, PaymentMethod.CARD, key=str(uuid7()))
        )
        assert payment.card_payment is not None
        assert payment.card_payment.url is not None
        link = self.sandbox.book.find(payment.card_payment.url.rpartition("/")[2])
        assert link is not None
        return link

    def enrollment(self, student: LiveStudent) -> Enrollment:
        run = self.backend.services.reader.run_now
        found = run(lambda c: queries.read_place(c, student.id, self.backend.courses[0].id))
        assert found is not None
        return found

    def card(self, student: LiveStudent) -> CardView:
        identity = self.backend.run(self.backend._identity(student))
        return self.backend.run(self.backend.services.orchestrator.cards(identity)).cards[0]

    def letter(self, link: SandboxLink, **said: bool | str) -> tuple[bytes, dict[str, str]]:
        """A callback about it, as the sandbox would sign it: body and headers."""
        body = compact(fields(link.id, link.external_id, **said))  # type: ignore[arg-type]  # passed on
        return body, self.sign(body)

    def sign(self, body: bytes, **how: str) -> dict[str, str]:
        keys = self.cards.callback_keys
        return signed(body, **{"secret": self.secret, "app_id": keys.app_id} | how)

    def misbehave(self, **how: object) -> None:
        self.sandbox.mischief = Mischief.model_validate(how)

    # --- what is there -------------------------------------------------------------------------

    def settled(self) -> None:
        """Every callback of the sandbox has come, and is worked on."""
        self.backend.run(self.sandbox.callbacks.settled())
        wait_until(lambda: not self._waiting(), what="callbacks that are worked on")

    def _waiting(self) -> list[Delivery]:
        return [d for d in self.deliveries() if d.state is DeliveryState.WAITING]

    def deliveries(self) -> list[Delivery]:
        run = self.backend.services.reader.run_now
        return run(lambda c: webhooks.read_page(c, state=None, after=None, limit=1000))[::-1]

    def alerts(self) -> list[Alert]:
        """Once what was noted is kept."""
        handler = self.backend.services.webhooks
        assert handler is not None
        self.backend.run(handler.alerts.flush())
        return self.backend.services.reader.run_now(lambda c: webhooks.read_alerts(c, None, 1000))
