"""Card payments on a whole console at our real backend, as they happen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from console.office import Office
from console.theme import Theme
from console.views.payments.attempts import AttemptsSection
from core.domain.enrollment import PaymentMethod
from core.ledger.leaf import decode
from tests.console.computer import Computer
from tests.support.card_provider import ScriptedProvider
from tests.support.keyrings import MemoryKeyring
from tests.support.live_backend import LiveBackend
from tests.support.live_template import Template
from tests.support.waiting import until


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider(name="ikhokha")


@pytest.fixture
def computer(
    theme: Theme,
    sqlite_template: Template,
    tmp_path: Path,
    private_keyring: MemoryKeyring,
    provider: ScriptedProvider,
) -> Iterator[Computer]:
    assert private_keyring.secrets == {}
    backend = LiveBackend(sqlite_template, tmp_path / "backend", card_provider=provider)
    yield Computer(theme, backend, tmp_path / "computer")
    backend.close()


def enroll(backend: LiveBackend) -> UUID:
    """Somebody wants to pay by card: the enrollment."""
    student = backend.run(backend._identity(backend.student("Naledi Khumalo")))
    orchestrator = backend.services.orchestrator
    payment = backend.run(
        orchestrator.enroll(student, backend.courses[0].id, PaymentMethod.CARD, key=str(uuid7()))
    )
    assert payment.card.enrollment is not None
    return payment.card.enrollment


def states(office: Office) -> list[str]:
    model = office.paying.screen.at(AttemptsSection).model
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


@pytest.mark.req("2.1")
async def test_a_card_payment_is_seen_asked_about_and_approved_by_the_system(
    computer: Computer, provider: ScriptedProvider
) -> None:
    backend = computer.backend
    async with computer.console() as running:
        office = await computer.sign_in(running)
        office.commands.trigger("open payments")
        section = office.paying.screen.at(AttemptsSection)
        await until(lambda: section.empty.text == "Nobody has paid by card yet.", what="nothing")
        enrollment = enroll(backend)  # the ledger brings it, without a click
        await until(lambda: states(office) == ["Open"], what="the attempt")
        key = section.model.key_at(0)
        assert key is not None
        section.table.setFocus()
        section.table.select_key(key)
        provider.pay()
        section.ask.click()
        await until(lambda: "access is open" in section.pane.result.text, what="the answer")
        assert states(office) == ["Paid"]
    entries = [decode(entry.leaf.encode()) for entry in backend.detail(enrollment).timeline]
    approved = next(leaf for leaf in entries if leaf.action == "enrollment.approved")
    assert (approved.actor, approved.facts["provider"]) == ("gateway", "ikhokha")
