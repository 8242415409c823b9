"""The officer's side as a whole against our real backend: real sockets, a real database file."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from core.client.api import Api
from core.client.confirming import Confirmer
from core.client.connection import ConnectionState
from core.client.decider import Decider
from core.client.device import DeviceKey, enroll_other, load_or_create
from core.client.errors import AccountDisabledError, ProblemError, SignInNeededError
from core.client.http import open_http
from core.client.live import Applied, LiveFeed
from core.client.outbox import Outbox, OutboxItem, OutboxState
from core.client.sealing import load_sealer
from core.client.secrets import MemoryStore
from core.client.sender import Sender
from core.client.session import SessionKeeper
from core.client.witness import Witness, WitnessState
from core.domain.decisions import ReasonCode, Verdict
from core.domain.roles import Role
from core.protocol.feed import FeedClient
from core.protocol.messages import DecisionBatch, EnrollmentRow, SignedDecision
from tests.support.live_backend import LiveBackend
from tests.support.live_template import PASSWORD
from tests.support.waiting import until


@dataclass
class Console:
    """Everything of core.client, joined as the desktop does it."""

    api: Api
    device: DeviceKey
    outbox: Outbox
    witness: Witness
    feed: LiveFeed
    machine: FeedClient
    sender: Sender
    decider: Decider
    rows: dict[UUID, EnrollmentRow] = field(default_factory=dict)
    entries: list[int] = field(default_factory=list)
    results: list[OutboxItem] = field(default_factory=list)

    async def take(self, batch: Applied) -> None:
        if batch.snapshot is not None:
            self.rows = {row.enrollment: row for row in batch.snapshot}
        for row in batch.changed:
            if row.waiting:
                self.rows[row.enrollment] = row
            else:
                self.rows.pop(row.enrollment, None)
        self.entries += [entry.index for entry in batch.entries]
        await self.witness.follow(batch.events)

    async def decide(self, enrollment: UUID, verdict: Verdict = Verdict.APPROVE) -> OutboxItem:
        reason = ReasonCode.NO_PAYMENT_FOUND if verdict is Verdict.REJECT else None
        made = await self.decider.decide(
            self.rows[enrollment], verdict, reason=reason, note="Seen on the statement"
        )
        self.sender.wake()
        return made

    def state_of(self, item: OutboxItem) -> OutboxState | None:
        return next((done.state for done in self.results[::-1] if done.id == item.id), None)

    @property
    def is_live(self) -> bool:
        return self.feed.status.state is ConnectionState.LIVE


async def _signed_in(backend: LiveBackend, role: Role, number: int = 0) -> Api:
    api = Api(open_http(backend.url), SessionKeeper(MemoryStore(), backend.url))
    await api.sign_in(backend.person(role, number).email, PASSWORD)
    return api


async def _enrolled(backend: LiveBackend, api: Api) -> DeviceKey:
    """A device of the signed-in officer, enrolled by the administrator's, as the desktop does."""
    session = api.keeper.session
    assert session is not None
    device = load_or_create(MemoryStore(), session.user.id, backend=backend.url, new_id=uuid7)
    template = backend._template
    administrator = await _signed_in(backend, Role.ADMINISTRATOR)
    root = DeviceKey(template.root_device, backend.person(Role.ADMINISTRATOR).id, template.root_key)
    roles = frozenset(session.user.roles)
    await enroll_other(administrator, device, roles, by=root, enrollment_id=uuid7())
    await administrator.aclose()
    return device


@asynccontextmanager
async def console(backend: LiveBackend, folder: Path, number: int = 0) -> AsyncIterator[Console]:
    api = await _signed_in(backend, Role.OFFICER, number)
    device = await _enrolled(backend, api)
    outbox = await Outbox.open(folder / f"outbox{number}.db", load_sealer(MemoryStore()))
    witness = await Witness.open(
        folder / f"witness{number}.json", source=api, on_change=lambda _: None
    )
    machine = FeedClient()
    results: list[OutboxItem] = []

    async def take(batch: Applied) -> None:
        await made.take(batch)

    feed = LiveFeed(
        url=api.live_url,
        tokens=api,
        feed=machine,
        on_batch=take,
        on_status=lambda _: None,
        jitter=lambda: 0.0,
    )
    sender = Sender(
        api=api,
        outbox=outbox,
        officer=device.user,
        device=device.id,
        on_results=results.extend,
        on_state=lambda _: None,
        jitter=lambda: 0.0,
    )
    decider = Decider(
        device=device,
        outbox=outbox,
        as_of=lambda: max((machine.next or 0) - 1, 0),
        now=lambda: datetime.now(UTC),
        new_id=uuid7,
    )
    made = Console(api, device, outbox, witness, feed, machine, sender, decider)
    made.results = results
    await witness.meet(await api.workspace())
    await witness.accept_first_contact()
    tasks = [asyncio.create_task(feed.run()), asyncio.create_task(sender.run())]
    try:
        await until(lambda: made.is_live, what="the live feed")
        yield made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await outbox.close()
        await api.aclose()


@pytest.mark.both_engines
@pytest.mark.req("4.4")
async def test_a_claim_appears_is_approved_and_leaves_every_console(
    live_backend: LiveBackend, tmp_path: Path
) -> None:
    async with console(live_backend, tmp_path) as one, console(live_backend, tmp_path, 1) as two:
        claim = live_backend.claim()
        await until(lambda: claim.enrollment in one.rows and claim.enrollment in two.rows)
        item = await one.decide(claim.enrollment)
        await until(lambda: one.state_of(item) is OutboxState.ACCEPTED)
        await until(lambda: claim.enrollment not in one.rows and claim.enrollment not in two.rows)
        done = one.results[-1].answer
        assert done is not None
        assert done.index is not None
        await one.witness.expect(item.payload, item.signature, done.index)
        await until(lambda: one.witness.status.confirmed == 1, what="the decision in the ledger")
        for each in (one, two):
            await until(partial(_verified_all, each, live_backend))
            assert each.witness.status.state is WitnessState.FOLLOWING


def _verified_all(desk: Console, backend: LiveBackend) -> bool:
    return desk.witness.status.verified_to == backend.size


@pytest.mark.both_engines
async def test_two_officers_at_once_and_one_of_them_reads_who_was_first(
    live_backend: LiveBackend, tmp_path: Path
) -> None:
    async with console(live_backend, tmp_path) as one, console(live_backend, tmp_path, 1) as two:
        claim = live_backend.claim()
        await until(lambda: claim.enrollment in one.rows and claim.enrollment in two.rows)
        row = two.rows[claim.enrollment]
        first = await one.decide(claim.enrollment)
        await until(lambda: one.state_of(first) is OutboxState.ACCEPTED)
        two.rows[claim.enrollment] = row  # as it was shown when the officer decided
        second = await two.decide(claim.enrollment, Verdict.REJECT)
        await until(lambda: two.state_of(second) is OutboxState.CONFLICT)
        assert "T. Mokoena approved this" in (two.results[-1].reason_message or "")


@pytest.mark.both_engines
async def test_decisions_made_offline_go_out_when_the_backend_is_back(
    live_backend: LiveBackend, tmp_path: Path
) -> None:
    claims = live_backend.push_claims(3)
    async with console(live_backend, tmp_path) as desk:
        await until(lambda: len(desk.rows) == 3)
        with live_backend.offline():
            await until(lambda: not desk.is_live)
            items = [await desk.decide(claim.enrollment) for claim in claims]
            await until(lambda: all(desk.state_of(i) is OutboxState.QUEUED for i in items))
            missed = live_backend.claim()
        desk.feed.retry_now()
        await until(lambda: desk.is_live)
        await desk.sender.retry_now()
        await until(lambda: all(desk.state_of(i) is OutboxState.ACCEPTED for i in items))
        await until(lambda: set(desk.rows) == {missed.enrollment})
        assert desk.entries == list(range(desk.entries[0], desk.entries[0] + len(desk.entries)))
        await until(lambda: desk.witness.status.verified_to == live_backend.size)
        assert desk.witness.status.alarm is None


@pytest.mark.both_engines
async def test_an_own_decision_that_nobody_followed_is_proved_afterwards(
    live_backend: LiveBackend, tmp_path: Path
) -> None:
    claims = live_backend.push_claims(2)
    async with console(live_backend, tmp_path) as desk:
        await until(lambda: len(desk.rows) == 2)
        items = [await desk.decide(claim.enrollment) for claim in claims]
        await until(lambda: all(desk.state_of(i) is OutboxState.ACCEPTED for i in items))
        # As after a restart: this witness has read no entry, and takes the head as it is.
        witness = await Witness.open(
            tmp_path / "restarted.json", source=desk.api, on_change=lambda _: None
        )
        await witness.accept_first_contact()
        confirmer = Confirmer(
            source=desk.api, outbox=desk.outbox, witness=witness, officer=desk.device.user
        )
        task = asyncio.create_task(confirmer.run())

        async def found() -> bool:
            await witness.meet(await desk.api.workspace())
            confirmer.wake()
            return witness.status.confirmed == 2

        await until(found, what="both decisions in the ledger")
        await until(lambda: confirmer.open == 0)
        task.cancel()
        await asyncio.wait([task])
        assert await desk.outbox.unconfirmed(desk.device.user, 10) == []
        assert witness.status.alarm is None


@pytest.mark.both_engines
async def test_what_a_disabled_officer_held_is_refused_visibly(
    live_backend: LiveBackend, tmp_path: Path
) -> None:
    """Also the one whose answer was lost: it was carried out, and the console gets to know."""
    claims = live_backend.push_claims(2)
    async with console(live_backend, tmp_path) as desk:
        await until(lambda: len(desk.rows) == 2)
        rows = [desk.rows[claim.enrollment] for claim in claims]
        sent, held = [await desk.decider.decide(row, Verdict.APPROVE) for row in rows]  # not woken
        body = DecisionBatch(items=(_signed(sent),))
        (answer,) = (await desk.api.decide(body)).results
        users = live_backend.services.users
        live_backend.run(users.set_disabled(users.by_system(), desk.device.user, disabled=True))
        await desk.sender.retry_now()
        await until(lambda: desk.state_of(held) is OutboxState.REFUSED)
        await until(lambda: desk.state_of(sent) is OutboxState.ACCEPTED)
        kept = await desk.outbox.get(sent.id)
        assert kept.answer is not None
        assert kept.answer.index == answer.index
        assert "Ask an administrator" in ((await desk.outbox.get(held.id)).reason_message or "")
        with pytest.raises(AccountDisabledError):
            await desk.api.pending()


def _signed(item: OutboxItem) -> SignedDecision:
    signature = base64.b64encode(item.signature).decode()
    return SignedDecision(
        id=item.id, payload=item.payload.decode(), signature=signature, note=item.note
    )


async def test_signing_in_with_a_wrong_password_and_out_again(live_backend: LiveBackend) -> None:
    api = Api(open_http(live_backend.url), SessionKeeper(MemoryStore(), "x"))
    with pytest.raises(ProblemError):
        await api.sign_in(live_backend.person(Role.OFFICER).email, "not the password")
    session = await api.sign_in(live_backend.person(Role.OFFICER).email, PASSWORD)
    assert await api.me() == session.user
    renewed = await api.renew(session.access_token)
    assert renewed.access_token != session.access_token
    assert (await api.pending()).rows == ()
    await api.sign_out()
    with pytest.raises(SignInNeededError):
        await api.me()
    await api.aclose()
