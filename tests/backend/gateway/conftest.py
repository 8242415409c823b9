"""A sandbox, its client, and somebody to call back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from core.backend.gateway.sandbox.provider import SandboxProvider
from core.backend.gateway.sandbox.sandbox import Sandbox
from core.backend.gateway.sandbox.server import serving
from tests.backend.gateway.build import CREDENTIALS, Clock, Pauses, make_sandbox
from tests.backend.gateway.scripted import ScriptedServer, answer


@dataclass(frozen=True, slots=True)
class Play:
    """`us` hears the callbacks and answers 200."""

    sandbox: Sandbox
    provider: SandboxProvider
    us: ScriptedServer
    clock: Clock
    pauses: Pauses
    """What the client waited between tries."""

    async def heard(self) -> list[bytes]:
        """The bodies of the callbacks that came, once none is on its way any more."""
        await self.sandbox.callbacks.settled()
        return [asked.body for asked in self.us.asked]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest_asyncio.fixture
async def play(clock: Clock, pauses: Pauses) -> AsyncIterator[Play]:
    sandbox = make_sandbox(clock, Pauses())
    async with (
        ScriptedServer(lambda _: answer(200)) as us,
        serving(sandbox) as address,
    ):
        provider = SandboxProvider(address, CREDENTIALS, sleep=pauses)
        try:
            yield Play(sandbox, provider, us, clock, pauses)
        finally:
            await provider.aclose()
