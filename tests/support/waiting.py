"""Waiting for a condition, never for a length of time."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast, overload

_T = TypeVar("_T")

_POLL_SECONDS = 0.005


@overload
async def until(
    condition: Callable[[], Awaitable[_T]],
    *,
    timeout: float = ...,  # noqa: ASYNC109 - the failure names what was waited for
    what: str = ...,
) -> _T: ...
@overload
async def until(
    condition: Callable[[], _T],
    *,
    timeout: float = ...,  # noqa: ASYNC109 - as above
    what: str = ...,
) -> _T: ...
async def until(
    condition: Callable[[], object],
    *,
    timeout: float = 10.0,  # noqa: ASYNC109 - as above
    what: str = "the condition",
) -> object:
    """Wait until `condition()` is truthy and return what it gave; it may be asynchronous.

    The loop runs on meanwhile. Raises `AssertionError` naming `what` after `timeout` seconds; an
    error raised by the condition itself goes through.
    """
    give_up = time.monotonic() + timeout
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await cast("Awaitable[object]", value)
        if value:
            return value
        if time.monotonic() >= give_up:
            raise AssertionError(_message(what, timeout, value))
        await asyncio.sleep(_POLL_SECONDS)


def wait_until(
    condition: Callable[[], _T], *, timeout: float = 10.0, what: str = "the condition"
) -> _T:
    """The same for synchronous tests that wait for another process or thread.

    Not for windows: nothing is painted meanwhile (there: `qtbot.waitUntil`).
    """
    give_up = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() >= give_up:
            raise AssertionError(_message(what, timeout, value))
        time.sleep(_POLL_SECONDS)
    return value


def _message(what: str, timeout: float, last: object) -> str:
    return f"waited {timeout:g} s for {what}; it did not come (last seen: {last!r})"
