"""`Sandbox`: the book, the callbacks, and the handle by which tests and the demo steer both."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.backend.gateway.sandbox.book import Book, SandboxLink
from core.backend.gateway.sandbox.callbacks import SUCCESS_CODE, Callbacks
from core.backend.gateway.sandbox.mischief import Mischief

DECLINED_CODE = "05"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxKeys:
    """What its clients sign with; `control_token` opens the control routes, None closes them."""

    app_id: str
    secret: str
    control_token: str | None = None

    def __repr__(self) -> str:
        return "SandboxKeys(...)"


def new_keys() -> SandboxKeys:
    """Keys for one run."""
    return SandboxKeys(
        app_id=f"SANDBOX{secrets.token_hex(8).upper()}",
        secret=secrets.token_urlsafe(32),
        control_token=secrets.token_urlsafe(32),
    )


class Sandbox:
    """One provider in memory, used from one event loop. `address` is where it is reached.

    `mischief` may be set at any time; it holds for what happens from then on.
    """

    def __init__(
        self,
        keys: SandboxKeys,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: secrets.token_hex(8),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.keys = keys
        self.book = Book(now=now, new_id=new_id)
        self.callbacks = Callbacks(app_id=keys.app_id, secret=keys.secret, sleep=sleep)
        self.mischief = Mischief()
        self.address = ""

    def pay(self, link_id: str) -> SandboxLink:
        """A person pays. Raises BookError."""
        link = self.book.pay(link_id)
        self.callbacks.post(link, code=SUCCESS_CODE, mischief=self.mischief)
        return link

    def decline(self, link_id: str, code: str = DECLINED_CODE) -> SandboxLink:
        """A person's bank says no. Raises BookError."""
        link = self.book.decline(link_id, code)
        self.callbacks.post(link, code=code, mischief=self.mischief)
        return link

    def pay_url(self, link: SandboxLink) -> str:
        return f"{self.address}/pay/{link.id}"

    def said_of(self, link: SandboxLink) -> dict[str, Any]:
        """What status and history say of a link, lies included."""
        told = self.mischief.amount_cents
        return {
            "paylinkID": link.id,
            "status": link.state.value,
            "createdAt": link.created_at.isoformat(),
            "amount": link.amount_cents if told is None else told,
            "description": link.description,
            "externalTransactionID": link.external_id,
        }

    def fails_create(self) -> bool:
        """Whether this create call is to be answered 500."""
        left = self.mischief.failing_creates
        self.mischief = self.mischief.model_copy(update={"failing_creates": max(0, left - 1)})
        return left > 0

    def fails_read(self) -> bool:
        """Whether this status or history call is to be answered 500."""
        left = self.mischief.failing_reads
        self.mischief = self.mischief.model_copy(update={"failing_reads": max(0, left - 1)})
        return left > 0
