"""What these tests are made of: keys, requests, and a sandbox that is not left to chance."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from hypothesis import settings
from pydantic import SecretStr

from core.backend.gateway.ikpay import Credentials
from core.backend.gateway.provider import LinkRequest
from core.backend.gateway.sandbox.sandbox import Sandbox, SandboxKeys

# A busy machine is no reason to fail.
PROPERTY = settings(deadline=None)

APP_ID = "IKTESTAPP"
SECRET = "test-secret-0123456789abcdef"
CONTROL = "control-token"
CREDENTIALS = Credentials(app_id=APP_ID, secret=SecretStr(SECRET), entity_id=APP_ID)
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CALLBACK_PATH = "/webhooks/ikhokha"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Pauses:
    """Takes the place of `asyncio.sleep`: notes the seconds and does not sleep."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def make_sandbox(
    clock: Callable[[], datetime], sleep: Callable[[float], Awaitable[None]]
) -> Sandbox:
    numbers = itertools.count(1)
    keys = SandboxKeys(app_id=APP_ID, secret=SECRET, control_token=CONTROL)
    return Sandbox(keys, now=clock, new_id=lambda: f"link{next(numbers)}", sleep=sleep)


def link_request(
    place: str, external_id: str = "attempt-1", *, amount_cents: int = 125_000
) -> LinkRequest:
    return LinkRequest(
        external_id=external_id,
        amount_cents=amount_cents,
        description="Thandi's “Data” course \\ 2026",
        reference="BR7K2M9XQ",
        callback_url=f"{place}{CALLBACK_PATH}",
        success_url=f"{place}/?paid=1&course=a",
        failure_url=f"{place}/?failed=1",
        cancel_url=f"{place}/",
        requester_url=f"{place}/",
    )
