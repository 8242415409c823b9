"""Many small writes share one commit, and one failure is told to all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection

from core.backend.services.errors import BusyError
from core.backend.services.group_commit import GroupCommit
from core.backend.storage.errors import UnknownOutcomeError
from tests.backend.webhooks.letters import compact, fields
from tests.backend.webhooks.office import Office
from tests.support.workspace import House, held


class Book:
    def __init__(self) -> None:
        self.lots: list[list[int]] = []
        self.error: Exception | None = None

    def store(self, _connection: Connection, items: Sequence[int]) -> list[int]:
        if self.error is not None:
            raise self.error
        self.lots.append(list(items))
        return [item * 10 for item in items]


async def test_what_waits_is_written_together_and_in_order(house: House) -> None:
    book = Book()
    writes = GroupCommit(house.services.writer, book.store, name="book", at_once=100)
    results = await asyncio.gather(*(writes.put(n) for n in range(250)))
    assert results == [n * 10 for n in range(250)]
    assert [item for lot in book.lots for item in lot] == list(range(250))
    assert len(book.lots) == 3
    await writes.stop()


async def test_a_failed_lot_is_told_to_all_of_it_and_the_next_goes_on(house: House) -> None:
    book = Book()
    writes = GroupCommit(house.services.writer, book.store, name="book")
    for error, told in ((UnknownOutcomeError("Lost."), BusyError), (ValueError("odd"), ValueError)):
        book.error = error
        results = await asyncio.gather(*(writes.put(n) for n in range(3)), return_exceptions=True)
        assert [type(result) for result in results] == [told] * 3
    book.error = None
    assert await writes.put(7) == 70


async def test_too_many_are_refused_and_whoever_left_disturbs_nobody(house: House) -> None:
    book = Book()
    writes = GroupCommit(house.services.writer, book.store, name="book", max_waiting=2)
    first, second = [asyncio.create_task(writes.put(n)) for n in (1, 2)]
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await writes.put(3)
    first.cancel()
    assert await second == 20
    await writes.stop()


@pytest.mark.both_engines
async def test_many_callbacks_at_once_cost_few_commits_and_each_is_kept_once(
    office: Office,
) -> None:
    """All are answered after the commit; a copy is counted in the same lot or in a later one."""
    writer = office.shop.house.services.writer
    jobs = 0
    run = writer.run

    async def counted(work: object) -> object:
        nonlocal jobs
        jobs += 1
        return await run(work)  # type: ignore[arg-type]  # passed through

    writer.run = counted  # type: ignore[method-assign, assignment]  # counts, and does the same
    letters = [compact(fields(f"link{n % 50}", code=f"{n % 50}")) for n in range(150)]
    new = await asyncio.gather(*(office.receive(letter) for letter in letters))
    assert new == [True] * 50 + [False] * 100
    assert jobs <= 2
    assert {d.copies for d in office.deliveries()} == {3}
    assert await office.receive(letters[0]) is False
    assert office.deliveries()[0].copies == 4


async def test_nothing_is_answered_before_it_is_on_the_disk(office: Office) -> None:
    task: asyncio.Task[bool]
    with held(office.shop.house.services.writer):
        task = asyncio.create_task(office.receive(compact(fields("link1"))))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not task.done()
        assert not office.deliveries()
    assert await task
    assert len(office.deliveries()) == 1
