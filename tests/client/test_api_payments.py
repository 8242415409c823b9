"""The payment routes, each asked of our real backend with a provider that does what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from core.client.api_payments import PaymentsApi
from core.client.errors import ProblemError
from core.domain.card_money import LateReason, LinkState, RefundState, Settlement
from core.domain.decisions import ReasonCode, Verdict
from core.domain.enrollment import PaymentMethod
from core.domain.failures import FailureClass
from core.domain.roles import Role
from core.domain.webhooks import DeliveryState
from tests.backend.webhooks.letters import KEYS, PATH, signed
from tests.client.test_api_admin import close, signed_in
from tests.support.card_provider import ScriptedProvider, trouble
from tests.support.live_backend import LiveBackend, http_client
from tests.support.live_template import Template
from tests.support.waiting import until
from tests.support.watch import ExpectedLogs


class Shop:
    """A backend that takes cards."""

    def __init__(self, template: Template, folder: Path) -> None:
        self.provider = ScriptedProvider()
        self.backend = LiveBackend(
            template, folder, card_provider=self.provider, callback_keys=KEYS
        )

    def enroll(self) -> tuple[UUID, UUID]:
        """Somebody wants to pay by card: the enrollment and the attempt."""
        backend = self.backend
        student = backend.run(backend._identity(backend.student()))
        course = backend.courses[0].id
        payment = backend.run(
            backend.services.orchestrator.enroll(
                student, course, PaymentMethod.CARD, key=str(uuid7())
            )
        )
        assert payment.card.enrollment is not None
        assert payment.card_payment is not None
        return payment.card.enrollment, payment.card_payment.attempt

    def called_back(self, attempt: UUID, failure: FailureClass | None = None) -> None:
        confirmations = self.backend.services.confirmations
        self.backend.run(confirmations.confirm(attempt=attempt, failure=failure))

    def call(self, body: bytes, **how: str) -> None:
        """As the provider would, with a signature of ours or of somebody else."""
        with http_client(self.backend.url) as http:
            http.post(PATH, content=body, headers=signed(body, **how))

    async def api(self, role: Role = Role.OFFICER) -> PaymentsApi:
        return PaymentsApi(await signed_in(self.backend, self.backend.person(role).email), uuid7)


@pytest.fixture
def shop(sqlite_template: Template, tmp_path: Path) -> Iterator[Shop]:
    opened = Shop(sqlite_template, tmp_path / "backend")
    yield opened
    opened.backend.close()


async def test_attempts_and_asking(shop: Shop) -> None:
    enrollment, attempt = shop.enroll()
    _, other = shop.enroll()
    api = await shop.api(Role.ADMINISTRATOR)
    page = await api.attempts()
    assert [row.attempt for row in page.rows] == [other, attempt]
    assert page.next_after is None
    assert [row.attempt for row in (await api.attempts(after=other)).rows] == [attempt]
    assert [row.attempt for row in (await api.attempts_of(enrollment)).rows] == [attempt]
    assert (await api.ask_provider(attempt)).answer == "not_paid"
    shop.provider.pay("link1")
    asked = await api.ask_provider(attempt)
    assert (asked.answer, asked.row.link_state) == ("approved", LinkState.PAID)
    shop.provider.down = trouble()
    assert (await api.ask_provider(other)).answer == "unreachable"
    await close(api._api)


async def test_late_money_is_listed_and_settled(shop: Shop, expected_logs: ExpectedLogs) -> None:
    _, attempt = shop.enroll()
    shop.provider.pay()
    shop.provider.lies = lambda status: replace(status, amount_cents=1)
    with expected_logs("another amount"):
        shop.called_back(attempt)
    api = await shop.api()
    (row,) = (await api.late_money(open_only=True)).rows
    assert row.reason is LateReason.WRONG_AMOUNT
    settled = await api.settle_late_money(row.id, Settlement.REFUNDED, "Sent back.")
    assert settled.words == "Sent back."
    assert (await api.late_money(open_only=True)).rows == ()
    assert (await api.late_money()).rows == (settled,)
    with pytest.raises(ProblemError, match="settled this already"):
        await api.settle_late_money(row.id, Settlement.OTHER, "Again.")
    with pytest.raises(ProblemError, match="Please check: words"):
        await api.settle_late_money(row.id, Settlement.OTHER, "")
    await close(api._api)


async def test_a_refund_from_due_to_done(shop: Shop) -> None:
    enrollment, attempt = shop.enroll()
    shop.provider.pay()
    shop.called_back(attempt)
    device = shop.backend.device(Role.SUPERVISOR)
    decision = shop.backend.decision(
        device, enrollment, Verdict.REVERSE_APPROVAL, reason=ReasonCode.MISTAKE
    )
    assert shop.backend.decide(device, decision)[0].kind == "accepted"
    api = await shop.api()
    (row,) = (await api.refunds(open_only=True)).rows
    assert row.state is RefundState.DUE
    assert (await api.refund_sent(row.attempt)).state is RefundState.SENT
    assert (await api.refund_done(row.attempt)).state is RefundState.DONE
    assert (await api.refunds(open_only=True)).rows == ()
    assert len((await api.refunds()).rows) == 1
    await close(api._api)


async def test_callbacks_alerts_and_replays(shop: Shop, expected_logs: ExpectedLogs) -> None:
    api = await shop.api(Role.SUPERVISOR)
    with expected_logs("a callback waits for a person") as lines:
        shop.call(b'{"hello":"world"}')
        await until(lambda: lines, what="the dead letter")
    await until(lambda: _is_dead(api), what="it is kept")
    (row,) = (await api.webhooks(state=DeliveryState.DEAD)).rows
    assert (row.state, row.outcome, row.success) == (DeliveryState.DEAD, "unreadable", None)
    detail = await api.webhook(row.id)
    assert (detail.body, [one.n for one in detail.tries]) == ('{"hello":"world"}', [1])
    standing = await api.webhook_standing()
    assert (standing.waiting, standing.dead, standing.refused) == (0, 1, 0)
    with expected_logs("a callback waits for a person") as lines:
        assert (await api.replay_webhooks([row.id])).index > 0
        await until(lambda: lines, what="the second try")
    assert (await api.webhooks(after=row.id)).rows == ()
    with pytest.raises(ProblemError, match="no such callback"):
        await api.webhook(UUID(int=1))
    with pytest.raises(ProblemError, match="Please check: deliveries"):
        await api.replay_webhooks([])
    with expected_logs("callbacks of the card provider refused"):
        shop.call(b"{}", secret="not the secret")
        handler = shop.backend.services.webhooks
        assert handler is not None
        shop.backend.run(handler.alerts.flush())
    assert [alert.count for alert in (await api.alerts()).rows] == [1]
    await close(api._api)


async def _is_dead(api: PaymentsApi) -> bool:
    return bool((await api.webhooks(state=DeliveryState.DEAD)).rows)


async def test_roles_are_the_backends_to_judge(shop: Shop) -> None:
    officer, administrator = await shop.api(), await shop.api(Role.ADMINISTRATOR)
    with pytest.raises(ProblemError) as refused:
        await officer.replay_webhooks([UUID(int=1)])
    assert refused.value.problem.status == 403
    with pytest.raises(ProblemError) as refused:
        await administrator.refund_sent(UUID(int=1))
    assert refused.value.problem.status == 403
    await close(officer._api, administrator._api)
