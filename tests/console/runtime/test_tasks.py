"""The task runner keeps, replaces, reports and ends tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from console.runtime.tasks import TaskRunner
from tests.support.waiting import until


class Kit:
    def __init__(self) -> None:
        self.reported: list[tuple[str, str]] = []
        self.log: list[str] = []
        self.runner = TaskRunner(lambda error, name: self.reported.append((name, str(error))))

    async def wait(self, name: str) -> None:
        self.log.append(f"{name} began")
        try:
            await asyncio.Event().wait()
        finally:
            self.log.append(f"{name} ended")

    async def fail(self) -> None:
        await asyncio.sleep(0)
        raise ValueError("broken")


@pytest_asyncio.fixture
async def kit() -> AsyncIterator[Kit]:
    made = Kit()
    yield made
    await made.runner.close()


async def test_an_error_is_reported_with_the_name_of_its_task(kit: Kit) -> None:
    kit.runner.start("count", kit.fail())
    await until(lambda: kit.reported)
    assert kit.reported == [("count", "broken")]
    assert not kit.runner.is_running("count")


async def test_a_newer_task_replaces_the_one_of_its_name(kit: Kit) -> None:
    kit.runner.start("other", kit.wait("other"))
    kit.runner.replace("search", kit.wait("first"))
    await until(lambda: "first began" in kit.log)
    kit.runner.replace("search", kit.wait("second"))
    await until(lambda: "second began" in kit.log and "first ended" in kit.log)
    assert "other ended" not in kit.log
    assert kit.reported == []


async def test_closing_ends_all_and_nothing_starts_afterwards(kit: Kit) -> None:
    kit.runner.start("a", kit.wait("a"))
    kit.runner.start("b", kit.wait("b"))
    await until(lambda: len(kit.log) == 2)
    await kit.runner.close()
    assert {"a ended", "b ended"} <= set(kit.log)
    kit.runner.start("late", kit.wait("late"))
    assert not kit.runner.is_running("late")
    assert kit.reported == []


async def test_a_task_that_cleans_up_slowly_is_waited_for(kit: Kit) -> None:
    finished = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
            finished.set()

    kit.runner.start("slow", slow())
    await asyncio.sleep(0)
    await kit.runner.close()
    assert finished.is_set()
