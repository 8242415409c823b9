"""A console at one node, and the server's side of the nodes' connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from sqlalchemy import make_url

from core.backend.services.realtime import Subscription
from core.protocol.feed import Entry, FeedClient
from tests.support.postgres import PostgresServer
from tests.support.workspace import House

_LISTENS = "LISTEN%"


class Follower:
    """What one console was told by its node: the entries' indexes, in the order they came."""

    def __init__(self, subscription: Subscription) -> None:
        self.client = FeedClient()
        self.indexes: list[int] = []
        self._subscription = subscription

    async def reach(self, size: int) -> None:
        """Take messages until the entry before `size` has come."""
        async with asyncio.timeout(20):
            while self.client.next is None or self.client.next < size:
                events = self.client.receive(await anext(self._subscription))
                self.indexes += [event.index for event in events if isinstance(event, Entry)]


@asynccontextmanager
async def following(node: House) -> AsyncIterator[Follower]:
    """A console that is connected and has caught up."""
    identity = (await node.officer()).identity
    subscription = await node.services.sync.subscribe_staff(FeedClient().hello("x" * 43), identity)
    follower = Follower(subscription)
    try:
        await follower.reach(node.size())
        yield follower
    finally:
        subscription.close()


def server_side(postgres: PostgresServer, node: House) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection to the node's database that belongs to the test."""
    name = make_url(node.services.config.database_url).database
    assert name is not None
    return postgres.connect(name)


def listeners(server: psycopg.Connection[tuple[Any, ...]]) -> list[int]:
    """The server's processes of the nodes' listening connections."""
    query = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'bursar' AND query LIKE %s ORDER BY pid"
    )
    return [row[0] for row in server.execute(query, (_LISTENS,))]


def cut_all(server: psycopg.Connection[tuple[Any, ...]]) -> int:
    """End every connection of every node, as a restart of the server would; how many there were."""
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'bursar'"
    )
    return len(server.execute(query).fetchall())
