"""Requests that run to their end, also when whoever asked has gone.

httpcore loses the connection of a request that is cancelled in the wrong moment (an officer who
holds an arrow key cancels one detail after another), and ten lost connections stop a console for
good. So the request is a task of its own, bounded by its time-outs; only the waiting is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from core.client.errors import ProtocolError

MAX_ANSWER_BYTES = 8 * 1024 * 1024
# Answers that nobody waits for any more get this long when the client closes.
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Exchanged:
    """An answer, whatever its status."""

    status: int
    content: bytes

    @property
    def succeeded(self) -> bool:
        return httpx.codes.is_success(self.status)


class Exchanges:
    """The requests of one `http` client, which it closes."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._running: set[asyncio.Task[Exchanged]] = set()

    async def ask(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> Exchanged:
        """Raises httpx.HTTPError, and ProtocolError for an answer that is too long."""
        request = self._exchange(method, path, content, headers)
        task = asyncio.create_task(request, name=f"{method} request")
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Let what runs come to its end for a moment, then close the client."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_CLOSE_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        await self._http.aclose()

    async def _exchange(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> Exchanged:
        async with self._http.stream(method, path, content=content, headers=headers) as answer:
            return Exchanged(answer.status_code, await _read(answer))

    def _ended(self, task: asyncio.Task[Exchanged]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited was told; nobody else has to be


async def _read(answer: httpx.Response) -> bytes:
    received = bytearray()
    async for part in answer.aiter_bytes():
        received += part
        if len(received) > MAX_ANSWER_BYTES:
            raise ProtocolError("The backend's answer is too long.")
    return bytes(received)
