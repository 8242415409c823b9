"""`Confirmations`: asks the provider what became of a link, and applies only what it says.

A callback, the sweeper and a person all come here. No card is approved any other way: paid, on the
link that we asked about, for our transaction, for the cents of the attempt. Asking twice, on two
nodes at once, applies once: the writer looks at the link again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from core.backend.gateway.provider import CardProvider, LinkStatus, ProviderError
from core.backend.services.card_deciders import FIRST_ASK
from core.backend.services.payment_commands import ConfirmCardCommand, FailCardCommand
from core.backend.services.submitting import submit
from core.backend.storage import payments
from core.backend.storage.payment_records import CardLink
from core.backend.storage.reader import Reader
from core.backend.storage.writer import Writer
from core.domain.card_money import LinkState
from core.domain.failures import FailureClass, explain
from core.domain.money import MoneyError, check_cents

_log = logging.getLogger(__name__)

# The sweeper's looks at one link, each so long after the one before; then one a day.
DELAYS = (
    FIRST_ASK,
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
)
DAILY = timedelta(days=1)
MAX_WORD = 40


class Answer(StrEnum):
    """What came of asking."""

    APPROVED = "approved"
    LATE_MONEY = "late_money"  # paid, and a person has to look
    ALREADY = "already"  # confirmed before
    NOT_PAID = "not_paid"
    FAILED = "failed"  # not paid, and the attempt is marked as failed now
    UNKNOWN = "unknown"  # we have no such link
    UNREACHABLE = "unreachable"  # nobody could be asked: nothing is known


_SAID = {
    Answer.APPROVED: "The payment is confirmed, and access is open.",
    Answer.LATE_MONEY: "The money came, but it fits nothing that is open: somebody has to look.",
    Answer.ALREADY: "This payment was confirmed before.",
    Answer.NOT_PAID: "The provider says that this was not paid yet.",
    Answer.UNKNOWN: "There is no such card payment.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """`message` is for staff. `again`: the same question may get an answer later.

    `index` is the ledger index of the entry that this made; None where it made none.
    """

    answer: Answer
    message: str
    attempt: UUID | None = None
    enrollment: UUID | None = None
    index: int | None = None
    again: bool = False


def next_ask(asks: int, now: datetime) -> datetime:
    """When the sweeper looks again after `asks` looks."""
    return now + (DELAYS[asks] if asks < len(DELAYS) else DAILY)


class Confirmations:
    """`provider` None: no card payments here; whatever links there are stay as they are."""

    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        provider: CardProvider | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._provider = provider
        self._clock = clock

    async def confirm(
        self,
        *,
        attempt: UUID | None = None,
        link: str | None = None,
        failure: FailureClass | None = None,
        by_schedule: bool = False,
    ) -> Confirmed:
        """Ask about one link, named by its attempt or by the provider's own id.

        `failure`: why it did not work, where a verified callback says so; kept unless the provider
        says that it is paid. `by_schedule`: the sweeper asks, whose next turn is set.
        Raises BusyError and StorageError: nothing is known to be lost, ask again.
        """
        name = self._provider.name if self._provider else ""
        known = await self._reader.run(lambda c: _find(c, name, attempt, link))
        if known is None:
            return Confirmed(answer=Answer.UNKNOWN, message=_SAID[Answer.UNKNOWN])
        if known.state is LinkState.PAID:
            return _confirmed(known, Answer.ALREADY)
        if self._provider is None or known.provider != name:
            message = "The provider of this payment is not set up here."
            return _confirmed(known, Answer.UNREACHABLE, message)
        try:
            status = await _ask(self._provider, known)
        except ProviderError as error:
            return await self._trouble(known, error, by_schedule=by_schedule)
        if status is not None and status.paid:
            return await self._paid(known, status, by_schedule=by_schedule)
        return await self._not_paid(known, status, failure, by_schedule=by_schedule)

    async def fail(self, known: CardLink, failure: FailureClass) -> Confirmed:
        """The attempt did not work, for this reason; an attempt that is not open stays as it is."""
        command = FailCardCommand(
            attempt=known.attempt, enrollment=known.enrollment, failure=failure
        )
        answer = (await submit(self._writer, command)).answer
        if answer.index is None:
            return _confirmed(known, Answer.NOT_PAID)
        return _confirmed(known, Answer.FAILED, explain(failure).message, answer.index)

    async def _trouble(
        self, known: CardLink, error: ProviderError, *, by_schedule: bool
    ) -> Confirmed:
        """Nobody knows more than before. What will not get better waits for its next turn."""
        _log.info("the provider did not answer about a link: %s", error.failure.value)
        if by_schedule and not error.retryable:
            await self._note(known, known.word, gone=False, by_schedule=True)
        return _confirmed(known, Answer.UNREACHABLE, error.message, again=error.retryable)

    # --- paid ----------------------------------------------------------------------------------

    async def _paid(self, known: CardLink, status: LinkStatus, *, by_schedule: bool) -> Confirmed:
        if not await self._is_about(known, status):
            _log.warning("the provider answered about another link than the one asked about")
            await self._note(known, known.word, gone=False, by_schedule=by_schedule)
            message = "The provider answered about another payment. Nothing was changed."
            return _confirmed(known, Answer.UNREACHABLE, message)
        command = ConfirmCardCommand(
            attempt=known.attempt,
            enrollment=known.enrollment,
            link_id=status.link_id,
            word=status.word[:MAX_WORD],
            cents=_cents(status),
            ours=status.external_id in {None, known.external_id},
        )
        outcome = await submit(self._writer, command)
        answer = outcome.answer
        if answer.index is None or outcome.repeated:
            return _confirmed(known, Answer.ALREADY)
        late = answer.code == Answer.LATE_MONEY
        if late and (command.cents != known.cents or not command.ours):
            _log.warning("a card payment came with another amount or for another transaction")
        return _confirmed(known, Answer.LATE_MONEY if late else Answer.APPROVED, index=answer.index)

    async def _is_about(self, known: CardLink, status: LinkStatus) -> bool:
        """The same link; where we did not know its id, one that no other attempt has."""
        if known.link_id is not None:
            return status.link_id == known.link_id
        found = await self._reader.run(
            lambda c: payments.read_links_by_link_id(c, known.provider, [status.link_id])
        )
        return not found and status.external_id in {None, known.external_id}

    # --- not paid ------------------------------------------------------------------------------

    async def _not_paid(
        self,
        known: CardLink,
        status: LinkStatus | None,
        failure: FailureClass | None,
        *,
        by_schedule: bool,
    ) -> Confirmed:
        word = "" if status is None else status.word[:MAX_WORD]
        failed = failure
        if known.url is None and self._clock() - known.created_at >= FIRST_ASK:
            # Whoever made this attempt is gone, and with them the page to pay on.
            failed = failure or FailureClass.NETWORK
            if status is not None and await self._is_about(known, status):
                await self._adopt(known, status.link_id)
        result = _confirmed(known, Answer.NOT_PAID)
        if failed is not None:
            result = await self.fail(known, failed)
        await self._note(known, word, gone=status is None, by_schedule=by_schedule)
        return result

    async def _adopt(self, known: CardLink, link_id: str) -> None:
        attempt = known.attempt
        await self._writer.run(lambda c: payments.store_link(c, attempt, link_id, None))

    async def _note(self, known: CardLink, word: str, *, gone: bool, by_schedule: bool) -> None:
        now = self._clock()
        later = next_ask(known.asks + 1, now) if by_schedule else None
        await self._writer.run(
            lambda c: payments.note_answer(
                c, known.attempt, word=word, gone=gone, now=now, next_ask_at=later
            )
        )


async def _ask(provider: CardProvider, known: CardLink) -> LinkStatus | None:
    if known.link_id is not None:
        return await provider.link_status(known.link_id)
    return await provider.transaction_status(known.external_id)


def _find(
    connection: Connection, provider: str, attempt: UUID | None, link: str | None
) -> CardLink | None:
    found = None if attempt is None else payments.read_link(connection, attempt)
    if found is None and link is not None:
        return next(iter(payments.read_links_by_link_id(connection, provider, [link])), None)
    return found


def _cents(status: LinkStatus) -> int | None:
    """An amount that cannot be is none at all."""
    try:
        return None if status.amount_cents is None else check_cents(status.amount_cents)
    except MoneyError:
        return None


def _confirmed(
    known: CardLink,
    answer: Answer,
    message: str | None = None,
    index: int | None = None,
    *,
    again: bool = False,
) -> Confirmed:
    return Confirmed(
        answer=answer,
        message=_SAID[answer] if message is None else message,
        attempt=known.attempt,
        enrollment=known.enrollment,
        index=index,
        again=again,
    )
