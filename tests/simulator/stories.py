"""Stories of a queue: an old copy of it comes back, an answer is lost, a withdrawal is damaged, its
officer may not decide any more. Chance alone would hardly ever tell them: each is played whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from core.backend.storage.engine import read_transaction
from core.backend.storage.tables import device_numbers
from core.domain.decisions import Verdict
from tests.simulator import permissions, queue_files
from tests.simulator.chance import Chance
from tests.simulator.hand import GaveUpError, Hand, until
from tests.simulator.queue_faults import restore
from tests.simulator.world import World


class _Story:
    """At one console. Its officer rejects: that never needs a second signature."""

    def __init__(self, world: World, number: int, chance: Chance) -> None:
        self._world = world
        self._number = number
        self._queue = world.desks[number].queue
        self.hand = Hand(world, number)
        self.chance = chance

    def copied(self) -> Path:
        """A copy of the queue as it is in this moment."""
        copy = self._queue.with_suffix(".told")
        queue_files.copy_database(self._queue, copy)
        return copy

    async def back_to(self, copy: Path) -> None:
        """Without a network, the queue is the copy again."""
        self.hand.link.cut()
        self._world.stop_console(self._number)
        restore(self._world, self._number, copy)
        await self.hand.ready()

    def spoil_withdrawal(self, decision: UUID) -> bool:
        """While the console does not run."""
        self._world.stop_console(self._number)
        before = queue_files.rows_of(self._queue)
        spoiled = queue_files.spoil_withdrawal(self._queue, decision)
        hit = queue_files.struck(before, queue_files.rows_of(self._queue))
        self._world.book.struck(self._number, hit)
        return spoiled

    async def bar(self) -> None:
        """And wait until the ledger says so."""
        size = self._world.size()
        if self.chance.happens(0.3):
            words = permissions.revoke(self._world, self._number)
        else:
            words = permissions.disable(self._world, self._number, disabled=True)
        self._world.tell("storm", words)
        await until(lambda: self._world.size() > size)

    def is_applied(self, decision: UUID) -> bool:
        number = device_numbers.c
        with read_transaction(self._world.engine) as connection:
            found = select(number.applied_index).where(number.decision == decision)
            return connection.execute(found).scalar_one_or_none() is not None


async def _withdrawn_comes_back(story: _Story) -> None:
    """Decided, copied, withdrawn; then the copy is in its place and would send it."""
    hand = story.hand
    hand.link.cut()
    decision = await hand.decide(Verdict.REJECT)
    copy = story.copied()
    await hand.discard(decision)
    hand.link.heal()
    await hand.answered(decision)
    for _ in range(story.chance.choice([1, 2])):
        await story.back_to(copy)
        hand.link.heal()
        await hand.answered(decision)


async def _number_is_given_again(story: _Story) -> None:
    """Copied, decided, sent; then the copy is in its place, and gives the number once more."""
    hand = story.hand
    await hand.ready()
    copy = story.copied()
    await hand.answered(await hand.decide(Verdict.REJECT))
    await story.back_to(copy)
    again = await hand.decide(Verdict.APPROVE)
    if story.chance.happens(0.3):
        await hand.discard(again)
    hand.link.heal()
    await hand.answered(again)


async def _withdrawn_too_late(story: _Story) -> None:
    """It was carried out, the answer is lost, and it is taken back as one that waits."""
    hand = story.hand
    await hand.ready()
    hand.link.loses_answers = True
    decision = await hand.decide(Verdict.REJECT)
    await until(lambda: story.is_applied(decision))
    await hand.discard(decision)
    hand.link.heal()
    await hand.answered(decision)


async def _withdrawal_is_lost(story: _Story) -> None:
    """It is damaged before it is sent: its officer is asked again, and discards once more."""
    hand = story.hand
    hand.link.cut()
    decision = await hand.decide(Verdict.REJECT)
    await hand.discard(decision)
    if not story.spoil_withdrawal(decision):
        return
    await hand.ready()
    await hand.discard(decision)
    hand.link.heal()
    await hand.answered(decision)


async def _holder_is_barred(story: _Story) -> None:
    """What a console still holds when its officer is disabled, or its device revoked."""
    hand = story.hand
    hand.link.cut()
    decision = await hand.decide(Verdict.REJECT)
    await story.bar()
    hand.link.heal()
    await hand.answered(decision)


_STORIES: tuple[Callable[[_Story], Awaitable[None]], ...] = (
    _withdrawn_comes_back, _number_is_given_again, _withdrawn_too_late, _withdrawal_is_lost,
    _holder_is_barred,
)  # fmt: skip


async def story_is_told(world: World, chance: Chance) -> str | None:
    number, tell = chance.randrange(len(world.desks)), chance.choice(_STORIES)
    story = _Story(world, number, chance)
    story.hand.link.heal()
    name = tell.__name__.strip("_").replace("_", " ")
    world.tell("storm", f"at console {number}, {name}")
    try:
        await tell(story)
    except GaveUpError:
        return f"at console {number}, {name}: it does not come to that"
    finally:
        story.hand.link.heal()
    return f"at console {number}, {name}: told"
