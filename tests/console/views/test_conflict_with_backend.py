"""What a real backend answers where nothing that a row shows has changed."""

from __future__ import annotations

from pathlib import Path

from uuid_utils.compat import uuid7

from console.views.wording import changes_since, difference, entry_words
from core.backend.services.payment_commands import FailCardCommand, StartCardCommand
from core.domain.failures import FailureClass
from core.ledger.leaf import decode
from tests.support.live_template import Template
from tests.support.workspace import enroll_command, open_house


async def test_a_card_that_fails_beside_a_claim_is_what_happened_since(
    live_template: Template, tmp_path: Path
) -> None:
    async with open_house(live_template, tmp_path / "house") as house:
        student, course, attempt = await house.student(), house.courses[0].id, uuid7()
        submit = house.services.writer.submit
        await submit(enroll_command(student.student, course))
        key = str(uuid7())
        await submit(
            StartCardCommand(
                student=student.student, course=course, attempt=attempt, provider="sandbox", key=key
            )
        )
        enrollment, officer = await house.claim(student), await house.officer()
        seen = await house.row(enrollment)
        decision = officer.sign(seen, as_of=house.size() - 1)
        await submit(
            FailCardCommand(attempt=attempt, enrollment=enrollment, failure=FailureClass.DECLINED)
        )
        (answer,) = await house.decide(officer, decision)
        assert answer.code == "conflict_changed"
        assert answer.row is not None
        assert difference(seen, answer.row) == ()
        detail = await house.services.approval.detail(enrollment)
        (change,) = changes_since(detail.timeline, seen.version)
        assert entry_words(decode(change.leaf.encode())).startswith("The card payment failed")
