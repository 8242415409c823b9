"""The pay links of attempts: an intent is there already, the provider is asked, the result kept.

A crash between any two of these steps leaves a link in state `creating`: the sweeper finds out what
became of it, and the student starts another attempt.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from uuid import UUID

from core.backend.gateway.provider import CardProvider, LinkRequest, PayLink, ProviderError
from core.backend.services.confirmations import Confirmations
from core.backend.storage import payments
from core.backend.storage.payment_records import CardLink
from core.backend.storage.reader import Reader
from core.backend.storage.writer import Writer
from core.domain.card_money import LinkState
from core.domain.failures import FailureClass
from core.domain.references import show_reference

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CardAddresses:
    """Where the provider calls back and sends people; `public_url` is ours, without a slash."""

    public_url: str
    callback_path: str = "/webhooks/ikhokha"  # fixed, plain, without a query: it is signed

    @property
    def callback(self) -> str:
        return f"{self.public_url}{self.callback_path}"

    def page(self, outcome: str, enrollment: UUID) -> str:
        """The student's page after the pay page. It proves nothing: the page asks the backend."""
        return f"{self.public_url}/?card={outcome}&enrollment={enrollment}"


class CardLinks:
    """`ready` from any task; two who ask for one attempt at once share one call."""

    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        provider: CardProvider,
        confirmations: Confirmations,
        addresses: CardAddresses,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._provider = provider
        self._confirmations = confirmations
        self._addresses = addresses
        self._making: dict[UUID, asyncio.Task[None]] = {}

    @property
    def provider(self) -> CardProvider:
        return self._provider

    async def ready(self, attempt: UUID, reference: str, *, is_new: bool) -> None:
        """Make the link of this attempt unless it is there; afterwards the database says how it is.

        `is_new`: this caller wrote the intent, so that the provider cannot know of it yet. Goes on
        where its caller is cut off. Raises StorageError, BusyError.
        """
        task = self._making.get(attempt)
        if task is None:
            work = self._make(attempt, reference, is_new=is_new)
            task = asyncio.create_task(work, name=f"card-link-{attempt}")
            self._making[attempt] = task
            task.add_done_callback(lambda done: self._made(attempt, done))
        await asyncio.shield(task)

    def _made(self, attempt: UUID, task: asyncio.Task[None]) -> None:
        del self._making[attempt]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.info("a card link was not made: %s", type(error).__name__)

    async def stop(self) -> None:
        """Let what is under way come to its end."""
        while self._making:
            await asyncio.wait(list(self._making.values()))
            await asyncio.sleep(0)  # their callbacks take them off the list

    async def _make(self, attempt: UUID, reference: str, *, is_new: bool) -> None:
        link = await self._reader.run(lambda c: payments.read_link(c, attempt))
        if link is None or link.state is not LinkState.CREATING:
            return
        try:
            if not is_new and await self._provider.transaction_status(link.external_id) is not None:
                # Made before, by somebody who is gone: nobody can tell its page any more.
                await self._confirmations.fail(link, FailureClass.NETWORK)
                return
            made = await self._provider.create_link(self._request(link, reference))
        except ProviderError as error:
            await self._not_made(link, error)
            return
        await self._keep(link, made)

    async def _keep(self, link: CardLink, made: PayLink) -> None:
        await self._writer.run(lambda c: payments.store_link(c, link.attempt, made.id, made.url))

    async def _not_made(self, link: CardLink, error: ProviderError) -> None:
        """The student may try again at once. What may yet exist stays with the sweeper."""
        _log.info("the provider made no link: %s", error.failure.value)
        await self._confirmations.fail(link, error.failure)
        if not error.outcome_unknown and error.failure is not FailureClass.DUPLICATE:
            await self._writer.run(lambda c: payments.close_link(c, link.attempt))

    def _request(self, link: CardLink, reference: str) -> LinkRequest:
        shown = show_reference(reference)
        return LinkRequest(
            external_id=link.external_id,
            amount_cents=link.cents,
            description=f"Enrollment {shown}",
            reference=shown,
            callback_url=self._addresses.callback,
            success_url=self._addresses.page("success", link.enrollment),
            failure_url=self._addresses.page("failure", link.enrollment),
            cancel_url=self._addresses.page("cancel", link.enrollment),
            requester_url=self._addresses.public_url,
        )
