"""The demo's card provider: a sandbox of its own beside the backend. No real money moves.

It keeps its links in memory, so that each run has a provider of another name: a link of a run
before is nobody's any more, and the student simply gets a new one.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from core.backend.gateway.ikpay import Credentials
from core.backend.gateway.sandbox.provider import NAME, SandboxProvider
from core.backend.gateway.sandbox.sandbox import Sandbox, new_keys
from core.backend.gateway.sandbox.server import address_of, serving
from core.backend.services.webhooks import CallbackKeys
from core.backend.web.server import bind

_LOOPBACK = "127.0.0.1"


class DemoCards:
    """Takes its port at once, so that a backend can be built with `provider`; raises OSError."""

    def __init__(self) -> None:
        keys = new_keys()
        self.sandbox = Sandbox(keys)
        self._bound = bind(_LOOPBACK, 0)
        self.callback_keys = CallbackKeys(app_id=keys.app_id, secrets=(keys.secret,))
        self.provider = SandboxProvider(
            address_of(self._bound),
            Credentials(
                app_id=keys.app_id, secret=SecretStr(keys.secret), entity_id=keys.app_id
            ),
            name=f"{NAME}-{secrets.token_hex(4)}",
        )  # fmt: skip

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Pay pages and answers for as long as this lasts."""
        async with serving(self.sandbox, bound=self._bound):
            try:
                yield
            finally:
                await self.provider.aclose()
