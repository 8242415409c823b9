"""What the sandbox does wrong on request: each kind reaches us as it was asked for."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qs

import pytest

from core.backend.gateway.callback import read_callback
from core.backend.gateway.provider import LinkRequest
from core.backend.gateway.sandbox.mischief import Mischief
from core.backend.gateway.sandbox.server import address_of, serving
from core.backend.gateway.signature import verify_callback
from core.backend.web.server import bind
from tests.backend.gateway.build import CALLBACK_PATH, SECRET, Clock, link_request, make_sandbox
from tests.backend.gateway.conftest import Play
from tests.backend.gateway.scripted import Asked, ScriptedServer, answer
from tests.support.waiting import until


async def _paid(play: Play, mischief: Mischief) -> list[Asked]:
    """The callbacks of one payment, made in this way."""
    play.sandbox.mischief = mischief
    link = await play.provider.create_link(link_request(play.us.address))
    play.sandbox.pay(link.id)
    await play.heard()
    return play.us.asked


def _verifies(asked: Asked) -> bool:
    path = asked.target
    return verify_callback(path, asked.body, asked.headers.get("ik-sign"), [SECRET])


@pytest.mark.req("5.4")
@pytest.mark.parametrize(
    "mischief",
    [
        Mischief(),
        Mischief(text='It\'s "Approved" \\ ümläut'),
        Mischief(form=True),
        Mischief(form=True, text="a&b=c %"),
        Mischief(sign_raw=True, text="Approved"),
        Mischief(sign_raw=True, form=True),
    ],
    ids=lambda mischief: ",".join(sorted(mischief.model_fields_set)) or "none",
)
async def test_each_form_verifies_and_says_the_same(play: Play, mischief: Mischief) -> None:
    (asked,) = await _paid(play, mischief)
    assert (asked.method, asked.target) == ("POST", CALLBACK_PATH)
    assert _verifies(asked)
    read = read_callback(asked.body)
    assert read is not None
    assert (read.link_id, read.success, read.external_id) == ("link1", True, "attempt-1")
    is_form = asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert is_form == mischief.form
    fields = parse_qs(asked.body.decode()) if is_form else json.loads(asked.body)
    assert ("text" in fields) == (mischief.text is not None)


@pytest.mark.req("5.4")
async def test_a_forged_callback_does_not_verify(play: Play) -> None:
    (asked,) = await _paid(play, Mischief(forged=True))
    assert not _verifies(asked)


@pytest.mark.parametrize("copies", [0, 1, 3])
async def test_callbacks_are_dropped_and_repeated(play: Play, copies: int) -> None:
    asked = await _paid(play, Mischief(copies=copies))
    assert len(asked) == copies
    assert len({one.body for one in asked}) <= 1
    assert (await play.provider.link_status("link1")).paid


async def test_callbacks_come_in_another_order(play: Play) -> None:
    play.sandbox.mischief = Mischief(hold=True)
    for number in (1, 2):
        link = await play.provider.create_link(link_request(play.us.address, f"attempt-{number}"))
        play.sandbox.decline(link.id)
        play.sandbox.pay(link.id)
    assert await play.heard() == []
    assert play.sandbox.callbacks.held == 4
    await play.sandbox.callbacks.release(backwards=True)
    said = [json.loads(asked.body) for asked in play.us.asked]
    assert [(one["paylinkID"], one["status"]) for one in said] == [
        ("link2", "SUCCESS"), ("link2", "FAILURE"), ("link1", "SUCCESS"), ("link1", "FAILURE"),
    ]  # fmt: skip


async def test_a_callback_comes_before_the_create_call_returns(play: Play) -> None:
    play.sandbox.mischief = Mischief(early=True)
    link = await play.provider.create_link(link_request(play.us.address))
    assert [json.loads(asked.body)["paylinkID"] for asked in play.us.asked] == [link.id]
    assert (await play.provider.link_status(link.id)).paid


async def test_a_late_callback(clock: Clock) -> None:
    may_go = asyncio.Event()
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await may_go.wait()

    sandbox = make_sandbox(clock, sleep)
    sandbox.mischief = Mischief(delay_seconds=60)
    async with ScriptedServer(lambda _: answer(200)) as us, serving(sandbox):
        link = _added(sandbox.book.add, link_request(us.address))
        sandbox.pay(link)
        await until(lambda: waited, what="the callback to wait")
        assert us.asked == []
        may_go.set()
        await sandbox.callbacks.settled()
        assert len(us.asked) == 1
    assert waited == [60]


async def test_a_sandbox_that_ends_drops_what_is_on_its_way(clock: Clock) -> None:
    async def for_ever(_: float) -> None:
        await asyncio.Event().wait()

    sandbox = make_sandbox(clock, for_ever)
    sandbox.mischief = Mischief(delay_seconds=1)
    place = bind("127.0.0.1", 0)
    async with ScriptedServer(lambda _: answer(200)) as us, serving(sandbox, bound=place) as there:
        assert there == address_of(place)
        sandbox.pay(_added(sandbox.book.add, link_request(us.address)))
    assert us.asked == []
    assert sandbox.callbacks.deliveries == []


async def test_a_lie_about_the_amount(play: Play) -> None:
    await _paid(play, Mischief(amount_cents=100))
    said = await play.provider.link_status("link1")
    assert (said.paid, said.amount_cents) == (True, 100)
    assert play.sandbox.book.links[0].amount_cents == 125_000
    by_us = await play.provider.transaction_status("attempt-1")
    assert by_us == said


async def test_what_we_answered_is_noted(play: Play) -> None:
    play.us.script = lambda _: answer(503)
    await _paid(play, Mischief())
    await play.us.close()
    play.sandbox.mischief = Mischief()
    link = await play.provider.create_link(link_request(play.us.address, "attempt-2"))
    play.sandbox.decline(link.id)
    await play.sandbox.callbacks.settled()
    assert [(one.success, one.status) for one in play.sandbox.callbacks.deliveries] == [
        (True, 503),
        (False, None),
    ]


def _added(add: object, request: LinkRequest) -> str:
    assert callable(add)
    link = add(
        external_id=request.external_id, amount_cents=request.amount_cents, description="",
        reference="", callback_url=request.callback_url, success_url=request.success_url,
        failure_url=request.failure_url, cancel_url=request.cancel_url,
    )  # fmt: skip
    return str(link.id)
