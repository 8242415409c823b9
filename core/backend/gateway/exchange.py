"""One request to the provider and its whole answer, bounded in time and in size.

Each request is a task of its own that runs to its end, also when whoever asked has gone: httpcore
loses connections that are cancelled in the wrong moment, and a payment that is being started must
not be torn in the middle. Only the waiting is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from core.backend.gateway.answers import unusable
from core.backend.gateway.provider import ProviderError
from core.domain.failures import FailureClass

# With these the request never left.
_NOTHING_SENT = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError,
    httpx.UnsupportedProtocol, httpx.LocalProtocolError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    content: bytes


class Exchanges:
    """The requests of one `http` client, which it closes.

    `seconds`: for a whole answer; `close_seconds`: for what still runs when it closes.
    """

    def __init__(self, http: httpx.AsyncClient, *, seconds: float, close_seconds: float) -> None:
        self._close_seconds = close_seconds
        self._http = http
        self._seconds = seconds
        self._running: set[asyncio.Task[Answer]] = set()

    async def ask(self, request: httpx.Request, *, limit: int) -> Answer:
        """Raises ProviderError; `limit` is in bytes. Redirects are not followed."""
        task = asyncio.create_task(self._exchange(request, limit), name="card provider request")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    def build(
        self, method: str, url: str, *, content: bytes, headers: Mapping[str, str]
    ) -> httpx.Request:
        """A request; compressed answers are not asked for: a small one could unpack to anything."""
        return self._http.build_request(
            method, url, content=content or None, headers={**headers, "Accept-Encoding": "identity"}
        )

    async def aclose(self) -> None:
        """Let what runs come to its end for a moment, then close the client."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=self._close_seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        await self._http.aclose()

    async def _exchange(self, request: httpx.Request, limit: int) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._whole(request, limit)
        except _NOTHING_SENT as error:
            raise _unreachable(outcome_unknown=False) from error
        except (httpx.TransportError, TimeoutError) as error:
            raise _unreachable(outcome_unknown=True) from error

    async def _whole(self, request: httpx.Request, limit: int) -> Answer:
        response = await self._http.send(request, stream=True, follow_redirects=False)
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise unusable("it is compressed")
            content = b""
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > limit:
                    raise unusable("it is too long")
            return Answer(response.status_code, content)
        finally:
            await response.aclose()


def _unreachable(*, outcome_unknown: bool) -> ProviderError:
    return ProviderError(
        "The card payment service could not be reached.",
        failure=FailureClass.NETWORK,
        retryable=True,
        outcome_unknown=outcome_unknown,
    )
