"""iKhokha's addresses are in the code, the sandbox is on this machine: neither is the other."""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from core.backend.gateway.choice import CardConfig, open_card_provider
from core.backend.gateway.ikhokha import IkhokhaProvider
from core.backend.gateway.ikpay import Credentials
from core.backend.gateway.provider import CardProvider, ProviderError
from core.backend.gateway.requests import is_public_https, plain
from core.backend.gateway.sandbox.provider import SandboxProvider
from core.backend.gateway.signature import sign
from core.domain.failures import FailureClass
from tests.backend.gateway.build import APP_ID, CREDENTIALS, SECRET, link_request

PUBLIC = "https://pay.college.co.za"


class Wire:
    """Stands where the network would be and keeps what was to be sent."""

    def __init__(self) -> None:
        self.sent: list[httpx.Request] = []
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        made = {
            "responseCode": "00", "paylinkID": "a1",
            "paylinkUrl": "https://securepay.ikhokha.red/a1",
        }  # fmt: skip
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(made).encode()))


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    yield wire
    await wire.http.aclose()


@pytest.mark.req("5.1")
async def test_a_live_payment_goes_to_ikhokha_and_is_signed(wire: Wire) -> None:
    provider = IkhokhaProvider(CREDENTIALS, http=wire.http)
    assert (provider.name, provider.live) == ("ikhokha", True)
    await provider.create_link(link_request(PUBLIC))
    (request,) = wire.sent
    body = request.read()
    assert str(request.url) == "https://api.ikhokha.com/public-api/v1/api/payment"
    assert request.headers["ik-appid"] == APP_ID
    assert request.headers["ik-sign"] == sign("/public-api/v1/api/payment", body, SECRET)
    assert request.headers["content-type"] == "application/json"
    sent = json.loads(body)
    assert sent["mode"] == "live"
    assert sent["amount"] == 125_000
    assert sent["entityID"] == APP_ID
    assert sent["description"] == "Thandi s Data course 2026"
    assert body == json.dumps(sent, separators=(",", ":")).encode()


@pytest.mark.req("5.2")
async def test_no_setting_leads_the_live_client_elsewhere() -> None:
    taken = set(inspect.signature(IkhokhaProvider).parameters)
    assert taken == {"credentials", "mode", "http"}
    provider = open_card_provider(
        CardConfig(
            provider="ikhokha", credentials=CREDENTIALS, sandbox_address="http://127.0.0.1:1"
        )
    )
    assert isinstance(provider, IkhokhaProvider)
    assert provider.live
    assert provider._place.api == "https://api.ikhokha.com"
    await provider.aclose()


async def test_test_mode_is_never_live(wire: Wire) -> None:
    provider = IkhokhaProvider(CREDENTIALS, mode="test", http=wire.http)
    assert not provider.live
    await provider.create_link(link_request(PUBLIC))
    assert json.loads(wire.sent[0].read())["mode"] == "test"


@pytest.mark.parametrize(
    "place",
    ["http://pay.college.co.za", "https://127.0.0.1", "https://localhost", "https://10.0.0.4"],
)
async def test_an_address_that_ikhokha_cannot_call_is_not_sent(wire: Wire, place: str) -> None:
    provider = IkhokhaProvider(CREDENTIALS, http=wire.http)
    with pytest.raises(ProviderError, match="public https") as refused:
        await provider.create_link(link_request(place))
    assert refused.value.failure is FailureClass.CONFIGURATION
    assert wire.sent == []


@pytest.mark.parametrize(
    "callback", ["https://a.co.za/hook?x=1", "https://a.co.za/hook#x", "https://a.co.za/h'k", ""]
)
async def test_a_callback_address_is_plain(wire: Wire, callback: str) -> None:
    provider = SandboxProvider("http://127.0.0.1:1", CREDENTIALS, http=wire.http)
    with pytest.raises(ProviderError, match="An address"):
        await provider.create_link(replace(link_request(PUBLIC), callback_url=callback))
    with pytest.raises(ValueError, match="one cent"):
        await provider.create_link(link_request(PUBLIC, amount_cents=0))
    assert wire.sent == []


@pytest.mark.req("5.2")
@pytest.mark.parametrize(
    "address",
    [
        "https://api.ikhokha.com",
        "http://api.ikhokha.com:80",
        "http://10.0.0.1:8410",
        "http://127.0.0.1",
        "http://127.0.0.1:8410/",
        "http://127.0.0.1:8410@evil.example:80",
        "http://127.0.0.1.evil.example:80",
        "http://0.0.0.0:8410",
        "http://127.999.0.1:8410",
        "",
    ],
)
def test_a_sandbox_is_on_this_machine(address: str) -> None:
    with pytest.raises(ValueError, match="on this machine"):
        SandboxProvider(address, CREDENTIALS)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8410", "http://localhost:1", "http://[::1]:8410"]
)
async def test_a_sandbox_is_never_live(address: str) -> None:
    config = CardConfig(provider="sandbox", credentials=CREDENTIALS, sandbox_address=address)
    provider: CardProvider | None = open_card_provider(config)
    assert isinstance(provider, SandboxProvider)
    assert not provider.live
    await provider.aclose()


def test_no_provider_is_none_and_no_keys_are_an_error() -> None:
    assert open_card_provider(CardConfig()) is None
    with pytest.raises(ValueError, match="keys"):
        open_card_provider(CardConfig(provider="ikhokha"))
    with pytest.raises(ValueError, match="blank"):
        Credentials(app_id="a", secret=SecretStr("  "), entity_id="a")


def test_no_secret_is_shown_and_both_secrets_verify() -> None:
    config = CardConfig(
        provider="ikhokha", credentials=CREDENTIALS, previous_secret=SecretStr("the-one-before")
    )
    assert SECRET not in repr(config)
    assert "before" not in repr(config)
    assert config.callback_secrets == (SECRET, "the-one-before")
    assert CardConfig().callback_secrets == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('Data\'s "course" \\ 1', "Data s course 1"),
        ("Élan – économie", "Elan economie"),
        ("\x00\n\t", "Payment"),
        ("数据", "Payment"),
        ("x" * 101, "x" * 100),
    ],
)
def test_texts_are_made_plain(text: str, said: str) -> None:
    assert plain(text, 100) == said


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("https://pay.college.co.za/hook", True),
        ("https://8.8.8.8/", True),
        ("https://[2001:4860:4860::8888]/", True),
        ("http://pay.college.co.za", False),
        ("wss://pay.college.co.za", False),
        ("https://localhost", False),
        ("https://intranet", False),
        ("https://console.local.", False),
        ("https://192.168.1.4", False),
        ("https://[::1]", False),
        ("https://a@pay.college.co.za", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_what_the_outside_can_call(address: str, is_public: bool) -> None:
    assert is_public_https(address) == is_public
