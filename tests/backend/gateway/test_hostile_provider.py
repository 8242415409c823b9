"""Whatever a provider answers, the client says one of its own errors or what is surely true."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from core.backend.gateway.answers import read_history, read_link, read_status
from core.backend.gateway.ikhokha import PAY_ORIGINS
from core.backend.gateway.ikpay import MAX_ANSWER_BYTES, Patience
from core.backend.gateway.provider import ProviderError
from core.backend.gateway.sandbox.provider import SandboxProvider
from core.domain.failures import FailureClass
from tests.backend.gateway.build import CREDENTIALS, PROPERTY, SECRET, Pauses, link_request
from tests.backend.gateway.scripted import ScriptedServer, answer
from tests.support.waiting import until
from tests.support.watch import ExpectedLogs

MADE: dict[str, Any] = {
    "responseCode": "00", "message": "", "paylinkUrl": "https://securepay.ikhokha.red/a1",
    "paylinkID": "a1", "externalTransactionID": "attempt-1",
}  # fmt: skip
PAID: dict[str, Any] = {
    "paylinkID": "a1", "status": "PAID", "createdAt": "2026-03-02T10:00:00+02:00",
    "amount": 125_000, "description": "Data", "externalTransactionID": "attempt-1",
}  # fmt: skip


class Against:
    """A client before a scripted server."""

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.pauses = Pauses()
        self.provider = SandboxProvider(
            server.address, CREDENTIALS, sleep=self.pauses, patience=Patience(answer_seconds=30)
        )

    def says(self, said: bytes | None) -> None:
        self.server.script = lambda _: said


@pytest_asyncio.fixture
async def against() -> AsyncIterator[Against]:
    async with ScriptedServer(lambda _: None) as server:
        both = Against(server)
        yield both
        await both.provider.aclose()


@pytest.mark.parametrize(
    ("said", "failure", "outcome_unknown"),
    [
        (answer(200, b'{"responseCode":"05"}'), FailureClass.UNKNOWN, False),
        (answer(201, b'{"responseCode":0,"paylinkID":"a1"}'), FailureClass.UNKNOWN, False),
        (answer(200, b"{}"), FailureClass.UNKNOWN, False),
        (answer(200, b"<html>"), FailureClass.UNKNOWN, True),
        (answer(200, b"[" * 50_000), FailureClass.UNKNOWN, True),
        (answer(200, b"\xff"), FailureClass.UNKNOWN, True),
        (answer(200, b'"00"'), FailureClass.UNKNOWN, True),
        (answer(200), FailureClass.UNKNOWN, True),
        (answer(200, b" " * (MAX_ANSWER_BYTES + 1)), FailureClass.UNKNOWN, True),
        (answer(200, gzip.compress(b"{}"), "content-encoding: gzip"), FailureClass.UNKNOWN, True),
        (answer(302, b"", "location: /elsewhere"), FailureClass.UNKNOWN, True),
        (answer(307, b"", "location: /elsewhere"), FailureClass.UNKNOWN, True),
        (answer(400), FailureClass.CONFIGURATION, False),
        (answer(401), FailureClass.CONFIGURATION, False),
        (answer(403), FailureClass.CONFIGURATION, False),
        (answer(409), FailureClass.DUPLICATE, True),
        (answer(429), FailureClass.PROVIDER_DOWN, False),
        (answer(500), FailureClass.PROVIDER_DOWN, True),
        (answer(503, b"{}"), FailureClass.PROVIDER_DOWN, True),
        (b"nonsense\r\n\r\n", FailureClass.NETWORK, True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{}", FailureClass.NETWORK, True),
        (b"", FailureClass.NETWORK, True),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else None,
)
async def test_a_link_comes_of_no_other_answer(
    against: Against, said: bytes, failure: FailureClass, outcome_unknown: bool
) -> None:
    against.says(said)
    with pytest.raises(ProviderError) as failed:
        await against.provider.create_link(link_request(against.server.address))
    assert failed.value.failure is failure
    assert failed.value.outcome_unknown == outcome_unknown
    assert len(against.server.asked) == 1, "a link must not be asked for twice"
    assert SECRET not in str(failed.value) + repr(failed.value)


@pytest.mark.parametrize("seconds", [0.02])
async def test_a_provider_that_never_answers_is_left(seconds: float) -> None:
    async with ScriptedServer(lambda _: None) as server:
        provider = SandboxProvider(
            server.address, CREDENTIALS, patience=Patience(answer_seconds=seconds, tries=1)
        )
        with pytest.raises(ProviderError) as failed:
            await provider.create_link(link_request(server.address))
        await provider.aclose()
    assert failed.value.failure is FailureClass.NETWORK


async def test_who_stops_waiting_does_not_stop_the_request(against: Against) -> None:
    going = asyncio.Event()

    def script(_: object) -> bytes:
        going.set()
        return answer(200, json.dumps(PAID).encode())

    against.server.script = script
    asking = asyncio.create_task(against.provider.link_status("a1"))
    await until(lambda: going.is_set() or asking.done(), what="the request")
    asking.cancel()
    await asyncio.wait([asking])
    # The client is as good as before, and closing it waits for what runs.
    assert (await against.provider.link_status("a1")).paid


async def test_closing_does_not_wait_for_ever() -> None:
    async with ScriptedServer(lambda _: None) as server:
        provider = SandboxProvider(
            server.address, CREDENTIALS, patience=Patience(close_seconds=0, tries=1)
        )
        asking = asyncio.create_task(provider.link_status("a1"))
        await until(lambda: server.asked, what="the request")
        await provider.aclose()
        with pytest.raises(asyncio.CancelledError):
            await asking


@pytest.mark.parametrize(
    "url",
    [
        "http://securepay.ikhokha.red/a1",
        "https://securepay.ikhokha.red",
        "https://securepay.ikhokha.red:443/a1",
        "https://securepay.ikhokha.red.evil.example/a1",
        "https://securepay.ikhokha.red@evil.example/a1",
        "https://user:word@securepay.ikhokha.red/a1",
        "https://evil.example/securepay.ikhokha.red/a1",
        "https://securepay.ikhokha.red\\@evil.example/a1",
        "https://securepay.ikhokha.red/a1#x",
        "https://securepay.ikhokha.red/a1\r\nLocation: https://evil.example",
        "https://securepay.ikhokha.red/a 1",
        "https://securepay.ikhokha.red/\u202e1a",
        "https://securepay.ikhokha.co/a1",
        "https://securepay.ikhokhа.com/a1",  # a Cyrillic letter
        "https://xsecurepay.ikhokha.com/a1",
        "HTTPS://SECUREPAY.IKHOKHA.RED/a1",
        "//securepay.ikhokha.red/a1",
        "javascript:alert(1)",
        "https://securepay.ikhokha.red/" + "a" * 500,
        "",
        None,
        7,
    ],
    ids=repr,
)
def test_nobody_is_sent_to_another_host(url: object, expected_logs: ExpectedLogs) -> None:
    content = json.dumps(MADE | {"paylinkUrl": url}).encode()
    with expected_logs("pay page elsewhere"), pytest.raises(ProviderError, match="pay pages"):
        read_link(content, external_id="attempt-1", origins=PAY_ORIGINS)


@pytest.mark.parametrize("host", ["securepay.ikhokha.red", "securepay.ikhokha.com"])
def test_the_two_hosts_are_taken(host: str) -> None:
    content = json.dumps(MADE | {"paylinkUrl": f"https://{host}/a1?x=1"}).encode()
    link = read_link(content, external_id="attempt-1", origins=PAY_ORIGINS)
    assert (link.id, link.url) == ("a1", f"https://{host}/a1?x=1")


@pytest.mark.parametrize(
    "changes",
    [{"externalTransactionID": "attempt-2"}, {"paylinkID": "../a"}, {"paylinkID": None}],
    ids=repr,
)
def test_a_link_for_something_else_is_not_taken(changes: dict[str, object]) -> None:
    with pytest.raises(ProviderError) as failed:
        read_link(json.dumps(MADE | changes).encode(), external_id="attempt-1", origins=PAY_ORIGINS)
    assert failed.value.outcome_unknown


@pytest.mark.parametrize(
    "changes",
    [
        {"paylinkID": "a2"},
        {"paylinkID": None},
        {"status": None},
        {"status": ""},
        {"status": 1},
        {"amount": 125_000.0},
        {"amount": "125000"},
        {"amount": True},
        {"amount": -1},
        {"amount": 0},
        {"amount": 10**13},
        {"amount": {"cents": 1}},
    ],
    ids=repr,
)
def test_a_status_that_is_not_clear_is_none(changes: dict[str, object]) -> None:
    with pytest.raises(ProviderError):
        read_status(json.dumps(PAID | changes).encode(), link_id="a1")


def test_a_status_about_another_payment_is_none() -> None:
    with pytest.raises(ProviderError, match="another payment"):
        read_status(json.dumps(PAID).encode(), external_id="attempt-2")


@pytest.mark.parametrize("word", ["paid", "Paid", " PAID", "PAID ", "PAID\x00", "COMPLETED", "OK"])
def test_no_other_word_means_paid(word: str) -> None:
    assert not read_status(json.dumps(PAID | {"status": word}).encode(), link_id="a1").paid


def test_what_a_status_may_leave_out() -> None:
    read = read_status(b'{"paylinkID":"a1","status":"' + b"W" * 99 + b'"}', link_id="a1")
    assert read.word == "W" * 40
    assert (read.amount_cents, read.external_id, read.created_at) == (None, None, None)
    assert (read.paid, read.description) == (False, "")


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2026-03-02T10:00:00+02:00", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-03-02T08:00:00.000Z", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-03-02T08:00:00", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        (1772438400, None),
    ],
    ids=repr,
)
def test_times_are_utc_or_nothing(said: object, read: datetime | None) -> None:
    status = read_status(json.dumps(PAID | {"createdAt": said}).encode())
    assert status.created_at == read


def test_one_bad_line_of_history_hides_no_other(expected_logs: ExpectedLogs) -> None:
    lines = [PAID, {"nonsense": 1}, 7, PAID | {"paylinkID": "a2", "amount": "1.00"}, PAID]
    with expected_logs("history not readable"):
        read = read_history(json.dumps(lines).encode())
    assert [line.link_id for line in read] == ["a1", "a1"]
    with pytest.raises(ProviderError, match="not a list"):
        read_history(json.dumps(PAID).encode())


@pytest.mark.parametrize(
    ("said", "is_unknown"),
    [
        (answer(404), True),
        (answer(404, b'{"message":"not found"}'), True),
        (answer(404, b"<html>no such page</html>"), False),
        (answer(200, b"null"), False),
        (answer(200, b"{}"), False),
    ],
    ids=["empty", "json", "a page", "null", "nothing"],
)
async def test_only_a_plain_no_means_that_there_is_nothing(
    against: Against, said: bytes, is_unknown: bool
) -> None:
    """Who takes an odd answer for "no such payment" would make a second link."""
    against.says(said)
    if is_unknown:
        assert await against.provider.transaction_status("attempt-1") is None
    else:
        with pytest.raises(ProviderError):
            await against.provider.transaction_status("attempt-1")


async def test_a_long_history_is_read(against: Against) -> None:
    lines = [PAID | {"paylinkID": f"a{number}"} for number in range(2000)]
    body = json.dumps(lines).encode()
    assert len(body) > MAX_ANSWER_BYTES
    against.says(answer(200, body))
    read = await against.provider.history(date(2026, 3, 1), date(2026, 3, 2))
    assert len(read) == 2000
    assert against.server.asked[0].target.endswith("?startDate=2026-03-01&endDate=2026-03-02")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@PROPERTY
@given(
    fields=st.dictionaries(st.sampled_from([*MADE, *PAID]), _JSON),
    base=st.sampled_from([MADE, PAID, {}]),
)
def test_reading_an_answer_is_total(fields: dict[str, Any], base: dict[str, Any]) -> None:
    content = json.dumps(base | fields).encode()
    with suppress(ProviderError):
        read = read_status(content, link_id="a1", external_id="attempt-1")
        assert read.link_id == "a1"
        assert read.external_id in {None, "attempt-1"}
        assert read.paid == (json.loads(content)["status"] == "PAID")
