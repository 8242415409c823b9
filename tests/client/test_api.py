"""The API client: what is sent, and what becomes of each kind of answer."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from core.client.api import Api
from core.client.errors import (
    NotSentError,
    ProblemError,
    ProtocolError,
    SignInNeededError,
    UnreachableError,
)
from core.client.exchange import MAX_ANSWER_BYTES
from core.client.http import is_loopback, live_url, open_http, parse_base_url
from core.client.secrets import MemoryStore
from core.client.session import SessionKeeper
from core.protocol.messages import Problem, Session, User
from tests.client.build import session

Handler = Callable[[httpx.Request], httpx.Response]


def problem(status: int, kind: str = "urn:bursar:x", detail: str = "No.") -> httpx.Response:
    body = Problem(type=kind, title="No", status=status, detail=detail)
    return httpx.Response(status, content=body.model_dump_json())


def answer(model: Session | User) -> httpx.Response:
    return httpx.Response(200, content=model.model_dump_json())


def api(handler: Handler, *, current: Session | None = None) -> Api:
    http = httpx.AsyncClient(base_url="https://bursar.test", transport=httpx.MockTransport(handler))
    keeper = SessionKeeper(MemoryStore(), "test")
    keeper.session = current
    return Api(http, keeper)


class Backend:
    """Knows one access token at a time; each refresh token is good once."""

    def __init__(self) -> None:
        self.number = 1
        self.refreshes: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/staff/refresh":
            token = json.loads(request.content)["refresh_token"]
            self.refreshes.append(token)
            if token != session(self.number).refresh_token:
                return problem(401)
            self.number += 1
            return answer(session(self.number))
        if request.headers.get("Authorization") != f"Bearer {session(self.number).access_token}":
            return problem(401)
        return answer(session(self.number).user)

    def expire(self) -> None:
        """The access token of the session ends, its refresh token is still good."""
        self.number += 1


async def test_signing_in_keeps_the_session() -> None:
    def backend(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == {"email": "t@example.org", "password": "long enough"}
        assert "Authorization" not in request.headers
        return answer(session(1))

    client = api(backend)
    await client.sign_in("t@example.org", "long enough")
    assert client.keeper.session == session(1)
    assert await client.keeper.refresh_token() == session(1).refresh_token


async def test_a_wrong_password_is_told_as_the_backend_says_it() -> None:
    client = api(lambda _: problem(401, detail="Email or password is wrong."))
    with pytest.raises(ProblemError, match="Email or password is wrong"):
        await client.sign_in("t@example.org", "long enough")


async def test_what_cannot_be_right_is_not_even_sent_and_never_quoted() -> None:
    client = api(lambda _: pytest.fail("sent"))
    with pytest.raises(ProblemError) as refused:
        await client.sign_in("no email", "short")
    assert "email" in str(refused.value)
    assert "short" not in str(refused.value)
    assert refused.value.__cause__ is None


async def test_a_refused_token_is_renewed_once_and_the_request_repeated() -> None:
    backend = Backend()
    client = api(backend, current=session(1))
    assert await client.me() == session(1).user
    client.keeper.session = session(1).model_copy(update={"access_token": "x" * 20})
    assert await client.me() == session(2).user
    assert backend.refreshes == [session(1).refresh_token]
    assert client.keeper.session == session(2)


async def test_many_requests_share_one_renewal() -> None:
    backend = Backend()
    client = api(backend, current=session(1).model_copy(update={"access_token": "x" * 20}))
    await asyncio.gather(*(client.me() for _ in range(8)))
    assert len(backend.refreshes) == 1


async def test_a_session_that_ended_needs_a_sign_in_and_is_forgotten() -> None:
    client = api(lambda _: problem(401), current=session(1))
    with pytest.raises(SignInNeededError):
        await client.me()
    assert client.keeper.session is None
    assert await client.keeper.refresh_token() is None


async def test_a_new_token_that_is_refused_too_needs_a_sign_in() -> None:
    def backend(request: httpx.Request) -> httpx.Response:
        return answer(session(2)) if request.url.path.endswith("refresh") else problem(401)

    with pytest.raises(SignInNeededError):
        await api(backend, current=session(1)).me()


async def test_a_backend_that_is_down_while_renewing_does_not_sign_out() -> None:
    def backend(request: httpx.Request) -> httpx.Response:
        return problem(503) if request.url.path.endswith("refresh") else problem(401)

    client = api(backend, current=session(1))
    with pytest.raises(ProblemError) as refused:
        await client.me()
    assert refused.value.is_transient
    assert client.keeper.session == session(1)


async def test_a_remembered_session_is_resumed() -> None:
    backend = Backend()
    client = api(backend)
    with pytest.raises(SignInNeededError):
        await client.resume()
    await client.keeper.keep(session(1))
    client.keeper.session = None
    assert await client.resume() == session(2)


@pytest.mark.parametrize("status", [204, 401, 500])
async def test_signing_out_always_works_here(status: int) -> None:
    reply = httpx.Response(204) if status == 204 else problem(status)
    client = api(lambda _: reply, current=session(1))
    await client.sign_out()
    assert client.keeper.session is None


async def test_signing_out_offline_forgets_the_session_all_the_same() -> None:
    def offline(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("offline")

    client = api(offline, current=session(1))
    with pytest.raises(UnreachableError):
        await client.sign_out()
    assert client.keeper.session is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"<html>", b"\xff", b'{"type":"t","title":"t","status":200,"detail":"d"}'],
)
@pytest.mark.parametrize("status", [302, 403, 404, 407, 502, 511])
async def test_what_another_machine_answers_is_not_the_backends_word(
    content: bytes, status: int
) -> None:
    client = api(lambda _: httpx.Response(status, content=content), current=session(1))
    with pytest.raises(UnreachableError, match=str(status)):
        await client.me()


async def test_a_request_too_large_for_a_machine_on_the_way_is_a_problem() -> None:
    client = api(lambda _: httpx.Response(413, content=b"<html>"), current=session(1))
    with pytest.raises(ProblemError) as refused:
        await client.me()
    assert refused.value.problem.status == 413


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_only_the_backend_can_end_a_session(status: int) -> None:
    def captive(request: httpx.Request) -> httpx.Response:
        refreshes = request.url.path.endswith("/refresh")
        return httpx.Response(status if refreshes else 401, content=b"<html>")

    client = api(captive, current=session(1))
    with pytest.raises(UnreachableError):
        await client.me()
    assert await client.keeper.refresh_token() is not None


@pytest.mark.parametrize("content", [b"", b"<html>", b"not json", b"\xff"])
async def test_a_success_that_is_no_json_did_not_come_from_the_backend(content: bytes) -> None:
    client = api(lambda _: httpx.Response(200, content=content), current=session(1))
    with pytest.raises(UnreachableError):
        await client.me()


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"id":"x"}'])
async def test_a_success_that_makes_no_sense_is_a_protocol_error(content: bytes) -> None:
    client = api(lambda _: httpx.Response(200, content=content), current=session(1))
    with pytest.raises(ProtocolError):
        await client.me()


async def test_an_endless_answer_is_cut() -> None:
    big = httpx.Response(200, content=b" " * (MAX_ANSWER_BYTES + 1))
    with pytest.raises(ProtocolError, match="too long"):
        await api(lambda _: big, current=session(1)).me()


async def test_a_redirect_is_not_followed() -> None:
    away = httpx.Response(307, headers={"Location": "https://elsewhere.test/"})
    with pytest.raises(UnreachableError, match="307"):
        await api(lambda _: away, current=session(1)).me()


async def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: refused at once
        http = open_http(f"http://127.0.0.1:{taken.getsockname()[1]}")
        keeper = SessionKeeper(MemoryStore(), "test")
        keeper.session = session(1)
        with pytest.raises(NotSentError):
            await Api(http, keeper).me()
        await http.aclose()


@pytest.mark.parametrize(
    ("error", "was_sent"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("too long"), False),
        (httpx.ReadTimeout("too long"), True),
        (httpx.RemoteProtocolError("cut"), True),
    ],
)
async def test_what_was_not_even_sent_is_told_apart(
    error: httpx.HTTPError, *, was_sent: bool
) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(UnreachableError) as raised:
        await api(broken, current=session(1)).me()
    assert isinstance(raised.value, NotSentError) is not was_sent


async def test_queries_are_written_into_the_address() -> None:
    seen: list[httpx.URL] = []

    def backend(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return problem(404)

    client = api(backend, current=session(1))
    for call in (
        client.pending(after="a&b=c", limit=7),
        client.consistency(3, 9),
        client.enrollment(UUID(int=5)),
    ):
        with pytest.raises(ProblemError):
            await call
    assert dict(seen[0].params) == {"limit": "7", "after": "a&b=c"}
    assert dict(seen[1].params) == {"size1": "3", "size2": "9"}
    assert seen[2].path == f"/api/enrollments/{UUID(int=5)}"


# --- addresses ---


@pytest.mark.parametrize(
    ("text", "live"),
    [
        ("https://bursar.example.org/", "wss://bursar.example.org/live"),
        (" https://bursar.example.org:8443/b ", "wss://bursar.example.org:8443/b/live"),
        ("http://127.0.0.1:5000", "ws://127.0.0.1:5000/live"),
        ("http://localhost:5000", "ws://localhost:5000/live"),
        ("http://[::1]:5000", "ws://[::1]:5000/live"),
    ],
)
def test_good_addresses(text: str, live: str) -> None:
    assert live_url(parse_base_url(text)) == live


@pytest.mark.parametrize(
    "text",
    [
        "", "bursar", "ftp://bursar.example.org", "https://", "http://bursar.example.org",
        "https://me:secret@bursar.example.org", "https://bursar.example.org/?x=1", "http://[::",
        "http://127.0.0.1.example.org", "https://bursar.example.org:99999999",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        parse_base_url(text)


def test_this_computer_is_told_from_others() -> None:
    assert is_loopback(httpx.URL("http://127.8.9.1"))
    assert not is_loopback(httpx.URL("http://10.0.0.1"))
    assert not is_loopback(httpx.URL("http://localhost.example.org"))


async def test_the_live_address_keeps_the_path() -> None:
    client = api(lambda _: problem(404))
    assert client.live_url == "wss://bursar.test/live"
