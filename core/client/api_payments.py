"""Card payments and the provider's callbacks, as staff see them: one typed method per route.

Everything may raise what `Api` raises. Writes carry a key of their own, so that a renewed session
in between never does a thing twice. Every list is newest first, at most 100 rows a page; the next
page begins `after` the answer's `next_after`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel

from core.client.api import Api, checked, understood
from core.domain.card_money import Settlement
from core.domain.webhooks import DeliveryState
from core.protocol import messages

_M = TypeVar("_M", bound=BaseModel)


class PaymentsApi:
    """For all staff; what needs a role is a ProblemError for anybody else."""

    def __init__(self, api: Api, new_id: Callable[[], UUID]) -> None:
        """`new_id` makes the keys of the writes."""
        self._api = api
        self._new_id = new_id

    # --- attempts ---

    async def attempts(self, *, after: UUID | None = None) -> messages.CardAttemptPage:
        """Every try to pay by card, with its link."""
        return await self._page("/api/payments", messages.CardAttemptPage, after)

    async def attempts_of(self, enrollment: UUID) -> messages.CardAttemptPage:
        """Those of one enrollment, on one page."""
        path = f"/api/payments/enrollments/{enrollment}"
        return await self._page(path, messages.CardAttemptPage)

    async def ask_provider(self, attempt: UUID) -> messages.CardAsked:
        """What does the provider say now? The backend applies it; asking twice applies once."""
        path = f"/api/payments/attempts/{attempt}/ask"
        return understood(await self._api.ask("POST", path), messages.CardAsked)

    # --- late money ---

    async def late_money(
        self, *, after: UUID | None = None, open_only: bool = False
    ) -> messages.LateMoneyPage:
        path = "/api/payments/late-money"
        return await self._page(path, messages.LateMoneyPage, after, open_only=_flag(open_only))

    async def settle_late_money(
        self, money: UUID, how: Settlement, words: str
    ) -> messages.LateMoneyRow:
        """Say what became of it, and why; for officers and supervisors."""
        body = checked(messages.SettleLateMoney, how=how, words=words)
        path = f"/api/payments/late-money/{money}/settle"
        return await self._write(path, messages.LateMoneyRow, body)

    # --- refunds ---

    async def refunds(
        self, *, after: UUID | None = None, open_only: bool = False
    ) -> messages.RefundPage:
        path = "/api/payments/refunds"
        return await self._page(path, messages.RefundPage, after, open_only=_flag(open_only))

    async def refund_sent(self, attempt: UUID) -> messages.RefundRow:
        """The money is on its way; for officers and supervisors."""
        return await self._write(f"/api/payments/refunds/{attempt}/sent", messages.RefundRow)

    async def refund_done(self, attempt: UUID) -> messages.RefundRow:
        """It arrived; for officers and supervisors."""
        return await self._write(f"/api/payments/refunds/{attempt}/done", messages.RefundRow)

    # --- callbacks ---

    async def webhooks(
        self, *, after: UUID | None = None, state: DeliveryState | None = None
    ) -> messages.WebhookPage:
        """Callbacks of the provider; `state` None: all of them."""
        wanted = "" if state is None else state.value
        return await self._page("/api/webhooks", messages.WebhookPage, after, state=wanted)

    async def webhook(self, delivery: UUID) -> messages.WebhookDetail:
        """One callback with its body and every try."""
        return await self._page(f"/api/webhooks/{delivery}", messages.WebhookDetail)

    async def webhook_standing(self) -> messages.WebhookStanding:
        return await self._page("/api/webhooks/standing", messages.WebhookStanding)

    async def alerts(self, *, after: UUID | None = None) -> messages.SecurityAlertPage:
        """Callbacks that were refused."""
        return await self._page("/api/webhooks/alerts", messages.SecurityAlertPage, after)

    async def replay_webhooks(self, deliveries: Sequence[UUID]) -> messages.WebhooksReplayed:
        """Have these worked on again; for supervisors and administrators."""
        body = checked(messages.ReplayWebhooks, deliveries=tuple(deliveries))
        return await self._write("/api/webhooks/replay", messages.WebhooksReplayed, body)

    # --- how ---

    async def _page(
        self, path: str, answer: type[_M], after: UUID | None = None, **query: str
    ) -> _M:
        wanted = {name: value for name, value in query.items() if value}
        if after is not None:
            wanted["after"] = str(after)
        asked = f"{path}?{httpx.QueryParams(wanted)}" if wanted else path
        return understood(await self._api.ask("GET", asked), answer)

    async def _write(self, path: str, answer: type[_M], body: BaseModel | None = None) -> _M:
        key = str(self._new_id())
        return understood(await self._api.ask("POST", path, body, key=key), answer)


def _flag(value: bool) -> str:  # noqa: FBT001 - it turns a flag into its word in a query
    return "true" if value else ""
