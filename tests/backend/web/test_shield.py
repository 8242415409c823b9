"""Around every route: limits, headers, pages, and one plain answer to what nobody expected."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from core.backend.web.shield import BodyLimit, UnexpectedErrors, content_security_policy
from core.protocol.messages import MAX_INBOUND_BYTES, Problem
from tests.backend.web.asking import problem
from tests.support.live_backend import LiveBackend
from tests.support.watch import ExpectedLogs

_JSON = {"Content-Type": "application/json"}


def _sign_in(http: httpx.Client, content: bytes | Iterator[bytes]) -> httpx.Response:
    return http.post("/api/staff/sign-in", content=content, headers=_JSON)


def test_a_body_over_the_limit_is_refused(http: httpx.Client) -> None:
    problem(_sign_in(http, b" " * (MAX_INBOUND_BYTES + 1)), 413, "too-large")
    problem(_sign_in(http, b"x" * 5_000_000), 413, "too-large")


def test_a_chunked_body_over_the_limit_is_refused(http: httpx.Client) -> None:
    chunks = (b" " * 1000 for _ in range(MAX_INBOUND_BYTES // 1000 + 1))
    problem(_sign_in(http, chunks), 413, "too-large")


def test_a_body_at_the_limit_is_read(http: httpx.Client) -> None:
    body = b'{"email": "a@b.example", "password": "long enough"}'
    problem(_sign_in(http, body.ljust(MAX_INBOUND_BYTES)), 401, "sign-in-refused")
    chunks = iter([body[:10], body[10:]])
    problem(_sign_in(http, chunks), 401, "sign-in-refused")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"", 422),
        (b"\xff\xfe", 422),
        (b"[" * 60_000, 400),
        (b'{"email": "a@b", "password": "\\ud800 lone"}', 422),
        (b'{"email": ' + b"9" * 5000 + b"}", 400),
    ],
)
def test_bodies_that_are_no_json_are_problems(http: httpx.Client, body: bytes, status: int) -> None:
    problem(_sign_in(http, body), status)


def test_a_body_that_calls_itself_something_else_is_refused(http: httpx.Client) -> None:
    body = b'{"email": "a@b.example", "password": "long enough"}'
    answer = http.post("/api/staff/sign-in", content=body, headers={"Content-Type": "text/plain"})
    problem(answer, 422)


def test_a_wrong_method_and_an_unknown_path(http: httpx.Client) -> None:
    answer = http.get("/api/staff/sign-in")
    problem(answer, 405)
    assert answer.headers["allow"] == "POST"
    problem(http.get("/nowhere"), 404)
    problem(http.get("/static/nowhere.js"), 404)
    for path in ("/docs", "/redoc", "/openapi.json"):
        problem(http.get(path), 404)


@pytest.mark.parametrize("path", ["/", "/health/live", "/api/student/cards", "/nowhere"])
def test_every_answer_has_the_security_headers(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "server" not in headers
    assert "strict-transport-security" not in headers  # plain http, on loopback only


def test_websockets_of_our_own_origin_are_named() -> None:
    policy = content_security_policy(["https://pay.example.co.za"])
    assert "connect-src 'self' wss://pay.example.co.za;" in policy


def test_no_answer_of_the_api_is_kept(http: httpx.Client) -> None:
    assert http.get("/api/student/cards").headers["cache-control"] == "no-store"
    assert http.get("/api/staff/me").headers["cache-control"] == "no-store"


def test_the_page_and_all_that_it_names_are_served(http: httpx.Client) -> None:
    page = http.get("/")
    assert page.headers["content-type"].startswith("text/html")
    named = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert any(name.startswith("/static/") for name in named)
    kinds = {
        "js": "text/javascript",
        "css": "text/css",
        "svg": "image/svg+xml",
        "woff2": "font/woff2",
    }
    for name in [*named, "/tokens.css"]:
        answer = http.get(name)
        assert answer.status_code == 200, name
        kind = kinds[name.rpartition(".")[2]]
        assert answer.headers["content-type"].startswith(kind), name
    assert "--surface" in http.get("/tokens.css").text


def test_a_font_is_served_and_nothing_else_from_its_folder(http: httpx.Client) -> None:
    answer = http.get("/fonts/Inter-Regular.woff2")
    assert answer.headers["content-type"] == "font/woff2"
    assert answer.content.startswith(b"wOF2")
    for name in ("LICENSE", "Inter-Regular.ttf", "..%2Ftokens.json", "Nowhere.woff2", "%00.woff2"):
        problem(http.get(f"/fonts/{name}"), 404)
    for path in ("/static/../tokens.json", "/static/..%2f..%2fpyproject.toml", "/static/%2e%2e/x"):
        assert http.get(path).status_code == 404


def test_health(live_backend: LiveBackend, http: httpx.Client) -> None:
    assert http.get("/health/live").json() == {"status": "live"}
    assert http.get("/health/ready").json() == {"status": "ready"}
    live_backend.restart()
    assert http.get("/health/ready").json() == {"status": "ready"}


# --- the shield alone --------------------------------------------------------------------------


async def _ask(app: object, messages: AsyncIterator[Message]) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return await anext(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": "/api/x", "headers": []}
    assert callable(app)
    await app(scope, receive, send)
    return sent


async def test_a_body_that_never_ends_is_given_up() -> None:
    async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError("must not be reached")

    async def body() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": b"{", "more_body": True}
        await asyncio.Event().wait()

    sent = await _ask(BodyLimit(never, seconds=0.01), body())
    assert sent[0]["status"] == 408


async def test_a_bug_is_logged_without_the_values_it_handled(expected_logs: ExpectedLogs) -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("thandi@college.example could not be saved")

    async def body() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": b"", "more_body": False}

    with expected_logs("request failed unexpectedly"):
        sent = await _ask(UnexpectedErrors(broken), body())
    assert sent[0]["status"] == 500
    read = Problem.model_validate_json(sent[1]["body"])
    assert read.type == "urn:bursar:unexpected"
    assert "thandi" not in read.detail
    assert "Traceback" not in read.detail
