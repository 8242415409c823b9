"""The client of the sandbox: the same as iKhokha's, but for the place, and never live."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx

from core.backend.gateway.ikhokha import LIVE, open_http
from core.backend.gateway.ikpay import Credentials, IkPayClient, Patience, Place

NAME = "sandbox"
_ORIGIN = re.compile(r"http://(127\.[0-9.]{5,11}|\[::1\]|localhost):[0-9]{1,5}")


class SandboxProvider(IkPayClient):
    """`address` is this machine's own, such as `http://127.0.0.1:8410`. Raises ValueError.

    `name` tells a sandbox from one before it, which is gone with all that it knew.
    """

    def __init__(
        self,
        address: str,
        credentials: Credentials,
        *,
        name: str = NAME,
        http: httpx.AsyncClient | None = None,
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not is_sandbox_address(address):
            raise ValueError("A sandbox is on this machine: http://127.0.0.1:<port>.")
        place = Place(
            name=name, live=False, api=address, pay_origins=frozenset({address}),
            # iKhokha takes no other; what makes it play is the place.
            mode=LIVE,
        )  # fmt: skip
        client = http or open_http(trust_env=False)
        super().__init__(place, credentials, client, patience=patience or Patience(), sleep=sleep)


def is_sandbox_address(address: str) -> bool:
    """Whether this is an origin on this machine: no sandbox is ever anywhere else."""
    if not _ORIGIN.fullmatch(address):
        return False
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
