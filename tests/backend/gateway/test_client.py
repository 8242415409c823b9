"""The client against the sandbox, over real HTTP: every call, and what goes wrong on purpose."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from pydantic import SecretStr

from core.backend.gateway.ikpay import Credentials
from core.backend.gateway.provider import ProviderError
from core.backend.gateway.sandbox.mischief import Mischief
from core.backend.gateway.sandbox.provider import SandboxProvider
from core.domain.failures import FailureClass
from tests.backend.gateway.build import CREDENTIALS, START, link_request
from tests.backend.gateway.conftest import Play
from tests.backend.gateway.scripted import ScriptedServer, answer


async def test_a_link_is_made_and_paid(play: Play) -> None:
    link = await play.provider.create_link(link_request(play.us.address))
    assert (link.id, link.external_id) == ("link1", "attempt-1")
    assert link.url == f"{play.sandbox.address}/pay/link1"
    assert (play.provider.name, play.provider.live) == ("sandbox", False)

    before = await play.provider.link_status(link.id)
    assert (before.word, before.paid, before.amount_cents) == ("UNPAID", False, 125_000)
    assert (before.external_id, before.created_at) == ("attempt-1", START)
    assert before.description == "Thandi s Data course 2026"

    play.sandbox.pay(link.id)
    after = await play.provider.link_status(link.id)
    assert (after.word, after.paid) == ("PAID", True)
    assert await play.provider.transaction_status("attempt-1") == after
    assert play.pauses.seconds == []


async def test_what_the_provider_does_not_know(play: Play) -> None:
    assert await play.provider.transaction_status("attempt-9") is None
    with pytest.raises(ProviderError) as refused:
        await play.provider.link_status("nowhere")
    assert refused.value.failure is FailureClass.UNKNOWN
    assert not refused.value.retryable


async def test_history_is_of_whole_days(play: Play) -> None:
    for number in range(3):
        play.clock.now = START + timedelta(days=number)
        await play.provider.create_link(link_request(play.us.address, f"attempt-{number}"))
    play.sandbox.pay("link2")
    read = await play.provider.history(date(2026, 3, 3), date(2026, 3, 4))
    assert [(line.external_id, line.paid) for line in read] == [
        ("attempt-1", True),
        ("attempt-2", False),
    ]
    assert await play.provider.history(date(2025, 1, 1), date(2026, 3, 1)) == ()


@pytest.mark.parametrize("changes", [{"secret": SecretStr("another")}, {"app_id": "another"}])
async def test_wrong_keys_are_a_matter_of_configuration(
    play: Play, changes: dict[str, str | SecretStr]
) -> None:
    keys = {"app_id": CREDENTIALS.app_id, "secret": CREDENTIALS.secret, "entity_id": "1"} | changes
    stranger = SandboxProvider(play.sandbox.address, Credentials(**keys))  # type: ignore[arg-type]  # one of two kinds
    try:
        for call in (
            stranger.create_link(link_request(play.us.address)),
            stranger.link_status("link1"),
            stranger.history(date(2026, 3, 2), date(2026, 3, 2)),
        ):
            with pytest.raises(ProviderError, match="does not accept our keys") as refused:
                await call
            assert refused.value.failure is FailureClass.CONFIGURATION
            assert not refused.value.retryable
    finally:
        await stranger.aclose()
    assert play.sandbox.book.links == ()


async def test_an_id_that_was_used_is_looked_up_instead(play: Play) -> None:
    link = await play.provider.create_link(link_request(play.us.address))
    with pytest.raises(ProviderError) as refused:
        await play.provider.create_link(link_request(play.us.address))
    assert refused.value.failure is FailureClass.DUPLICATE
    assert refused.value.outcome_unknown
    known = await play.provider.transaction_status("attempt-1")
    assert known is not None
    assert known.link_id == link.id


@pytest.mark.parametrize("made", [True, False])
async def test_a_create_call_that_failed_late_is_not_repeated(play: Play, made: bool) -> None:
    play.sandbox.mischief = Mischief(failing_creates=1, create_anyway=made)
    with pytest.raises(ProviderError) as failed:
        await play.provider.create_link(link_request(play.us.address))
    assert failed.value.failure is FailureClass.PROVIDER_DOWN
    assert failed.value.outcome_unknown
    assert play.pauses.seconds == []
    assert len(play.sandbox.book.links) == made
    assert (await play.provider.transaction_status("attempt-1") is not None) == made


async def test_reads_are_tried_again_and_then_given_up(play: Play) -> None:
    link = await play.provider.create_link(link_request(play.us.address))
    play.sandbox.mischief = Mischief(failing_reads=2)
    assert (await play.provider.link_status(link.id)).word == "UNPAID"
    first, second = play.pauses.seconds
    assert 0.15 <= first <= 0.3
    assert 0.45 <= second <= 0.9

    play.sandbox.mischief = Mischief(failing_reads=3)
    with pytest.raises(ProviderError) as failed:
        await play.provider.history(date(2026, 3, 2), date(2026, 3, 2))
    assert failed.value.failure is FailureClass.PROVIDER_DOWN
    assert failed.value.retryable
    assert len(play.pauses.seconds) == 4


async def test_a_link_is_tried_again_while_nobody_listens() -> None:
    made = b'{"responseCode":"00","paylinkID":"a1","paylinkUrl":"%s/pay/a1"}'
    server = ScriptedServer(lambda _: answer(200, made % server.address.encode()))

    async def listen_meanwhile(_: float) -> None:
        await server.listen()

    provider = SandboxProvider(server.address, CREDENTIALS, sleep=listen_meanwhile)
    try:
        link = await provider.create_link(link_request(server.address))
    finally:
        await provider.aclose()
        await server.close()
    assert link.id == "a1"
    assert len(server.asked) == 1


async def test_nobody_listens_at_all(play: Play) -> None:
    nobody = ScriptedServer(lambda _: None)
    provider = SandboxProvider(nobody.address, CREDENTIALS, sleep=play.pauses)
    try:
        with pytest.raises(ProviderError) as failed:
            await provider.create_link(link_request(play.us.address))
    finally:
        await provider.aclose()
        await nobody.close()
    assert failed.value.failure is FailureClass.NETWORK
    assert failed.value.retryable
    assert not failed.value.outcome_unknown
    assert len(play.pauses.seconds) == 2


@pytest.mark.parametrize("bad", ["", "../payments", "a/b", "a?b=c", "a%2e", "ä", "x" * 101, ".."])
async def test_an_id_that_would_bend_the_address_is_not_sent(play: Play, bad: str) -> None:
    for call in (play.provider.link_status(bad), play.provider.transaction_status(bad)):
        with pytest.raises(ProviderError, match="not the id") as refused:
            await call
        assert not refused.value.retryable
