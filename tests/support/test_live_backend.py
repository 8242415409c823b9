"""The kit's own backend: that it goes dark, comes back, and does what tests will lean on."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from core.domain.enrollment import EnrollmentStatus
from core.domain.roles import Role
from tests.support.live_backend import LiveBackend, http_client
from tests.support.waiting import until


def test_it_is_dark_and_comes_back_on_the_same_port(live_backend: LiveBackend) -> None:
    with http_client(live_backend.url) as http:
        assert http.get("/health/live").status_code == 200
        with live_backend.offline():
            with pytest.raises(httpx.TransportError):
                http.get("/health/live")
            claim = live_backend.claim()  # things happen while a client is away
        assert http.get("/health/live").status_code == 200
    assert live_backend.row(claim.enrollment).waiting


@pytest.mark.both_engines
def test_a_restart_keeps_the_database_and_the_sessions(live_backend: LiveBackend) -> None:
    device, claim = live_backend.device(), live_backend.claim()
    size, root = live_backend.size, live_backend.root
    live_backend.restart()
    assert (live_backend.size, live_backend.root) == (size, root)
    assert live_backend.approve(device, claim.enrollment).kind == "accepted"


async def test_answers_can_be_held_and_slowed_down(live_backend: LiveBackend) -> None:
    async with httpx.AsyncClient(base_url=live_backend.url, trust_env=False) as http:
        with live_backend.held():
            asked = asyncio.create_task(http.get("/health/live"))
            await until(lambda: live_backend.connections == 1, what="the request")
            assert not asked.done()
        assert (await asked).status_code == 200
        with live_backend.slow(0.01):
            assert (await http.get("/health/live")).status_code == 200


def test_claims_are_pushed_all_at_once(live_backend: LiveBackend) -> None:
    claims = live_backend.push_claims(30)
    waiting = {row.enrollment for row in live_backend.pending().rows}
    assert waiting == {claim.enrollment for claim in claims}
    assert len({claim.student.id for claim in claims}) == 30


def test_people_and_their_devices(live_backend: LiveBackend) -> None:
    first, second = live_backend.device(), live_backend.device(Role.OFFICER, 1)
    assert first.user != second.user
    one, two = live_backend.push_claims(2)
    assert live_backend.approve(first, one.enrollment).kind == "accepted"
    assert live_backend.reject(second, two.enrollment).kind == "accepted"
    assert live_backend.row(one.enrollment).status is EnrollmentStatus.APPROVED
    assert live_backend.row(two.enrollment).status is EnrollmentStatus.REJECTED
