"""The sandbox's callbacks: signed, over real HTTP, and as wrong as somebody asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import httpx

from core.backend.gateway.ikhokha import open_http
from core.backend.gateway.sandbox.book import SandboxLink
from core.backend.gateway.sandbox.mischief import Mischief
from core.backend.gateway.signature import sign

SUCCESS_CODE = "00"
# What signs a forged callback; it belongs to nobody.
_FORGER = "a-secret-that-is-not-ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A callback that was sent; `status` is the answer's, None where none came."""

    link_id: str
    success: bool
    status: int | None


@dataclass(frozen=True, slots=True)
class _Letter:
    link_id: str
    success: bool
    request: httpx.Request
    delay_seconds: float


class Callbacks:
    """Sends callbacks in tasks of its own, once each: iKhokha's way of trying again is unknown."""

    def __init__(
        self, *, app_id: str, secret: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._app_id = app_id
        self._secret = secret
        self._sleep = sleep
        self._http = open_http(trust_env=False)
        self._held: list[_Letter] = []
        self._sending: set[asyncio.Task[None]] = set()
        self.deliveries: list[Delivery] = []

    @property
    def held(self) -> int:
        return len(self._held)

    def post(self, link: SandboxLink, *, code: str, mischief: Mischief) -> None:
        """Send what happened to a link, or keep it for `release`. `code` 00 is a success."""
        letter = self._letter(link, code, mischief)
        for _ in range(mischief.copies):
            if mischief.hold:
                self._held.append(letter)
            else:
                self._start(letter)

    async def release(self, *, backwards: bool = False) -> None:
        """Send what is held, one after the other, and wait for the answers."""
        held, self._held = self._held, []
        for letter in reversed(held) if backwards else held:
            await self._send(letter)

    async def settled(self) -> None:
        """Wait until nothing is on its way any more."""
        while self._sending:
            await asyncio.wait(self._sending)

    async def aclose(self) -> None:
        """Drop what is on its way."""
        for task in self._sending:
            task.cancel()
        await self.settled()
        await self._http.aclose()

    def _start(self, letter: _Letter) -> None:
        task = asyncio.create_task(self._send(letter), name="sandbox callback")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, letter: _Letter) -> None:
        if letter.delay_seconds > 0:
            await self._sleep(letter.delay_seconds)
        status: int | None = None
        try:
            status = (await self._http.send(letter.request)).status_code
        except httpx.TransportError:
            status = None  # nobody listens there: the callback is lost
        self.deliveries.append(
            Delivery(link_id=letter.link_id, success=letter.success, status=status)
        )

    def _letter(self, link: SandboxLink, code: str, mischief: Mischief) -> _Letter:
        success = code == SUCCESS_CODE
        fields = {
            "paylinkID": link.id,
            "status": "SUCCESS" if success else "FAILURE",
            "externalTransactionID": link.external_id,
            "responseCode": code,
        }
        sent = fields if mischief.text is None else {**fields, "text": mischief.text}
        body = urlencode(sent) if mischief.form else _compact(sent)
        kind = "application/x-www-form-urlencoded" if mischief.form else "application/json"
        signed = body if mischief.sign_raw else _compact(fields)
        secret = _FORGER if mischief.forged else self._secret
        request = self._http.build_request(
            "POST",
            link.callback_url,
            content=body.encode(),
            headers={
                "Content-Type": kind,
                "ik-appid": self._app_id,
                "ik-sign": sign(urlsplit(link.callback_url).path, signed, secret),
            },
        )
        return _Letter(link.id, success, request, mischief.delay_seconds)


def _compact(fields: dict[str, str]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
