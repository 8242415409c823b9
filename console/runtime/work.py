"""Work that may block (files, keyring, hashing) leaves the window's thread through here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What `call` returns or raises, run in a worker thread.

    A cancelled caller does not wait for the thread; the call itself runs to its end.
    """
    return await asyncio.to_thread(call, *args, **kwargs)
