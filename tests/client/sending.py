"""A sender with everything around it, and a backend that does as it is told."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from core.client.errors import (
    ClientError,
    ProblemError,
    UnreachableError,
)
from core.client.outbox import Outbox, OutboxItem
from core.client.sender import Sender, SenderState
from core.domain.decisions import Verdict
from core.protocol.messages import (
    ALREADY_DECIDED,
    AnswerKind,
    DecisionAnswer,
    DecisionAnswers,
    DecisionBatch,
    Device,
    DeviceState,
    Problem,
    SignedDecision,
)
from core.protocol.signing import PayloadError, read_decision, read_withdrawal
from tests.client.build import OFFICER, Clock, decider, device_key
from tests.protocol.build import row

Reply = Callable[[SignedDecision], AnswerKind]


class Backend:
    """Answers each decision by `reply`, or fails the whole request by `fail`.

    `next_n` is what it says of the device's numbers; None: it cannot be asked.
    """

    def __init__(self) -> None:
        self.requests: list[list[UUID]] = []
        self.sizes: list[int] = []
        self.reply: Reply = lambda _: AnswerKind.ACCEPTED
        self.fail: Callable[[DecisionBatch], ClientError | None] = lambda _: None
        self.code: str | None = None
        self.next_n: int | None = 0

    async def device(self, device: UUID) -> Device:
        if self.next_n is None:
            raise UnreachableError("gone")
        return Device(
            id=device, user=OFFICER, state=DeviceState.ENROLLED, fingerprint="abcd", root=False,
            next_n=self.next_n,
        )  # fmt: skip

    async def decide(self, batch: DecisionBatch) -> DecisionAnswers:
        self.requests.append([enrollment(item) for item in batch.items])
        self.sizes.append(len(batch.model_dump_json().encode()))
        if error := self.fail(batch):
            raise error
        return DecisionAnswers(results=tuple(self.answer(item) for item in batch.items))

    def answer(self, item: SignedDecision) -> DecisionAnswer:
        kind = self.reply(item)
        index = 5 if kind is AnswerKind.ACCEPTED or self.code == ALREADY_DECIDED else None
        return DecisionAnswer(
            id=item.id, kind=kind, code=self.code or kind.value, message="So it is.", index=index
        )


def enrollment(item: SignedDecision) -> UUID:
    payload = item.payload.encode()
    try:
        return read_decision(payload).enrollment
    except PayloadError:
        return read_withdrawal(payload).enrollment


def problem(status: int) -> ProblemError:
    return ProblemError(Problem(type="urn:bursar:x", title="t", status=status, detail="No."))


class Desk:
    """A sender with everything around it, and what it told."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self.outbox, self.clock = outbox, clock
        self.backend = Backend()
        self.results: list[OutboxItem] = []
        self.states: list[SenderState] = []
        self.sender = Sender(
            api=self.backend,
            outbox=outbox,
            officer=OFFICER,
            device=device_key().id,
            on_results=self.results.extend,
            on_state=self.states.append,
            now=clock,
            jitter=lambda: 1.0,
        )

    async def decide(self, *enrollments: int, note: str | None = None) -> list[OutboxItem]:
        decide = decider(self.outbox, self.clock).decide
        return [await decide(row(n), Verdict.APPROVE, note=note) for n in enrollments]

    def told(self) -> list[tuple[int, str]]:
        return [(item.enrollment.int, item.state.value) for item in self.results]
