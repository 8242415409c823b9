"""Below the routes: what is hardly a request at all, and what is a request for something else."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from core.backend.web.server import PatientProtocol
from core.protocol.messages import MAX_INBOUND_BYTES
from tests.backend.hostile.place import MEDIA_TYPE, Place, complaint
from tests.backend.web.asking import live, next_message, say_hello
from tests.support.live_backend import LiveBackend
from tests.support.waiting import wait_until
from tests.support.watch import ExpectedLogs

_HEAD = b"Host: x\r\n"
_INVALID = "Invalid HTTP request received"


def _talk(backend: LiveBackend, *parts: bytes) -> list[httpx.Response]:
    """Send these bytes and read the answers until the backend hangs up."""
    with closing(_connected(backend)) as raw:
        for part in parts:
            raw.sendall(part)
        read = b""
        while chunk := raw.recv(65536):
            read += chunk
    return _answers(read)


def _connected(backend: LiveBackend) -> socket.socket:
    port = httpx.URL(backend.url).port
    assert port is not None
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def _answers(read: bytes) -> list[httpx.Response]:
    found = []
    while read:
        head, _, rest = read.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        chunked = headers.pop("transfer-encoding", "") == "chunked"
        length = int(headers.get("content-length", len(rest)))
        body, read = (_unchunked(rest), b"") if chunked else (rest[:length], rest[length:])
        found.append(httpx.Response(int(lines[0].split(" ")[1]), headers=headers, content=body))
    return found


def _unchunked(data: bytes) -> bytes:
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        body, data = body + data[:length], data[length + 2 :]
    return body


_NO_REQUESTS = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,  # TLS
    b"hello\r\n\r\n",
    b"GET / HTTP/x\r\n" + _HEAD + b"\r\n",
    b"GET /\xff HTTP/1.1\r\n" + _HEAD + b"\r\n",
    b"GET / HTTP/1.1\r\n\r\n",  # no host
    b"GET / HTTP/1.1\r\n" + _HEAD + _HEAD + b"\r\n",
    b"GET / HTTP/1.1\r\n" + _HEAD + b"no colon\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + _HEAD + b"X: a\x00b\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + _HEAD + b"X Y: z\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + _HEAD + b"Content-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + _HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"POST / HTTP/1.1\r\n" + _HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + _HEAD + b"X: " + b"y" * 100_000,
    b"GET /" + b"a" * 100_000,
    b"GET / HTTP/1.1\r\n" + _HEAD + b"X: y\r\n" * 20_000,
)


def test_what_is_no_request(live_backend: LiveBackend, expected_logs: ExpectedLogs) -> None:
    for request in _NO_REQUESTS:
        with expected_logs(_INVALID):
            answers = _talk(live_backend, request)
        # Whatever the backend had not read when it hung up may have cut the answer off.
        found = [complaint(answer, {400, 501}) for answer in answers]
        assert found in ([""], []), request[:40]
    assert httpx.get(f"{live_backend.url}/health/live", trust_env=False).status_code == 200


def test_a_broken_body_never_reaches_a_use_case(place: Place, expected_logs: ExpectedLogs) -> None:
    before = place.state()
    head = (
        b"POST /api/student/sign-up HTTP/1.1\r\n" + _HEAD
        + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )  # fmt: skip
    body = b'{"name": "N", "email": "n@mail.example", "password": "long enough"}'
    good = b"%x\r\n%s\r\n" % (len(body), body)
    with expected_logs(_INVALID):
        answers = _talk(place.backend, head, good, b"not a length\r\n")
    assert [complaint(answer, {400}) for answer in answers] == [""]
    wait_until(lambda: place.backend.connections <= 1, what="the end of the connection")
    assert place.state() == before


def test_a_request_cut_off_in_its_body_changes_nothing(place: Place) -> None:
    before = place.state()
    body = b'{"name": "N", "email": "n@mail.example", "password": "long enough"}'
    head = (
        b"POST /api/student/sign-up HTTP/1.1\r\n" + _HEAD
        + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1)
    )  # fmt: skip
    with closing(_connected(place.backend)) as raw:
        raw.sendall(head + body)
    wait_until(lambda: place.backend.connections <= 1, what="the end of the connection")
    assert place.state() == before


def test_rubbish_behind_a_good_request(
    live_backend: LiveBackend, expected_logs: ExpectedLogs
) -> None:
    with expected_logs(_INVALID):
        answers = _talk(
            live_backend, b"GET /health/live HTTP/1.1\r\n" + _HEAD + b"\r\n", b"rubbish\r\n\r\n"
        )
    assert answers[0].status_code == 200
    assert [complaint(answer, {400}) for answer in answers[1:]] in ([""], [])


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHos"])
def test_a_head_that_does_not_come(
    live_backend: LiveBackend, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.1)
    (answer,) = _talk(live_backend, begun)
    assert complaint(answer, {408}) == ""
    wait_until(lambda: live_backend.connections == 0, what="no connection")


def test_a_second_head_that_does_not_come(
    live_backend: LiveBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.1)
    read = b""
    with closing(_connected(live_backend)) as raw:
        raw.sendall(b"GET /health/live HTTP/1.1\r\n" + _HEAD + b"\r\n")
        while not read.endswith(b"}"):
            read += raw.recv(65536)
        raw.sendall(b"GET / HT")
        while chunk := raw.recv(65536):
            read += chunk
    good, last = _answers(read)
    assert good.status_code == 200
    assert complaint(last, {408}) == ""
    wait_until(lambda: live_backend.connections == 0, what="no connection")


async def test_a_websocket_outlives_the_limit_of_its_head(
    live_backend: LiveBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.1)
    async with live(live_backend) as client:
        await asyncio.to_thread(_talk, live_backend)  # a later connection has been given up by now
        await say_hello(client, live_backend.staff())
        assert (await next_message(client)).type == "snapshot"


def test_a_body_that_comes_in_drops_is_not_waited_for(
    live_backend: LiveBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head came in time: the body has its own limit (see test_shield.py)."""
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.05)
    head = (
        b"POST /api/staff/sign-in HTTP/1.1\r\n"
        + _HEAD
        + b"Content-Length: 2\r\nConnection: close\r\n\r\n"
    )
    with closing(_connected(live_backend)) as raw:
        raw.sendall(head + b"{")
        _talk(live_backend)  # a later connection, which was not waited for any longer
        raw.sendall(b"}")
        read = b""
        while chunk := raw.recv(65536):
            read += chunk
    assert [complaint(answer, {422}) for answer in _answers(read)] == [""]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PATCH", "PUT", "DELETE", "BREW"])
def test_methods_that_a_path_does_not_have(place: Place, method: str) -> None:
    before = place.state()
    for path in {route.path for route in place.routes} | {"/live", "/static/page.js", "/nowhere"}:
        methods = {route.method for route in place.routes if route.path == path}
        if method in methods:
            continue
        url = path.format_map(place.known)
        answer = place.http.request(method, url)
        if path.startswith("/static/") and method == "HEAD":
            assert not answer.content
            continue
        assert answer.status_code in (404, 405), f"{method} {path}"
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert method == "HEAD" or complaint(answer) == ""
        if answer.status_code == 405:
            assert set(answer.headers["allow"].split(", ")) <= methods | {"GET", "HEAD"}
    assert place.state() == before


_OUTSIDE = (
    "../tokens.json", "..%2ftokens.json", "%2e%2e/tokens.json", "%2e%2e%2ftokens.json",
    "..%5ctokens.json", "....//tokens.json", "%252e%252e%252ftokens.json", "/etc/passwd",
    "%2fetc%2fpasswd", "//etc/passwd", "%00", "page.js%00", "a" * 5_000, "%c0%ae%c0%ae/", "..",
    ".", "%20", "~root", "file:///etc/passwd", "C:%5cWindows", "a/" * 500,
)  # fmt: skip


@pytest.mark.parametrize("folder", ["/static/", "/fonts/"])
def test_no_way_out_of_the_folders(live_backend: LiveBackend, folder: str) -> None:
    for name in _OUTSIDE:
        line = f"GET {folder}{name} HTTP/1.1\r\n"
        (answer,) = _talk(live_backend, line.encode() + _HEAD + b"Connection: close\r\n\r\n")
        assert complaint(answer, {404, 405, 422}) == "", name


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=0-1",
        "bytes=abc",
        "bytes=9-1",
        "bytes=99999999-",
        "lines=1-2",
        "bytes=" + "0-1," * 200,
    ],
)
def test_a_part_of_a_file_is_all_of_it(place: Place, wanted: str) -> None:
    for path in ("/", "/static/page.js", "/fonts/Inter-Regular.woff2"):
        whole = place.http.get(path)
        part = place.http.get(path, headers={"Range": wanted})
        assert (part.status_code, part.content) == (whole.status_code, whole.content)


def test_no_redirect_to_a_host_that_the_request_names(place: Place) -> None:
    for route in place.routes:
        url = route.path.replace("{", "").replace("}", "") + "/"
        answer = place.http.request(route.method, url, headers={"Host": "evil.example"})
        assert "location" not in answer.headers, route


def test_headers_that_come_twice(place: Place) -> None:
    officer = place.backend.staff().access_token
    before = place.state()
    body = ("Content-Type", "application/json")
    for headers in (
        [("Authorization", "Bearer " + "x" * 43), ("Authorization", f"Bearer {officer}")],
        [("Cookie", "bursar_session=" + "x" * 43), ("Cookie", "bursar_session=" + "y" * 43)],
        [("Authorization", f"Bearer {officer}, Bearer {officer}")],
    ):
        answer = place.http.get("/api/staff/me", headers=headers)
        assert complaint(answer, {401}) == ""
    origins = [body, ("Origin", place.backend.url), ("Origin", "https://evil.example")]
    answer = place.http.post("/api/student/sign-in", headers=origins, content=b"{}")
    assert complaint(answer, {403}) == ""
    assert place.state() == before


def test_a_body_where_none_belongs_is_limited_too(place: Place) -> None:
    large = b"x" * (MAX_INBOUND_BYTES + 1)
    for route in place.routes:
        answer = place.ask(
            route, {}, content=large, url=route.path.replace("{", "").replace("}", "")
        )
        assert complaint(answer, {413}) == "", route


def test_no_page_of_the_backend_says_where_it_runs(place: Place) -> None:
    """Neither folders of this machine nor names of modules, in any answer to a stranger."""
    for route in place.routes:
        answer = place.http.request(route.method, route.path)
        assert str(Path(__file__).parents[3]) not in answer.text
        assert "core.backend" not in answer.text
