"""What a browser is told: cookies that no script reads, and headers that no page loosens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest_asyncio

from core.backend.web.app import create_app
from tests.backend.hostile.place import Place
from tests.support.live_template import PASSWORD
from tests.support.workspace import House

_HTTPS = "https://pay.college.example"
_NEW = {"name": "Sipho Ndlovu", "email": "sipho@mail.example", "password": PASSWORD}


@pytest_asyncio.fixture
async def browser(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """The application as it is in production, under https."""
    config = replace(house.services.config, public_url=_HTTPS, allowed_origins=frozenset())
    app = create_app(replace(house.services, config=config))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=_HTTPS) as client:
        client.headers["Origin"] = _HTTPS
        yield client


def _flags(cookie: str) -> set[str]:
    return {part.strip().lower() for part in cookie.split(";")[1:]}


async def test_over_https_the_cookie_is_bound_to_this_host(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/api/student/sign-up", json=_NEW)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-bursar_session=")
    assert {"httponly", "samesite=lax", "secure", "path=/"} <= _flags(cookie)
    assert not any(flag.startswith("domain") for flag in _flags(cookie))
    assert (await browser.get("/api/student/cards")).json()["student"]["name"] == _NEW["name"]

    # A neighbouring host can set a cookie, but not this one.
    token = cookie.partition("=")[2].partition(";")[0]
    browser.cookies.clear()
    planted = {"Cookie": f"bursar_session={token}"}
    assert (await browser.get("/api/student/cards", headers=planted)).json()["student"] is None

    own = {"Cookie": f"__Host-bursar_session={token}"}
    left = await browser.post("/api/student/sign-out", headers=own)
    assert left.status_code == 204
    assert {"secure", "path=/", "max-age=0"} <= _flags(left.headers["set-cookie"])
    assert (await browser.get("/api/student/cards", headers=own)).json()["student"] is None


async def test_over_https_nothing_goes_back_to_http(browser: httpx.AsyncClient) -> None:
    headers = (await browser.get("/")).headers
    assert int(headers["strict-transport-security"].removeprefix("max-age=")) >= 31_536_000
    policy = headers["content-security-policy"].split("; ")
    assert f"connect-src 'self' wss://{_HTTPS.removeprefix('https://')}" in policy
    assert not any("http:" in part or "*" in part or "unsafe" in part for part in policy)
    plain = {"Origin": _HTTPS.replace("https", "http")}
    assert (await browser.post("/api/student/sign-in", headers=plain)).status_code == 403


def test_every_answer_of_every_route_has_the_headers(place: Place) -> None:
    wanted = {
        "content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy",
        "cross-origin-opener-policy", "cross-origin-resource-policy", "permissions-policy",
    }  # fmt: skip
    for route in place.routes:
        answer = place.http.request(route.method, route.path.replace("{", "").replace("}", ""))
        assert wanted <= set(answer.headers), route
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
        if route.path.startswith("/api/"):
            assert answer.headers["cache-control"] == "no-store", route


def test_only_signing_in_and_out_sets_a_cookie(place: Place) -> None:
    found = set()
    for route in place.routes:
        headers = place.headers_for(route)
        body = None if route.body is None else place.samples.good(route.body)
        answer = place.ask(route, headers, body)
        if cookie := answer.headers.get("set-cookie"):
            found.add(route.path)
            assert {"httponly", "samesite=lax", "path=/"} <= _flags(cookie), route
    assert found <= {f"/api/student/sign-{door}" for door in ("up", "in", "out")}
    assert "/api/student/sign-up" in found
