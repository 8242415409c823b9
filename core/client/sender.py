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
from typing import NoReturn, Protocol
from uuid import UUID

from core.client.backoff import CAP_SECONDS, Jitter, delay
from core.client.errors import (
    ClientError,
    NotSentError,
    OutboxError,
    ProblemError,
    SignInNeededError,
    UnreachableError,
)
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
# While the answers of one round are written down, the request of the other is under way.
_ROUNDS_AT_ONCE = 2
_SIGN_IN_NEEDED = "sign_in_needed"
_SIGN_IN = "Please sign in."
# Of a request that was refused as a whole: an answer to an earlier one may have been lost.
MAYBE_DONE = "If it was sent before, it may have been carried out: the audit trail tells."
_NUMBER_REUSED = "number_reused"


class SenderState(StrEnum):
    IDLE = "idle"
    SENDING = "sending"
    UNREACHABLE = "unreachable"
    SIGN_IN_NEEDED = "sign_in_needed"
    BLOCKED = "blocked"  # the queue on this computer cannot be read or written


class DecisionApi(Protocol):
    """The two routes this needs; `Api` has them."""

    async def decide(self, batch: DecisionBatch) -> DecisionAnswers: ...

    async def device(self, device: UUID) -> Device: ...


class Sender:
    """Sends one officer's decisions; run `run` as a task, `wake` it after each add.

    Whatever key of theirs signed them; `device` is the one that signs now, whose numbers count.
    `on_results` gets the items whose state or reason changed, all of one answer together;
    `on_state` every change of state, `on_trouble` once why the queue itself cannot be used.
    Decisions about one enrollment keep their order; different enrollments never wait for each
    other. A sign-in that is needed pauses everything until `signed_in`. One request is under way at
    a time; where it runs into trouble the next ones are smaller, down to one decision each. After a
    failed request it pauses, without a connection ever longer, however much is due.
    """

    def __init__(
        self,
        *,
        api: DecisionApi,
        outbox: Outbox,
        officer: UUID,
        device: UUID,
        on_results: Callable[[Sequence[OutboxItem]], None],
        on_state: Callable[[SenderState], None],
        on_trouble: Callable[[OutboxError], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Jitter = random.random,
    ) -> None:
        self._api = api
        self._outbox = outbox
        self._officer = officer
        self._device = device
        self._on_results = on_results
        self._on_state = on_state
        self._on_trouble = on_trouble
        self._now = now
        self._jitter = jitter
        self._wake = asyncio.Event()
        self._line = asyncio.Lock()
        self._limit = MAX_DECISIONS
        self._in_vain = 0  # how many requests in a row found no backend
        self._blocked = 0  # how many times in a row the queue could not be used
        self._number_in_doubt = False
        self.state = SenderState.IDLE

    async def run(self) -> None:
        """Send for ever. A queue that cannot be used now is told, and tried again."""
        while True:
            try:
                await self._outbox.sweep()
                if self.state is SenderState.BLOCKED:
                    self._become(SenderState.IDLE)
                await self._go_rounds()
            except OutboxError as error:
                self._become(SenderState.BLOCKED)
                if not self._blocked:
                    self._on_trouble(error)
                self._blocked += 1
                self._wake.clear()
                await self._wait(delay(self._blocked - 1, self._jitter))

    async def _go_rounds(self) -> None:
        """Raises OutboxError if the queue itself fails."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_ROUNDS_AT_ONCE):
                    group.create_task(self._go_round(), name="sender round")
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _go_round(self) -> NoReturn:
        while True:
            self._wake.clear()
            if await self.send_due() == 0:
                await self._wait(await self._seconds_until_due())
            elif self._in_vain:
                await self._wait(delay(self._in_vain - 1, self._jitter))

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
            officer=self._officer, now=self._now(), limit=self._limit
        )
        await self._send_all([item for item in items if not await self._lost(item)])
        return len(items)

    async def _seconds_until_due(self) -> float | None:
        if self.state is SenderState.SIGN_IN_NEEDED:
            return None
        due = await self._outbox.next_due(self._officer)
        if due is None:
            return None
        # Nothing is ever put off for longer than the cap.
        return min(max((due - self._now()).total_seconds(), 0.01), CAP_SECONDS)

    async def _wait(self, seconds: float | None) -> None:
        """Until somebody wakes it, but no longer than this."""
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
        self._on_results([changed])
        return True

    async def _send_all(self, items: Sequence[OutboxItem]) -> None:
        """Where the backend cannot be reached, the rest goes back to the queue at once."""
        chunks = list(_chunks(items))
        for position, chunk in enumerate(chunks):
            try:
                some_are_done = await self._send(chunk)
            except OutboxError:
                raise  # nobody is to blame but this computer
            except ClientError as error:
                if not isinstance(error, NotSentError | SignInNeededError):
                    self._limit = max(1, len(chunk) // 2)
                rest = [item for later in chunks[position:] for item in later]
                await self._put_back(rest, error)
                return
            if some_are_done:  # else one that fails would always find company to take along
                self._limit = min(MAX_DECISIONS, self._limit * 2)

    async def _send(self, items: Sequence[OutboxItem]) -> bool:
        """Whether any needs no further try. Raises what concerns the connection and not these."""
        batch = DecisionBatch(items=tuple(_signed(item) for item in items))
        try:
            answers = await self._ask(batch)
        except ClientError as error:
            if _is_passing(error):
                raise
            return await self._blame(items, error)
        by_id = {answer.id: answer for answer in answers.results}
        return await self._write([by_id.get(item.id) or _no_answer(item) for item in items])

    async def _ask(self, batch: DecisionBatch) -> DecisionAnswers:
        """One request at a time; before the next one its end has its effect on the state."""
        async with self._line:
            if self.state is SenderState.SIGN_IN_NEEDED:
                raise SignInNeededError(_SIGN_IN)
            self._become(SenderState.SENDING)
            try:
                answers = await self._api.decide(batch)
            except ClientError as error:
                self._count(error)
                self._become(_state_after_error(error))
                raise
            self._count(None)
            self._become(_state_after_answers(answers))
            return answers

    def _count(self, error: ClientError | None) -> None:
        """What a request ended with is what the next pause depends on."""
        before = self._in_vain
        if isinstance(error, NotSentError):
            self._in_vain += 1
        elif error is not None and _is_passing(error):
            self._in_vain = 1  # perhaps for these decisions' sake: others wait only a moment
        else:
            self._in_vain = 0
            if before:
                self.wake()  # the other round, too

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
            self._on_results([changed])
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
            if any(self._is_number_reused(item) for item in changed):
                await self._learn_number()
            self._tell(changed)
        for (code, message), items in later.items():
            await self._postpone(items, code, message)
        if any(code == _SIGN_IN_NEEDED for code, _ in later):
            raise SignInNeededError(_SIGN_IN)
        return bool(final)

    def _is_number_reused(self, item: OutboxItem) -> bool:
        """By the key that goes on counting."""
        return item.device == self._device and item.reason_code == _NUMBER_REUSED

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
        code = _SIGN_IN_NEEDED if isinstance(error, SignInNeededError) else "unreachable"
        await self._postpone([item.id for item in items], code, str(error))

    async def _postpone(self, items: Sequence[UUID], code: str, message: str) -> None:
        """What has had its answer meanwhile stays as it is."""
        now, luck = self._now(), self._jitter()

        def until(item: OutboxItem) -> datetime:
            return now + timedelta(seconds=delay(item.attempts, lambda: luck))

        changed = await self._outbox.mark_postponed_many(
            list(items), until=until, code=code, message=message
        )
        self._tell(changed)

    def _tell(self, changed: Sequence[OutboxItem]) -> None:
        if changed:
            self._blocked = 0  # it could be written down
            self._on_results(changed)

    def _become(self, state: SenderState) -> None:
        if state is not self.state:
            self.state = state
            self._on_state(state)


def _state_after_answers(answers: DecisionAnswers) -> SenderState:
    unanswered = [answer for answer in answers.results if answer.kind not in _STATES]
    signed_out = any(answer.code == _SIGN_IN_NEEDED for answer in unanswered)
    return SenderState.SIGN_IN_NEEDED if signed_out else SenderState.IDLE


def _state_after_error(error: ClientError) -> SenderState:
    if isinstance(error, SignInNeededError):
        return SenderState.SIGN_IN_NEEDED
    return SenderState.UNREACHABLE if _is_passing(error) else SenderState.IDLE


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
