"""What the console's own `Api` and `LiveFeed` speak through here: the network of the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from core.client.api import Api
from core.client.exchange import Exchanged, Exchanges
from core.client.live import LiveFeed
from core.client.secrets import SecretStore
from core.client.session import SessionKeeper
from tests.simulator.network import Line, Link
from tests.simulator.node import Node

Nodes = Callable[[int], Node | None]


class _Requests(Exchanges):
    """In place of an HTTP client."""

    def __init__(self, link: Link, nodes: Nodes) -> None:
        self._link = link
        self._nodes = nodes

    async def ask(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> Exchanged:
        return await self._link.ask(
            self._nodes, lambda node: node.handle(method, path, content, headers)
        )

    async def aclose(self) -> None:
        """There is nothing to close."""


class WiredApi(Api):
    """The product's `Api`, whose requests travel over `link`."""

    def __init__(self, link: Link, nodes: Nodes, store: SecretStore) -> None:
        self._exchanges = _Requests(link, nodes)
        self.live_url = "ws://127.0.0.1/live"
        self.keeper = SessionKeeper(store, "simulated")


class WiredFeed(LiveFeed):
    """The product's `LiveFeed`, whose connections are lines of `link`."""

    def __init__(self, link: Link, nodes: Nodes, **parts: Any) -> None:
        super().__init__(url="ws://127.0.0.1/live", **parts)
        self._link = link
        self._nodes = nodes

    def _socket(self) -> Any:
        return _Dial(self._link, self._nodes)


class _Dial:
    """Connects when it is entered, and hangs up when it is left."""

    def __init__(self, link: Link, nodes: Nodes) -> None:
        self._link = link
        self._nodes = nodes
        self._line: Line | None = None

    async def __aenter__(self) -> Line:
        await asyncio.sleep(0.01)
        node = self._nodes(self._link.where)
        if node is None or not node.process.alive:
            raise OSError("connection refused")
        self._line = self._link.open_line()
        node.take_line(self._line)
        return self._line

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._line is not None:
            self._line.break_now()
