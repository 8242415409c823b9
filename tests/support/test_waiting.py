"""Waits end as soon as their condition holds, and say what did not come."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.support.waiting import until, wait_until


async def test_until_returns_what_the_condition_gave() -> None:
    arrived: list[str] = []
    asyncio.get_running_loop().call_later(0.01, arrived.append, "row")
    assert await until(lambda: arrived, what="a row") == ["row"]


async def test_until_takes_an_asynchronous_condition() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)

    async def is_set() -> bool:
        await asyncio.sleep(0)
        return event.is_set()

    assert await until(is_set) is True


async def test_until_names_what_did_not_come() -> None:
    with pytest.raises(AssertionError, match=r"waited 0 s for a second row; .*last seen: \[\]"):
        await until(list, timeout=0, what="a second row")


async def test_an_error_in_the_condition_goes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        await until(lambda: 1 // 0)


def test_wait_until_sees_another_thread() -> None:
    event = threading.Event()
    thread = threading.Timer(0.01, event.set)
    thread.start()
    assert wait_until(event.is_set, what="the thread") is True
    thread.join()


def test_wait_until_names_what_did_not_come() -> None:
    with pytest.raises(AssertionError, match=r"waited 0 s for the port; .*last seen: None"):
        wait_until(lambda: None, timeout=0, what="the port")
