"""Stored answers are kept for 400 days, then forgotten; nothing is carried out twice by that."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core.backend.services import housekeeping
from core.backend.services.deciding import MAX_AGE
from core.backend.services.housekeeping import KEEP_ANSWERS, Housekeeping
from core.backend.storage.errors import DatabaseAwayError
from core.backend.storage.tables import idempotency
from core.protocol.signing import read_decision
from tests.support.waiting import until
from tests.support.workspace import House, Officer


def _kept(house: House) -> int:
    query = select(func.count()).select_from(idempotency)
    return house.services.reader.run_now(lambda c: c.execute(query).scalar_one())


def test_answers_are_kept_for_longer_than_a_decision_may_be_old() -> None:
    assert timedelta(days=400) <= KEEP_ANSWERS
    assert MAX_AGE < KEEP_ANSWERS


@pytest.mark.both_engines
async def test_answers_are_forgotten_after_400_days_and_no_sooner(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "AT_ONCE", 2)
    tidy = house.services.housekeeping.tidy
    house.clock.advance(days=2)  # later than what the template made
    enrollment = await house.claim()
    old, size = _kept(house), house.size()
    house.clock.advance(days=400)
    await house.student()
    assert await tidy() <= old - 3
    assert _kept(house) >= 4  # a student, an enrollment, a claim, and another student
    house.clock.advance(seconds=1)
    await tidy()
    assert _kept(house) == 1
    assert await tidy() == 0
    assert house.size() == size + 1  # no entry is made of it, and none is lost
    assert (await house.row(enrollment)).waiting
    house.verify()


async def test_a_decision_whose_answer_is_forgotten_is_not_carried_out_again(house: House) -> None:
    """Its number is remembered for ever: whoever asks again hears that it was."""
    officer = await house.officer()
    item = officer.sign(await house.row(await house.claim()), as_of=house.size() - 1)
    later = officer.sign(await house.row(await house.claim()), as_of=house.size() - 1)
    withdrawal = officer.device.withdrawal(item)
    await house.decide(officer, item)
    house.clock.advance(days=401)
    await house.services.housekeeping.tidy()
    back = Officer((await house.officer()).identity, officer.device)
    size = house.size()
    answers = await house.decide(back, item, later, withdrawal)
    assert [answer.code for answer in answers] == ["accepted", "too_old", "already_decided"]
    assert answers[0].index is not None
    assert answers[2].index == answers[0].index
    leaf = house.leaves()[answers[0].index]
    assert leaf.subject == f"enrollment:{read_decision(item.payload.encode()).enrollment}"
    assert leaf.action == "enrollment.approved"
    assert house.size() == size + 2  # of the two that were refused
    house.verify()


async def test_it_begins_with_the_backend_and_goes_on_after_trouble(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, rounds = house.services.writer, 0
    keeper = Housekeeping(writer=writer, clock=house.clock, pause_seconds=0.0)
    run = writer.run

    async def away_at_first(work: object) -> object:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise DatabaseAwayError("The database cannot be reached.")
        return await run(work)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(writer, "run", away_at_first)
    house.clock.advance(days=500)
    keeper.start()
    await until(lambda: _kept(house) == 0)
    await keeper.stop()
    await keeper.stop()
    assert rounds > 1
