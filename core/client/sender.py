"""`Sender`: takes due decisions from the outbox, sends them, and writes down the answers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from core.client.backoff import CAP_SECONDS, Jitter, delay
from core.client.errors import ClientError, ProblemError, SignInNeededError, UnreachableError
from core.client.outbox import Outbox, OutboxItem, OutboxState
from core.protocol.messages import (
    MAX_DECISIONS,
    MAX_INBOUND_BYTES,
    AnswerKind,
    DecisionAnswer,
    DecisionAnswers,
    DecisionBatch,
    Device,
    SignedDecision,
)

# A request's limit, less room for the brackets around its items.
_MAX_BATCH_BYTES = MAX_INBOUND_BYTES - 1024

_STATES: Mapping[AnswerKind, OutboxState] = MappingProxyType(
    {
        AnswerKind.ACCEPTED: OutboxState.ACCEPTED,
        AnswerKind.CONFLICT_DECIDED: OutboxState.CONFLICT,
        AnswerKind.CONFLICT_CHANGED: OutboxState.CONFLICT,
        AnswerKind.REFUSED: OutboxState.REFUSED,
    }
)
# A window paints once for so many answers: few enough that nobody sees it stand still.
_TOLD_AT_ONCE = 8
_SIGN_IN_NEEDED = "sign_in_needed"
# Of a request that was refused as a whole: an answer to an earlier one may have been lost.
MAYBE_DONE = "If it was sent before, it may have been carried out: the audit trail tells."
_NUMBER_REUSED = "number_reused"


class SenderState(StrEnum):
    IDLE = "idle"
    SENDING = "sending"
    UNREACHABLE = "unreachable"
    SIGN_IN_NEEDED = "sign_in_needed"


class DecisionApi(Protocol):
    """The two routes this needs; `Api` has them."""

    async def decide(self, batch: DecisionBatch) -> DecisionAnswers: ...

    async def device(self, device: UUID) -> Device: ...


class Sender:
    """Sends one officer's decisions from one device; run `run` as a task, `wake` it after each add.

    `on_result` gets every item whose state or reason changed, `on_state` every change of state.
    Decisions about one enrollment keep their order; different enrollments never wait for each
    other. A sign-in that is needed pauses everything until `signed_in`. One request is under way at
    a time; where it runs into trouble the next ones are smaller, down to one decision each.
    """

    def __init__(
        self,
        *,
        api: DecisionApi,
        outbox: Outbox,
        officer: UUID,
        device: UUID,
        on_result: Callable[[OutboxItem], None],
        on_state: Callable[[SenderState], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Jitter = random.random,
    ) -> None:
        self._api = api
        self._outbox = outbox
        self._officer = officer
        self._device = device
        self._on_result = on_result
        self._on_state = on_state
        self._now = now
        self._jitter = jitter
        self._wake = asyncio.Event()
        self._limit = MAX_DECISIONS
        self._number_in_doubt = False
        self.state = SenderState.IDLE

    async def run(self) -> None:
        """Send for ever. Raises OutboxError if the queue itself fails."""
        await self._outbox.sweep()
        while True:
            self._wake.clear()
            if await self.send_due() == 0:
                await self._wait()

    def wake(self) -> None:
        """Something was added to the outbox."""
        self._wake.set()

    async def retry_now(self) -> None:
        """The network is back: do not wait for the back-off."""
        await self._outbox.release(self._officer, self._now())
        self.wake()

    async def signed_in(self) -> None:
        """There is a session again."""
        self._become(SenderState.IDLE)
        await self.retry_now()

    async def send_due(self) -> int:
        """One round: how many decisions were taken from the queue."""
        if self.state is SenderState.SIGN_IN_NEEDED:
            return 0
        if self._number_in_doubt:
            await self._learn_number()
        items = await self._outbox.next_batch(
            officer=self._officer, device=self._device, now=self._now(), limit=self._limit
        )
        if items:
            self._become(SenderState.SENDING)
            ready = [item for item in items if not await self._lost(item)]
            reached = await self._send_all(ready)
            if reached:
                self._become(SenderState.IDLE)
        return len(items)

    async def _wait(self) -> None:
        seconds = None
        if self.state is not SenderState.SIGN_IN_NEEDED:
            due = await self._outbox.next_due(self._officer, self._device)
            if due is not None:
                # Nothing is ever put off for longer than the cap.
                seconds = min(max((due - self._now()).total_seconds(), 0.01), CAP_SECONDS)
        with contextlib.suppress(TimeoutError):
            # Not `wait_for`: Python 3.11's loses a cancellation that comes with the event.
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _lost(self, item: OutboxItem) -> bool:
        if not item.note_lost:
            return False
        changed = await self._outbox.mark_needs_person(
            item.id,
            code="note_lost",
            message="The words of this decision can no longer be read on this computer. "
            "Please decide again.",
        )
        self._on_result(changed)
        return True

    async def _send_all(self, items: Sequence[OutboxItem]) -> bool:
        """Whether the backend could be reached; if not, the rest goes back to the queue at once."""
        chunks = list(_chunks(items))
        for position, chunk in enumerate(chunks):
            try:
                some_are_done = await self._send(chunk)
            except ClientError as error:
                if not isinstance(error, SignInNeededError):
                    self._limit = max(1, len(chunk) // 2)
                rest = [item for later in chunks[position:] for item in later]
                await self._put_back(rest, error)
                return False
            if some_are_done:  # else one that fails would always find company to take along
                self._limit = min(MAX_DECISIONS, self._limit * 2)
        return True

    async def _send(self, items: Sequence[OutboxItem]) -> bool:
        """Whether any needs no further try. Raises what concerns the connection and not these."""
        batch = DecisionBatch(items=tuple(_signed(item) for item in items))
        try:
            answers = await self._api.decide(batch)
        except ClientError as error:
            if _is_passing(error):
                raise
            return await self._blame(items, error)
        by_id = {answer.id: answer for answer in answers.results}
        return await self._write([by_id.get(item.id) or _no_answer(item) for item in items])

    async def _blame(self, items: Sequence[OutboxItem], error: ClientError) -> bool:
        """The request was refused as a whole: halve it, to find the one that is to blame."""
        if len(items) > 1:
            half = len(items) // 2
            first = await self._send(items[:half])
            return await self._send(items[half:]) or first
        code = error.problem.type if isinstance(error, ProblemError) else "not_understood"
        words = f"{error} {MAYBE_DONE}"
        for item in items:
            changed = await self._outbox.mark_needs_person(item.id, code=code, message=words)
            self._on_result(changed)
        return True

    async def _write(self, answers: Sequence[DecisionAnswer]) -> bool:
        """All of one request in one go; every change of the file costs the disk a moment."""
        final: list[tuple[DecisionAnswer, OutboxState]] = []
        later: dict[tuple[str, str], list[UUID]] = {}
        for answer in answers:
            state = _STATES.get(answer.kind)
            if state is None:
                later.setdefault((answer.code, answer.message), []).append(answer.id)
            else:
                final.append((answer, state))
        if final:
            changed = await self._outbox.mark_answered_many(final)
            if any(answer.code == _NUMBER_REUSED for answer, _ in final):
                await self._learn_number()
            await self._tell(changed)
        for (code, message), items in later.items():
            await self._postpone(items, code, message)
        if any(code == _SIGN_IN_NEEDED for code, _ in later):
            raise SignInNeededError("Please sign in.")
        return bool(final)

    async def _learn_number(self) -> None:
        """The numbers of this queue are behind those the backend has seen from this device.

        That comes of a queue file restored from an old copy. What cannot be asked now is asked
        before the next request.
        """
        self._number_in_doubt = True
        try:
            device = await self._api.device(self._device)
        except ClientError:
            return
        await self._outbox.learn_next_n(self._device, device.next_n)
        self._number_in_doubt = False

    async def _put_back(self, items: Sequence[OutboxItem], error: ClientError) -> None:
        signed_out = isinstance(error, SignInNeededError)
        code = _SIGN_IN_NEEDED if signed_out else "unreachable"
        await self._postpone([item.id for item in items], code, str(error))
        self._become(SenderState.SIGN_IN_NEEDED if signed_out else SenderState.UNREACHABLE)

    async def _postpone(self, items: Sequence[UUID], code: str, message: str) -> None:
        """What has had its answer meanwhile stays as it is."""
        now, luck = self._now(), self._jitter()

        def until(item: OutboxItem) -> datetime:
            return now + timedelta(seconds=delay(item.attempts, lambda: luck))

        changed = await self._outbox.mark_postponed_many(
            list(items), until=until, code=code, message=message
        )
        await self._tell(changed)

    async def _tell(self, changed: Sequence[OutboxItem]) -> None:
        for number, item in enumerate(changed, 1):
            self._on_result(item)
            if number % _TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)  # a window has its turn

    def _become(self, state: SenderState) -> None:
        if state is not self.state:
            self.state = state
            self._on_state(state)


def _is_passing(error: ClientError) -> bool:
    """Whether the same request may succeed later, as it is."""
    if isinstance(error, ProblemError):
        return error.is_transient
    return isinstance(error, UnreachableError | SignInNeededError)


def _signed(item: OutboxItem) -> SignedDecision:
    return SignedDecision(
        id=item.id,
        payload=item.payload.decode(),
        signature=base64.b64encode(item.signature).decode(),
        note=item.note,
    )


def _chunks(items: Sequence[OutboxItem]) -> Iterator[list[OutboxItem]]:
    """As few requests as the backend's size limit allows."""
    chunk: list[OutboxItem] = []
    size = 0
    for item in items:
        needed = len(_signed(item).model_dump_json().encode()) + 1
        if chunk and size + needed > _MAX_BATCH_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += needed
    if chunk:
        yield chunk


def _no_answer(item: OutboxItem) -> DecisionAnswer:
    return DecisionAnswer(
        id=item.id,
        kind=AnswerKind.TRANSIENT,
        code="no_answer",
        message="The backend did not answer for this decision yet.",
    )
