"""`Sender`: takes due decisions from the outbox, sends them, and writes down the answers."""

from __future__ import annotations

import asyncio
import base64
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
    MAX_INBOUND_BYTES,
    AnswerKind,
    DecisionAnswer,
    DecisionAnswers,
    DecisionBatch,
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
_SIGN_IN_NEEDED = "sign_in_needed"


class SenderState(StrEnum):
    IDLE = "idle"
    SENDING = "sending"
    UNREACHABLE = "unreachable"
    SIGN_IN_NEEDED = "sign_in_needed"


class DecisionApi(Protocol):
    """The one route this needs; `Api` has it."""

    async def decide(self, batch: DecisionBatch) -> DecisionAnswers: ...


class Sender:
    """Sends one officer's decisions from one device; run `run` as a task, `wake` it after each add.

    `on_result` gets every item whose state or reason changed, `on_state` every change of state.
    Decisions about one enrollment keep their order; different enrollments never wait for each
    other. A sign-in that is needed pauses everything until `signed_in`.
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
        items = await self._outbox.next_batch(
            officer=self._officer, device=self._device, now=self._now()
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
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

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
                await self._send(chunk)
            except ClientError as error:
                rest = [item for later in chunks[position:] for item in later]
                await self._put_back(rest, error)
                return False
        return True

    async def _send(self, items: Sequence[OutboxItem]) -> None:
        """Raises what concerns the connection and not these decisions."""
        batch = DecisionBatch(items=tuple(_signed(item) for item in items))
        try:
            answers = await self._api.decide(batch)
        except ClientError as error:
            if _is_passing(error):
                raise
            await self._blame(items, error)
            return
        by_id = {answer.id: answer for answer in answers.results}
        needs_sign_in = False
        for item in items:
            answer = by_id.get(item.id) or _no_answer(item)
            needs_sign_in |= answer.kind is AnswerKind.TRANSIENT and answer.code == _SIGN_IN_NEEDED
            await self._write(item, answer)
        if needs_sign_in:
            raise SignInNeededError("Please sign in.")

    async def _blame(self, items: Sequence[OutboxItem], error: ClientError) -> None:
        """The request was refused as a whole: send each alone, to find the one that is to blame."""
        if len(items) > 1:
            for item in items:
                await self._send([item])
            return
        code = error.problem.type if isinstance(error, ProblemError) else "not_understood"
        for item in items:
            changed = await self._outbox.mark_needs_person(item.id, code=code, message=str(error))
            self._on_result(changed)

    async def _write(self, item: OutboxItem, answer: DecisionAnswer) -> None:
        state = _STATES.get(answer.kind)
        if state is None:
            await self._postpone(item, answer.code, answer.message)
        else:
            self._on_result(await self._outbox.mark_answered(answer, state))

    async def _put_back(self, items: Sequence[OutboxItem], error: ClientError) -> None:
        signed_out = isinstance(error, SignInNeededError)
        code = _SIGN_IN_NEEDED if signed_out else "unreachable"
        for item in items:
            await self._postpone(item, code, str(error))
        self._become(SenderState.SIGN_IN_NEEDED if signed_out else SenderState.UNREACHABLE)

    async def _postpone(self, item: OutboxItem, code: str, message: str) -> None:
        until = self._now() + timedelta(seconds=delay(item.attempts, self._jitter))
        changed = await self._outbox.mark_postponed(
            item.id, until=until, code=code, message=message
        )
        if changed is not None:  # else its answer was told already
            self._on_result(changed)

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
