"""What the Payments screen asks of the desk behind it. Every method may raise ClientError."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from core.domain.card_money import Settlement
from core.domain.webhooks import DeliveryState
from core.protocol.messages import (
    CardAsked,
    CardAttemptPage,
    LateMoneyPage,
    LateMoneyRow,
    RefundPage,
    RefundRow,
    SecurityAlertPage,
    WebhookDetail,
    WebhookPage,
    WebhooksReplayed,
    WebhookStanding,
)


class PaymentsPort(Protocol):
    """`core.client.api_payments.PaymentsApi` is one. Lists are newest first, page by page."""

    async def attempts(self, *, after: UUID | None = None) -> CardAttemptPage: ...

    async def ask_provider(self, attempt: UUID) -> CardAsked: ...

    async def late_money(
        self, *, after: UUID | None = None, open_only: bool = False
    ) -> LateMoneyPage: ...

    async def settle_late_money(self, money: UUID, how: Settlement, words: str) -> LateMoneyRow: ...

    async def refunds(
        self, *, after: UUID | None = None, open_only: bool = False
    ) -> RefundPage: ...

    async def refund_sent(self, attempt: UUID) -> RefundRow: ...

    async def refund_done(self, attempt: UUID) -> RefundRow: ...

    async def webhooks(
        self, *, after: UUID | None = None, state: DeliveryState | None = None
    ) -> WebhookPage: ...

    async def webhook(self, delivery: UUID) -> WebhookDetail: ...

    async def webhook_standing(self) -> WebhookStanding: ...

    async def alerts(self, *, after: UUID | None = None) -> SecurityAlertPage: ...

    async def replay_webhooks(self, deliveries: Sequence[UUID]) -> WebhooksReplayed: ...
