"""Two nodes on one database: one ledger, followed by both."""

from __future__ import annotations

import asyncio

import pytest

from core.backend.services.realtime import FeedClosedError
from core.backend.storage import ledger
from core.backend.storage.engine import read_transaction
from core.domain.enrollment import PaymentMethod
from core.ledger.checkpoint import open_checkpoint
from core.protocol.feed import FeedClient
from core.protocol.messages import AnswerKind, CloseCode
from tests.backend.nodes.conftest import Nodes
from tests.backend.nodes.following import following
from tests.support.waiting import until
from tests.support.workspace import House


@pytest.mark.req("3.3", "4.4")
async def test_what_is_written_through_one_is_told_by_the_other(patient: Nodes) -> None:
    """By notifications alone: neither node polls."""
    async with following(patient.first) as here, following(patient.second) as there:
        enrollment = await patient.first.claim()
        await there.reach(patient.first.size())
        await patient.first.student()
        await there.reach(patient.first.size())
        officer = await patient.second.officer()
        row = await patient.second.row(enrollment)
        (answer,) = await patient.second.decide(officer, officer.sign(row))
        assert answer.kind is AnswerKind.ACCEPTED
        await here.reach(patient.first.size())
        await there.reach(patient.first.size())
        for told in (here.indexes, there.indexes):
            assert told == list(range(told[0], patient.first.size()))


async def test_writers_on_both_nodes_make_one_dense_ledger(nodes: Nodes) -> None:
    course = nodes.first.courses[0].id
    students = [await nodes.first.student() for _ in range(4)]
    before = nodes.first.size()

    async def write(node: House, number: int) -> None:
        # Both nodes are asked for the same under the same key: it is done once.
        key = f"enroll-{number}"
        await node.services.orchestrator.enroll(
            students[number], course, PaymentMethod.EFT, key=key
        )
        for _ in range(5):
            await node.student()

    async with following(nodes.first) as here, following(nodes.second) as there:
        await asyncio.gather(
            *(write(node, i) for i in range(4) for node in (nodes.first, nodes.second))
        )
        size = nodes.first.size()
        for follower in (here, there):
            await follower.reach(size)
            assert follower.indexes == list(range(follower.indexes[0], size))
    devices = 2  # of the two consoles
    assert size == before + devices + 4 + 4 * 2 * 5
    assert nodes.second.verify().size == size


async def test_one_enrollment_is_decided_once_through_either_node(nodes: Nodes) -> None:
    enrollments = [await nodes.first.claim() for _ in range(8)]
    one, two = await nodes.first.officer(), await nodes.second.officer(which=1)
    rows = [await nodes.first.row(enrollment) for enrollment in enrollments]
    answers = await asyncio.gather(
        *(nodes.first.decide(one, one.sign(row)) for row in rows),
        *(nodes.second.decide(two, two.sign(row)) for row in rows),
    )
    first, second = answers[: len(rows)], answers[len(rows) :]
    for (a,), (b,) in zip(first, second, strict=True):
        assert sorted([a.code, b.code]) == ["accepted", "conflict_decided"]
    nodes.first.verify()


async def test_the_same_decision_sent_to_both_nodes_is_one_entry(nodes: Nodes) -> None:
    enrollment = await nodes.first.claim()
    officer = await nodes.first.officer()
    item, before = officer.sign(await nodes.first.row(enrollment)), nodes.first.size()
    (a,), (b,) = await asyncio.gather(
        nodes.first.decide(officer, item), nodes.second.decide(officer, item)
    )
    assert (a.kind, a.index) == (b.kind, b.index) == (AnswerKind.ACCEPTED, before)
    assert nodes.first.size() == before + 1


async def test_a_session_that_one_node_ends_loses_its_socket_at_the_other(nodes: Nodes) -> None:
    officer = await nodes.first.officer()
    hello = FeedClient().hello("x" * 43)
    subscription = await nodes.second.services.sync.subscribe_staff(hello, officer.identity)
    await anext(subscription)
    await nodes.first.services.accounts.staff_sign_out(officer.identity)

    async def read_on() -> None:
        async for _ in subscription:
            pass

    async with asyncio.timeout(10):
        with pytest.raises(FeedClosedError) as caught:
            await read_on()
    assert caught.value.code == CloseCode.SIGN_IN_NEEDED
    subscription.close()


async def test_both_nodes_sign_one_at_a_time(nodes: Nodes) -> None:
    """Each signs what it told; whoever comes while another signs waits for the next turn."""
    first, second = nodes.first.services, nodes.second.services
    await first.sync.stop()
    await second.sync.stop()
    await nodes.first.student()
    size = nodes.first.size()
    with read_transaction(first.engine) as another:
        assert ledger.may_sign(another)
        assert await second.signer.sign(size) is None
    assert second.signer.stopped is None
    signed = await second.signer.sign(size)
    assert signed is not None
    assert await first.signer.sign(size) == signed  # the one that is there
    await nodes.first.student()
    for services in (first, second):
        assert await services.signer.sign(size - 1) is None  # more was signed already
        head = await services.signer.sign(nodes.first.size())
        assert head is not None
        checkpoint = open_checkpoint(head.note, "bursar/ledger", services.signer.public)
        assert checkpoint.size == nodes.first.size()


async def test_both_consoles_get_checkpoints(nodes: Nodes) -> None:
    async with following(nodes.first) as here, following(nodes.second) as there:
        await nodes.first.claim()
        size = nodes.first.size()
        await here.reach(size)
        await there.reach(size)
        for node in (nodes.first, nodes.second):
            sync = node.services.sync
            await until(lambda sync=sync: sync.checkpoint and sync.checkpoint.size == size)  # type: ignore[misc]  # bound now
            assert node.services.signer.stopped is None
