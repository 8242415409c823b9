"""What a key signed that is gone by now: lost from the keyring, or replaced after a revocation.

Our real backend; the officer's side has its own queue and keyring.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio
from uuid_utils.compat import uuid7

from core.client import device as devices
from core.client.api import Api
from core.client.decider import Decider
from core.client.device import DeviceKey
from core.client.http import open_http
from core.client.outbox import Outbox, OutboxItem, OutboxState
from core.client.sealing import Sealer
from core.client.secrets import MemoryStore
from core.client.sender import Sender
from core.client.session import SessionKeeper
from core.domain.decisions import ReasonCode, Verdict
from core.domain.enrollment import EnrollmentStatus
from core.domain.roles import Role
from core.ledger.leaf import decode
from core.protocol.messages import DeviceState
from tests.support.live_backend import LiveBackend
from tests.support.live_people import Claimed
from tests.support.live_template import enroll_device


@dataclass
class Officer:
    """A queue and a keyring; the sender is that of whoever came in with `key` last."""

    backend: LiveBackend
    api: Api
    outbox: Outbox
    store: MemoryStore = field(default_factory=MemoryStore)
    ended: list[OutboxItem] = field(default_factory=list)

    def come_in(self) -> DeviceKey:
        """With the key that is kept, or a new one; asks for nothing."""
        session = self.api.keeper.session
        assert session is not None
        return devices.load_or_create(
            self.store, session.user.id, backend=self.backend.url, new_id=uuid7
        )

    def lose_the_key(self) -> None:
        for name in [name for name in self.store._values if name.startswith("device:")]:
            self.store.delete(name)

    def enroll(self, key: DeviceKey) -> None:
        template, backend = self.backend._template, self.backend
        backend.run(
            enroll_device(
                backend.services,
                owner=backend.staff(),
                device=key.id,
                key=key.key,
                by_device=template.root_device,
                by_key=template.root_key,
                administrator=backend.staff(Role.ADMINISTRATOR),
            )
        )

    def revoke(self, key: DeviceKey) -> None:
        self.backend.run(self.backend.services.devices.revoke_by_system(key.id))

    async def state_of(self, key: DeviceKey) -> DeviceState:
        return (await self.api.device(key.id)).state

    async def decide(
        self, key: DeviceKey, claim: Claimed, verdict: Verdict = Verdict.APPROVE
    ) -> OutboxItem:
        """Queued, not sent."""
        decider = Decider(
            device=key,
            outbox=self.outbox,
            as_of=lambda: self.backend.size - 1,
            now=lambda: datetime.now(UTC),
            new_id=uuid7,
        )
        reason = ReasonCode.NO_PAYMENT_FOUND if verdict is Verdict.REJECT else None
        row = self.backend.row(claim.enrollment)
        return await decider.decide(row, verdict, reason=reason)

    async def send(self, key: DeviceKey) -> list[tuple[OutboxState, str | None]]:
        """All that is due, from a console that signs with `key`: how each ended, in order."""
        told: list[OutboxItem] = []
        sender = Sender(
            api=self.api,
            outbox=self.outbox,
            officer=key.user,
            device=key.id,
            on_results=told.extend,
            on_state=lambda _: None,
        )
        await sender.retry_now()
        while await sender.send_due():
            pass
        return [(item.state, item.reason_code) for item in told]


@pytest_asyncio.fixture
async def officer(live_backend: LiveBackend, tmp_path: Path) -> AsyncIterator[Officer]:
    api = Api(open_http(live_backend.url), SessionKeeper(MemoryStore(), live_backend.url))
    await api.keeper.keep(live_backend.staff())
    outbox = await Outbox.open(tmp_path / "outbox.sqlite3", Sealer(bytes(32)))
    yield Officer(live_backend, api, outbox)
    await outbox.close()
    await api.aclose()


ACCEPTED, CONFLICT, REFUSED = OutboxState.ACCEPTED, OutboxState.CONFLICT, OutboxState.REFUSED


async def test_what_a_lost_key_signed_goes_out_before_the_new_one_is_enrolled(
    officer: Officer, live_backend: LiveBackend
) -> None:
    early, late = live_backend.push_claims(2)
    lost = officer.come_in()
    officer.enroll(lost)
    await officer.decide(lost, early)
    officer.lose_the_key()

    key = officer.come_in()
    assert key.id != lost.id
    assert await officer.state_of(key) is DeviceState.UNKNOWN
    await officer.decide(key, late)
    assert await officer.send(key) == [
        (ACCEPTED, "accepted"), (OutboxState.QUEUED, "device_pending"),
    ]  # fmt: skip
    officer.enroll(key)
    assert await officer.send(key) == [(ACCEPTED, "accepted")]
    for claim, signer in ((early, lost), (late, key)):
        assert live_backend.row(claim.enrollment).status is EnrollmentStatus.APPROVED
        last = live_backend.detail(claim.enrollment).timeline[-1]
        assert decode(last.leaf.encode()).device == signer.id


async def test_about_one_enrollment_the_order_holds_from_one_key_to_the_next(
    officer: Officer, live_backend: LiveBackend
) -> None:
    claim = live_backend.claim()
    lost = officer.come_in()
    officer.enroll(lost)
    await officer.decide(lost, claim)
    officer.lose_the_key()
    key = officer.come_in()
    officer.enroll(key)
    await officer.decide(key, claim, Verdict.REJECT)
    assert await officer.send(key) == [(ACCEPTED, "accepted"), (CONFLICT, "conflict_decided")]
    assert live_backend.row(claim.enrollment).status is EnrollmentStatus.APPROVED


async def test_what_a_revoked_key_signed_ends_refused_and_holds_up_nothing(
    officer: Officer, live_backend: LiveBackend
) -> None:
    claim = live_backend.claim()
    revoked = officer.come_in()
    officer.enroll(revoked)
    item = await officer.decide(revoked, claim)
    officer.revoke(revoked)

    key = devices.renew(officer.store, revoked, backend=live_backend.url, new_id=uuid7)
    assert (await officer.outbox.get(item.id)).device == revoked.id
    await officer.decide(key, claim, Verdict.REJECT)
    assert await officer.send(key) == [
        (REFUSED, "device_revoked"), (OutboxState.QUEUED, "device_pending"),
    ]  # fmt: skip
    officer.enroll(key)
    assert await officer.send(key) == [(ACCEPTED, "accepted")]
    assert live_backend.row(claim.enrollment).status is EnrollmentStatus.REJECTED
    assert officer.come_in().id == key.id
