"""The iK Pay API, wherever it is: iKhokha's own (`ikhokha.py`) or our sandbox (`sandbox/`)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

import httpx
from pydantic import SecretStr

from core.backend.gateway.answers import (
    is_plain_no,
    read_history,
    read_link,
    read_status,
    unusable,
)
from core.backend.gateway.exchange import Answer, Exchanges
from core.backend.gateway.provider import LinkRequest, LinkStatus, PayLink, ProviderError
from core.backend.gateway.requests import is_id, link_body
from core.backend.gateway.signature import sign
from core.domain.failures import FailureClass

PAYMENT = "/public-api/v1/api/payment"
STATUS = "/public-api/v1/api/getStatus"
STATUS_BY_OUR_ID = "/public-api/v1/api/getStatus/external"
HISTORY = "/public-api/v1/api/payments/history"

MAX_ANSWER_BYTES = 256 * 1024
# A list of some days' payments is as long as business is good.
MAX_HISTORY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The keys of one application at the provider. `entity_id` is the app id unless they differ.

    Raises ValueError for a blank secret.
    """

    app_id: str
    secret: SecretStr
    entity_id: str

    def __post_init__(self) -> None:
        if not self.secret.get_secret_value().strip():
            raise ValueError("The provider's secret is blank.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an API is (an origin) and where its pay pages may be; `mode` is what it is told."""

    name: str
    live: bool
    api: str
    pay_origins: frozenset[str]
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an answer may take, and how often a request that is safe to repeat is tried.

    `close_seconds`: how long closing waits for answers that are still to come.
    """

    answer_seconds: float = 20.0
    close_seconds: float = 2.0
    tries: int = 3
    first_pause: float = 0.3
    growth: float = 3.0

    def pause(self, tried: int) -> float:
        """Seconds until the next try, before jitter; `tried` begins at 1."""
        return self.first_pause * self.growth ** (tried - 1)


class IkPayClient:
    """A CardProvider over HTTP. It owns `http`; close it with `aclose`."""

    def __init__(
        self,
        place: Place,
        credentials: Credentials,
        http: httpx.AsyncClient,
        *,
        patience: Patience = Patience(),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._place = place
        self._credentials = credentials
        self._patience = patience
        self._sleep = sleep
        self._jitter = jitter
        self._exchanges = Exchanges(
            http, seconds=patience.answer_seconds, close_seconds=patience.close_seconds
        )

    @property
    def name(self) -> str:
        return self._place.name

    @property
    def live(self) -> bool:
        return self._place.live

    async def aclose(self) -> None:
        await self._exchanges.aclose()

    async def create_link(self, request: LinkRequest) -> PayLink:
        """Tried again only where the connection was never made: a link must not be made twice."""
        body = link_body(request, entity_id=self._credentials.entity_id, mode=self._place.mode)
        answer = await self._patiently(
            lambda: self._ask("POST", PAYMENT, content=body), _never_sent
        )
        _judge(answer)
        return read_link(
            answer.content, external_id=request.external_id, origins=self._place.pay_origins
        )

    async def link_status(self, link_id: str) -> LinkStatus:
        _require_id(link_id)
        answer = await self._get(f"{STATUS}/{link_id}")
        _judge(answer)
        return read_status(answer.content, link_id=link_id)

    async def transaction_status(self, external_id: str) -> LinkStatus | None:
        _require_id(external_id)
        answer = await self._get(STATUS_BY_OUR_ID, f"?externalReference={external_id}")
        if answer.status == httpx.codes.NOT_FOUND and is_plain_no(answer.content):
            return None
        _judge(answer)
        return read_status(answer.content, external_id=external_id)

    async def history(self, start: date, end: date) -> tuple[LinkStatus, ...]:
        query = f"?startDate={start.isoformat()}&endDate={end.isoformat()}"
        answer = await self._get(HISTORY, query, limit=MAX_HISTORY_BYTES)
        _judge(answer)
        return read_history(answer.content)

    async def _get(self, path: str, query: str = "", *, limit: int = MAX_ANSWER_BYTES) -> Answer:
        async def once() -> Answer:
            answer = await self._ask("GET", path, query, limit=limit)
            if _is_trouble(answer.status):
                _judge(answer)
            return answer

        return await self._patiently(once, _is_passing)

    async def _ask(
        self, method: str, path: str, query: str = "", *, content: bytes = b"",
        limit: int = MAX_ANSWER_BYTES,
    ) -> Answer:  # fmt: skip
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "IK-APPID": self._credentials.app_id,
            # The query is never signed.
            "IK-SIGN": sign(path, content, self._credentials.secret.get_secret_value()),
        }
        url = f"{self._place.api}{path}{query}"
        request = self._exchanges.build(method, url, content=content, headers=headers)
        return await self._exchanges.ask(request, limit=limit)

    async def _patiently(
        self, ask: Callable[[], Awaitable[Answer]], again: Callable[[ProviderError], bool]
    ) -> Answer:
        for tried in range(1, self._patience.tries):
            try:
                return await ask()
            except ProviderError as error:
                if not again(error):
                    raise
            await self._sleep(self._patience.pause(tried) * (0.5 + self._jitter() / 2))
        return await ask()


def _never_sent(error: ProviderError) -> bool:
    return error.failure is FailureClass.NETWORK and not error.outcome_unknown


def _is_passing(error: ProviderError) -> bool:
    return error.failure in {FailureClass.NETWORK, FailureClass.PROVIDER_DOWN}


def _is_trouble(status: int) -> bool:
    return status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(status)


def _judge(answer: Answer) -> None:
    """Raises ProviderError for every status but success."""
    status = answer.status
    if httpx.codes.is_success(status):
        return
    if _is_trouble(status):
        raise ProviderError(
            f"The card payment service is in trouble (HTTP {status}).",
            failure=FailureClass.PROVIDER_DOWN,
            retryable=True,
            # Some servers fail after the work is done.
            outcome_unknown=status != httpx.codes.TOO_MANY_REQUESTS,
        )
    if not httpx.codes.is_client_error(status):
        raise unusable(f"HTTP {status}")
    if status == httpx.codes.CONFLICT:
        raise ProviderError(
            "The card payment service knows this payment already.",
            failure=FailureClass.DUPLICATE,
            retryable=False,
            outcome_unknown=True,
        )
    if status == httpx.codes.NOT_FOUND:
        raise ProviderError(
            "The card payment service does not know this payment.",
            failure=FailureClass.UNKNOWN,
            retryable=False,
        )
    keys = status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}
    raise ProviderError(
        "The card payment service does not accept our keys."
        if keys
        else f"The card payment service does not accept what we ask (HTTP {status}).",
        failure=FailureClass.CONFIGURATION,
        retryable=False,
    )


def _require_id(text: str) -> None:
    if not is_id(text):
        raise ProviderError(
            "This is not the id of a card payment.", failure=FailureClass.UNKNOWN, retryable=False
        )
