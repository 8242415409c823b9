"""The sandbox: its pay page, what it refuses, and its control routes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from core.backend.gateway.ikpay import HISTORY, PAYMENT
from core.backend.gateway.requests import link_body
from core.backend.gateway.sandbox.book import BookError, LinkState
from core.backend.gateway.sandbox.mischief import Mischief
from core.backend.gateway.sandbox.sandbox import SandboxKeys, new_keys
from core.backend.gateway.signature import sign
from tests.backend.gateway.build import APP_ID, CONTROL, SECRET, START, link_request
from tests.backend.gateway.conftest import Play

STEER = {"authorization": f"Bearer {CONTROL}"}


@pytest_asyncio.fixture
async def person(play: Play) -> AsyncIterator[httpx.AsyncClient]:
    """A browser, without cookies and without scripts, on the sandbox's pages."""
    async with httpx.AsyncClient(base_url=play.sandbox.address, trust_env=False) as http:
        yield http


async def _link(play: Play) -> str:
    return (await play.provider.create_link(link_request(play.us.address))).url


async def test_the_page_says_what_is_paid_and_that_it_is_play(
    play: Play, person: httpx.AsyncClient
) -> None:
    page = await person.get(await _link(play))
    assert page.status_code == 200
    assert "Sandbox: no real money moves here." in page.text
    assert "R 1 250.00" in page.text.replace("\u00a0", " ").replace("\u202f", " ")
    assert "Thandi s Data course 2026" in page.text
    assert "BR7K2M9XQ" in page.text
    assert 'id="pay"' in page.text
    assert 'id="decline"' in page.text
    assert f'href="{play.us.address}/"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "script" not in page.text


async def test_who_pays_comes_back_and_we_are_called(play: Play, person: httpx.AsyncClient) -> None:
    url = await _link(play)
    paid = await person.post(f"{url}/pay")
    assert paid.status_code == 303
    assert paid.headers["location"] == f"{play.us.address}/?paid=1&course=a"
    assert [json.loads(body)["status"] for body in await play.heard()] == ["SUCCESS"]
    assert (await play.provider.link_status("link1")).paid

    again = await person.post(f"{url}/pay")
    assert again.status_code == 409
    assert (await person.post(f"{url}/decline")).status_code == 409
    assert "Paid already" in (await person.get(url)).text
    assert len(await play.heard()) == 1


@pytest.mark.parametrize(
    ("button", "code"), [("decline", "05"), ("no-money", "51"), ("expired", "54")]
)
async def test_a_failed_try_leaves_the_link_payable(
    play: Play, person: httpx.AsyncClient, button: str, code: str
) -> None:
    url = await _link(play)
    failed = await person.post(f"{url}/{button}")
    assert failed.status_code == 303
    assert failed.headers["location"] == f"{play.us.address}/?failed=1"
    (body,) = await play.heard()
    assert (json.loads(body)["status"], json.loads(body)["responseCode"]) == ("FAILURE", code)
    assert (await play.provider.link_status("link1")).word == "UNPAID"
    assert (await person.post(f"{url}/pay")).status_code == 303
    assert (await play.provider.link_status("link1")).paid


async def test_pages_that_are_not_there(play: Play, person: httpx.AsyncClient) -> None:
    url = await _link(play)
    assert (await person.get("/pay/nowhere")).status_code == 404
    assert (await person.post("/pay/nowhere/pay")).status_code == 409
    assert (await person.post(f"{url}/steal")).status_code == 404
    assert await play.heard() == []


async def test_nothing_of_a_payment_becomes_part_of_the_page(
    play: Play, person: httpx.AsyncClient
) -> None:
    play.sandbox.book.add(
        external_id="x", amount_cents=100, description="<script>alert(1)</script>",
        reference='"><b>', callback_url="http://127.0.0.1:1/c", success_url="http://127.0.0.1:1/s",
        failure_url="http://127.0.0.1:1/f", cancel_url='http://127.0.0.1:1/"onclick="x',
    )  # fmt: skip
    page = (await person.get("/pay/link1")).text
    assert "<script" not in page
    assert "<b>" not in page
    assert '"onclick="' not in page


def _signed(path: str, body: str) -> dict[str, str]:
    return {"ik-appid": APP_ID, "ik-sign": sign(path, body, SECRET)}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"amount": 0}, 400),
        ({"amount": "200"}, 400),
        ({"amount": 2.5}, 400),
        ({"currency": "USD"}, 400),
        ({"mode": "play"}, 400),
        ({"externalTransactionID": ""}, 400),
        ({"urls": {}}, 400),
        ({"urls": None}, 400),
    ],
    ids=repr,
)
async def test_a_create_call_is_checked(
    play: Play, person: httpx.AsyncClient, changes: dict[str, Any], status: int
) -> None:
    good = json.loads(link_body(link_request(play.us.address), entity_id="1", mode="live"))
    body = json.dumps(good | changes, separators=(",", ":"))
    answer = await person.post(PAYMENT, content=body, headers=_signed(PAYMENT, body))
    assert answer.status_code == status
    assert (answer.json()["responseCode"] == "00") == (status == 200)


async def test_the_signature_is_over_compact_json_and_the_bare_path(
    play: Play, person: httpx.AsyncClient
) -> None:
    good = json.loads(link_body(link_request(play.us.address), entity_id="1", mode="live"))
    spaced, compact = json.dumps(good), json.dumps(good, separators=(",", ":"))
    refused = await person.post(PAYMENT, content=spaced, headers=_signed(PAYMENT, spaced))
    assert refused.status_code == 401
    assert (await person.post(PAYMENT, content=compact)).status_code == 401
    assert (
        await person.post(PAYMENT, content="{", headers=_signed(PAYMENT, "{"))
    ).status_code == 400
    assert play.sandbox.book.links == ()

    query = "?startDate=2026-03-02&endDate=2026-03-02"
    wrong = await person.get(HISTORY + query, headers=_signed(HISTORY + query, ""))
    assert wrong.status_code == 401
    right = await person.get(HISTORY + query, headers=_signed(HISTORY, ""))
    assert right.json() == []


async def test_steering_from_outside(play: Play, person: httpx.AsyncClient) -> None:
    await _link(play)
    set_to = await person.put("/control/mischief", headers=STEER, json={"hold": True, "copies": 2})
    assert set_to.status_code == 204
    assert play.sandbox.mischief == Mischief(hold=True, copies=2)
    declined = await person.post("/control/links/link1/decline", headers=STEER, json={"code": "51"})
    assert declined.json()["declined"] == "51"
    paid = await person.post("/control/links/link1/pay", headers=STEER)
    assert paid.json()["status"] == "PAID"
    assert (await person.post("/control/links/link1/pay", headers=STEER)).status_code == 409
    assert await play.heard() == []

    log = (await person.get("/control/callbacks", headers=STEER)).json()
    assert log == {"sent": [], "held": 4}
    backwards = {"backwards": True}
    await person.post("/control/callbacks/release", headers=STEER, json=backwards)
    log = (await person.get("/control/callbacks", headers=STEER)).json()
    assert [line["success"] for line in log["sent"]] == [True, True, False, False]
    assert {line["answered"] for line in log["sent"]} == {200}
    listed = (await person.get("/control/links", headers=STEER)).json()
    assert [line["externalTransactionID"] for line in listed] == ["attempt-1"]


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer"}, {"authorization": "Bearer wrong"}], ids=repr
)
async def test_nobody_else_steers(
    play: Play, person: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await _link(play)
    assert (await person.get("/control/links", headers=headers)).status_code == 401
    answer = await person.post("/control/links/link1/pay", headers=headers)
    assert answer.status_code == 401
    answer = await person.put("/control/mischief", headers=headers, json={"copies": 0})
    assert answer.status_code == 401
    assert play.sandbox.book.links[0].state is LinkState.UNPAID
    assert play.sandbox.mischief == Mischief()

    play.sandbox.keys = SandboxKeys(app_id=APP_ID, secret=SECRET)
    assert (await person.get("/control/links", headers=STEER)).status_code == 404


@pytest.mark.parametrize(
    "order", [{"copies": 11}, {"delay_seconds": -1}, {"amount_cents": 0}, {"surprise": 1}], ids=repr
)
async def test_orders_have_limits(
    play: Play, person: httpx.AsyncClient, order: dict[str, object]
) -> None:
    answer = await person.put("/control/mischief", headers=STEER, json=order)
    assert answer.status_code == 422
    assert play.sandbox.mischief == Mischief()


async def test_the_book_holds_what_happened(play: Play) -> None:
    await _link(play)
    play.clock.now = START + timedelta(hours=1)
    with pytest.raises(BookError, match="used before"):
        play.sandbox.book.add(
            external_id="attempt-1", amount_cents=1, description="", reference="", callback_url="",
            success_url="", failure_url="", cancel_url="",
        )  # fmt: skip
    with pytest.raises(BookError, match="no such link"):
        play.sandbox.pay("nowhere")
    assert play.sandbox.book.links[0].created_at == START


def test_new_keys_are_new_and_not_shown() -> None:
    one, other = new_keys(), new_keys()
    assert one.secret != other.secret
    assert one.control_token != other.control_token
    assert one.secret not in repr(one)
