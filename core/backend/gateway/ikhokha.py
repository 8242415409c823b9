"""iKhokha itself. Its addresses stand here and in no setting: nothing else passes for it."""

from __future__ import annotations

import ssl

import httpx
import truststore

from core.backend.gateway.ikpay import Credentials, IkPayClient, Place
from core.backend.gateway.provider import LinkRequest, PayLink, ProviderError
from core.backend.gateway.requests import is_public_https
from core.domain.failures import FailureClass

NAME = "ikhokha"
LIVE, TEST = "live", "test"
API = "https://api.ikhokha.com"
# The host really is `.red`; `.com` has been seen too.
PAY_ORIGINS = frozenset({"https://securepay.ikhokha.red", "https://securepay.ikhokha.com"})

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)


class IkhokhaProvider(IkPayClient):
    """Real money, unless `mode` is "test", which iKhokha has but does not let anybody use."""

    def __init__(
        self, credentials: Credentials, *, mode: str = LIVE, http: httpx.AsyncClient | None = None
    ) -> None:
        place = Place(name=NAME, live=mode == LIVE, api=API, pay_origins=PAY_ORIGINS, mode=mode)
        super().__init__(place, credentials, http or open_http())

    async def create_link(self, request: LinkRequest) -> PayLink:
        addresses = (
            request.callback_url, request.success_url, request.failure_url, request.cancel_url,
            request.requester_url,
        )  # fmt: skip
        if not all(is_public_https(address) for address in addresses):
            # iKhokha answers 500 to these, which would look like trouble on its side.
            raise ProviderError(
                "iKhokha can only call a public https address: set BURSAR_PUBLIC_URL to one.",
                failure=FailureClass.CONFIGURATION,
                retryable=False,
            )
        return await super().create_link(request)


def open_http(*, trust_env: bool = True) -> httpx.AsyncClient:
    """A client with the operating system's trust store; `trust_env`: proxies from outside."""
    return httpx.AsyncClient(
        verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        timeout=_TIMEOUT,
        follow_redirects=False,
        trust_env=trust_env,
    )
