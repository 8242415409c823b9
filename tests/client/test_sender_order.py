"""The sender against a backend that fails in every way: order is kept, and nobody waits for others.

Time passes only where the sender waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from core.client.backoff import CAP_SECONDS
from core.client.errors import ClientError, ProblemError, ProtocolError, UnreachableError
from core.client.outbox import Outbox, OutboxItem, OutboxState
from core.client.sealing import Sealer
from core.client.sender import Sender
from core.domain.decisions import Verdict
from core.protocol.messages import (
    AnswerKind,
    DecisionAnswer,
    DecisionAnswers,
    DecisionBatch,
    Device,
    DeviceState,
    Problem,
    SignedDecision,
)
from core.protocol.signing import read_decision
from tests.client.build import OFFICER, Clock, decider, device_key
from tests.protocol.build import row

# What one enrollment's decisions meet, each time they are tried.
BLOCKED = ("transient", "crash", "unreachable")
FREE = ("accepted", "refused", "conflict", "strange", "late")


@dataclass
class Script:
    """`fates` by enrollment; the whole request fails where one of its items makes it fail."""

    fates: dict[int, str]
    outages: int
    first_seen: set[UUID] = field(default_factory=set)
    arrived: list[tuple[int, UUID]] = field(default_factory=list)
    under_way: int = 0

    async def device(self, device: UUID) -> Device:
        return Device(
            id=device, user=OFFICER, state=DeviceState.ENROLLED, fingerprint="abcd", root=False,
            next_n=0,
        )  # fmt: skip

    async def decide(self, batch: DecisionBatch) -> DecisionAnswers:
        assert self.under_way == 0, "two requests at once"
        self.under_way += 1
        await asyncio.sleep(0)
        self.under_way -= 1
        fates = [self.fates[_enrollment(item)] for item in batch.items]
        assert len({_enrollment(item) for item in batch.items}) == len(batch.items)
        if self.outages > 0:
            self.outages -= 1
            raise UnreachableError("gone")
        if error := _whole(fates):
            raise error
        return DecisionAnswers(
            results=tuple(self.answer(i, f) for i, f in zip(batch.items, fates, strict=True))
        )

    def answer(self, item: SignedDecision, fate: str) -> DecisionAnswer:
        self.arrived.append((_enrollment(item), item.id))
        late = fate == "late" and item.id not in self.first_seen
        self.first_seen.add(item.id)
        kinds = {"refused": AnswerKind.REFUSED, "conflict": AnswerKind.CONFLICT_CHANGED}
        kind = kinds.get(fate, AnswerKind.ACCEPTED)
        if fate == "transient" or late:
            kind = AnswerKind.TRANSIENT
        index = 5 if kind is AnswerKind.ACCEPTED else None
        return DecisionAnswer(
            id=item.id, kind=kind, code=kind.value, message="So it is.", index=index
        )


def _whole(fates: list[str]) -> ClientError | None:
    if "crash" in fates:
        problem = Problem(type="urn:bursar:x", title="t", status=500, detail="It broke.")
        return ProblemError(problem)
    if "unreachable" in fates:
        return UnreachableError("timed out")
    return ProtocolError("what is this") if "strange" in fates else None


def _enrollment(item: SignedDecision) -> int:
    return read_decision(item.payload.encode()).enrollment.int


plans = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from(FREE + BLOCKED)), min_size=1, max_size=14
)


@settings(max_examples=40, deadline=None)
@given(plan=plans, outages=st.integers(0, 3), luck=st.floats(0.0, 0.99))
def test_a_blocked_enrollment_blocks_nobody_else_and_each_keeps_its_order(
    plan: list[tuple[int, str]], outages: int, luck: float
) -> None:
    fates = dict(reversed(plan))
    order = [enrollment for enrollment, _ in plan]

    async def play() -> None:
        clock = Clock()
        script = Script(fates, outages)
        outbox = await Outbox.open(None, Sealer(bytes(32)))
        done: set[UUID] = set()
        sender = Sender(
            api=script, outbox=outbox, officer=OFFICER, device=device_key().id,
            on_results=lambda items: _note(items, done), on_state=lambda _: None,
            now=clock, jitter=lambda: luck,
        )  # fmt: skip
        decide = decider(outbox, clock).decide
        made = [await decide(row(number), Verdict.APPROVE) for number in order]
        free = {item.id for item in made if fates[item.enrollment.int] in FREE}
        end = clock() + timedelta(seconds=CAP_SECONDS * 12)
        while not free <= done:
            if not any(await asyncio.gather(sender.send_due(), sender.send_due())):
                due = await outbox.next_due(OFFICER)
                assert due is not None, "somebody waits for nothing"
                assert due < end, "somebody waits for ever"
                clock.now = max(clock(), due)
        _check([await outbox.get(item.id) for item in made], fates, script)
        await outbox.close()

    asyncio.run(play())


def _note(items: Sequence[OutboxItem], done: set[UUID]) -> None:
    done.update(item.id for item in items if item.state is not OutboxState.QUEUED)


def _check(items: list[OutboxItem], fates: dict[int, str], script: Script) -> None:
    expected = {
        "accepted": OutboxState.ACCEPTED, "late": OutboxState.ACCEPTED,
        "refused": OutboxState.REFUSED, "conflict": OutboxState.CONFLICT,
        "strange": OutboxState.NEEDS_PERSON,
    }  # fmt: skip
    for item in items:
        fate = fates[item.enrollment.int]
        assert item.state is expected.get(fate, OutboxState.QUEUED), fate
    for enrollment in fates:
        mine = [item.id for item in items if item.enrollment.int == enrollment]
        came = list(dict.fromkeys(i for number, i in script.arrived if number == enrollment))
        assert came == mine[: len(came)]
