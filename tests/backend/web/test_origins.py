"""Cookies that no other site can use, set or read; a socket for our own pages only."""

from __future__ import annotations

from dataclasses import replace
from http.cookies import SimpleCookie

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from core.backend.web.app import create_app
from tests.backend.web.asking import problem
from tests.support.live_backend import LiveBackend
from tests.support.live_template import PASSWORD

PUBLIC = "https://pay.college.example"
SIGN_UP = {"name": "Sipho", "email": "sipho@mail.example", "password": PASSWORD}


def _secure(backend: LiveBackend) -> httpx.AsyncClient:
    """The same services under a public https address, without the network."""
    config = replace(
        backend.services.config, public_url=PUBLIC, allowed_origins=frozenset({PUBLIC})
    )
    app = create_app(replace(backend.services, config=config))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC)


async def _over_https(backend: LiveBackend) -> list[httpx.Response]:
    async with _secure(backend) as http:
        up = await http.post("/api/student/sign-up", json=SIGN_UP, headers={"Origin": PUBLIC})
        cards = await http.get("/api/student/cards")
        listed = await http.get("/api/student/sessions")
        out = await http.post("/api/student/sign-out", headers={"Origin": PUBLIC})
        after = await http.get("/api/student/cards")
    return [up, cards, listed, out, after]


def test_over_https_the_cookie_is_of_this_host_alone(live_backend: LiveBackend) -> None:
    up, cards, listed, out, after = live_backend.run(_over_https(live_backend))
    ((name, cookie),) = SimpleCookie(up.headers["set-cookie"]).items()
    assert name == "__Host-bursar_session"
    assert (cookie["secure"], cookie["httponly"]) == (True, True)
    assert (cookie["path"], cookie["domain"], cookie["samesite"]) == ("/", "", "lax")
    assert cards.json()["student"]["name"] == "Sipho"
    assert listed.status_code == 200
    ((name, gone),) = SimpleCookie(out.headers["set-cookie"]).items()
    # A browser takes the deletion of such a cookie only if it is Secure, too.
    assert (name, gone["secure"], gone["max-age"]) == ("__Host-bursar_session", True, "0")
    assert after.json()["student"] is None


async def _plain_cookie(backend: LiveBackend) -> httpx.Response:
    student = backend.services.accounts
    async with _secure(backend) as http:
        up = await http.post("/api/student/sign-up", json=SIGN_UP, headers={"Origin": PUBLIC})
        token = up.cookies["__Host-bursar_session"]
        assert (await student.student_identity(token)).name == "Sipho"
        http.cookies.clear()
        headers = {"Cookie": f"bursar_session={token}"}
        return await http.get("/api/student/sessions", headers=headers)


def test_over_https_a_cookie_without_the_prefix_is_none(live_backend: LiveBackend) -> None:
    """Another host of the same domain could have set it."""
    problem(live_backend.run(_plain_cookie(live_backend)), 401)


def _foreign(url: str) -> list[str]:
    port = url.rpartition(":")[2]
    return [
        "https://evil.example",
        "null",
        "",
        url.replace("http://", "https://"),
        f"http://127.0.0.1:{int(port) % 65535 + 1}",
        "http://127.0.0.1",
        f"{url}.evil.example",
        f"{url}/",
        f"http://evil.example@127.0.0.1:{port}",
        f"{url}, https://evil.example",
        url.replace("127.0.0.1", "127.0.0.2"),
    ]


def test_no_write_comes_from_another_page(live_backend: LiveBackend, http: httpx.Client) -> None:
    student = live_backend.student()
    cookie = {"Cookie": student.headers["Cookie"]}
    body = {"old_password": PASSWORD, "new_password": "another long password"}
    for origin in _foreign(live_backend.url):
        headers = {**cookie, "Origin": origin}
        answer = http.post("/api/student/password", json=body, headers=headers)
        problem(answer, 403, "wrong-origin")
    twice = [*cookie.items(), ("Origin", live_backend.url), ("Origin", "https://evil.example")]
    problem(http.post("/api/student/password", json=body, headers=twice), 403, "wrong-origin")
    # A browser that names no origin still says that the page is another site's.
    for site in ("cross-site", "same-site"):
        answer = http.post(
            "/api/student/password", json=body, headers={**cookie, "Sec-Fetch-Site": site}
        )
        problem(answer, 403, "wrong-origin")
    answer = http.post("/api/student/password", json=body, headers=student.headers)
    assert answer.status_code == 204


@pytest.mark.parametrize("path", ["/live", "/live/student"])
async def test_no_socket_is_opened_from_another_page(live_backend: LiveBackend, path: str) -> None:
    cookie = {"Cookie": live_backend.student().headers["Cookie"]}
    url = f"{live_backend.ws_url}{path}"
    for origin in _foreign(live_backend.url):
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, proxy=None, additional_headers={**cookie, "Origin": origin})
        assert refused.value.response.status_code == 403, origin
    twice = [("Origin", live_backend.url), ("Origin", "https://evil.example")]
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, proxy=None, additional_headers=[*cookie.items(), *twice])
    assert refused.value.response.status_code == 400  # no handshake at all
    own = {**cookie, "Origin": live_backend.url}
    async with connect(url, proxy=None, additional_headers=own) as socket:
        assert socket.close_code is None
