"""A request outlives whoever asked: no connection is lost, and the next question gets through."""

from __future__ import annotations

import asyncio
import random

import pytest

from core.client.api import Api
from core.client.errors import ClientError
from core.client.http import open_http
from core.client.secrets import MemoryStore
from core.client.session import SessionKeeper
from tests.support.live_backend import LiveBackend
from tests.support.waiting import until

CONNECTIONS = 10  # what the client allows: so many lost ones would stop it


async def _signed_in(backend: LiveBackend) -> Api:
    api = Api(open_http(backend.url), SessionKeeper(MemoryStore(), "refresh"))
    await api.keeper.keep(backend.staff())
    return api


async def test_an_officer_who_holds_an_arrow_key_can_still_decide(
    live_backend: LiveBackend,
) -> None:
    live_backend.push_claims(5)
    api = await _signed_in(live_backend)
    chance = random.Random(1)
    for _ in range(50 * CONNECTIONS):
        asked = asyncio.create_task(api.pending())
        for _ in range(chance.randrange(25)):  # the steps in which a connection is made and taken
            await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait([asked])
    assert (await api.me()).id == live_backend.staff().user.id
    await api.aclose()


async def test_closing_does_not_wait_for_a_backend_that_never_answers(
    live_backend: LiveBackend,
) -> None:
    api = await _signed_in(live_backend)
    with live_backend.held():
        asked = asyncio.create_task(api.me())
        await until(lambda: bool(api._exchanges._running), what="the request is on its way")
        asked.cancel()
        await asyncio.wait([asked])
        await api.aclose()
    assert not api._exchanges._running
    with pytest.raises((ClientError, RuntimeError)):  # it is closed for good
        await api.me()
