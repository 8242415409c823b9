"""A shop that is called back, without a socket; its provider does what the test says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.backend.services.identities import StudentIdentity
from core.backend.services.webhooks import WebhookHandler
from core.backend.storage import webhooks
from core.backend.storage.webhook_records import Alert, Delivery, Try
from tests.backend.payments.shop import Shop
from tests.backend.webhooks.letters import compact, fields, signed


@dataclass(frozen=True)
class Office:
    shop: Shop

    @property
    def handler(self) -> WebhookHandler:
        handler = self.shop.house.services.webhooks
        assert handler is not None
        return handler

    async def student(self) -> StudentIdentity:
        """With an open link to pay on."""
        student = await self.shop.house.student()
        await self.shop.enroll(student)
        return student

    async def receive(self, raw: bytes, address: str = "203.0.113.7", **how: Any) -> bool:
        """`how`: see `signed`."""
        headers = signed(raw, **how)
        return await self.handler.receive(
            raw, signature=headers["ik-sign"], app_id=headers["ik-appid"], address=address
        )

    async def called_back(self, *, success: bool = True, code: str = "00") -> bool:
        """About the newest link."""
        link = self.shop.links()[-1]
        assert link.link_id is not None
        body = fields(link.link_id, link.attempt, success=success, code=code)
        return await self.receive(compact(body))

    async def work(self) -> int:
        return await self.handler.worker.work()

    def deliveries(self) -> list[Delivery]:
        """Oldest first."""
        run = self.shop.house.services.reader.run_now
        return run(lambda c: webhooks.read_page(c, state=None, after=None, limit=1000))[::-1]

    def delivery(self) -> Delivery:
        (only,) = self.deliveries()
        return only

    def tries(self, delivery: UUID) -> list[Try]:
        run = self.shop.house.services.reader.run_now
        return run(lambda c: webhooks.read_tries(c, delivery))

    def alerts(self) -> list[Alert]:
        run = self.shop.house.services.reader.run_now
        return run(lambda c: webhooks.read_alerts(c, None, 1000))[::-1]
