"""The writer: group commit, one entry per accepted command, the same answer for the same key."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from uuid_utils.compat import uuid7

from core.backend.services.commands import AddCourseCommand, SubmitEftCommand
from core.backend.services.deciders import decide
from core.backend.services.rows import pack_person
from core.backend.storage import writer as writer_module
from core.backend.storage.command import Add, Command, Context, Decided, Outcome, Verdict
from core.backend.storage.engine import write_transaction
from core.backend.storage.errors import (
    DatabaseAwayError,
    UnknownOutcomeError,
    WriterBusyError,
    WriterStoppedError,
)
from core.backend.storage.records import Course, LessonText
from core.backend.storage.tables import courses, enrollments, idempotency, ledger_entries
from core.backend.storage.workspace import Workspace
from core.backend.storage.writer import Writer
from core.domain.roles import SYSTEM
from tests.support.live_template import Template
from tests.support.waiting import until
from tests.support.workspace import House, enroll_command, held, open_house

pytestmark = pytest.mark.both_engines


def course_command(title: str = "Costing", key: str | None = None) -> AddCourseCommand:
    lessons = (LessonText("One", "Two"),)
    course = Course(uuid7(), title, "A course.", 100, b"s" * 16, lessons)
    return AddCourseCommand(course=course, actor=SYSTEM, key=key or str(course.id))


def count(house: House, table: object) -> int:
    query = select(func.count()).select_from(table)  # type: ignore[arg-type]  # any table
    return house.services.reader.run_now(lambda c: c.execute(query).scalar_one())


async def test_what_waits_is_written_as_one_batch(house: House) -> None:
    sizes: list[int] = []
    before = house.size()
    house.services.writer.on_commit = sizes.append
    with held(house.services.writer):
        futures = [house.services.writer.enqueue(course_command(f"C{i}")) for i in range(10)]
    indexes = [future.result(10).answer.index for future in futures]
    assert indexes == list(range(before, before + 10))
    assert sizes == [before + 10]


async def test_a_batch_has_a_limit(house: House) -> None:
    sizes: list[int] = []
    before = house.size()
    house.services.writer.on_commit = sizes.append
    with held(house.services.writer):
        futures = [house.services.writer.enqueue(course_command(f"C{i}")) for i in range(100)]
    for future in futures:
        future.result(10)
    assert sizes[-1] == before + 100
    assert all(
        b - a <= writer_module.MAX_BATCH for a, b in zip([before, *sizes], sizes, strict=False)
    )


async def test_the_same_key_gets_the_same_answer_and_writes_nothing_more(house: House) -> None:
    command = course_command(key="once")
    first = await house.services.writer.submit(command)
    size = house.size()
    again = await house.services.writer.submit(command)
    assert again == Outcome(first.answer, repeated=True)
    assert first.accepted
    assert house.size() == size


async def test_a_command_that_comes_twice_in_one_batch_is_applied_once(house: House) -> None:
    command = course_command()
    before = house.size()
    with held(house.services.writer):
        futures = [house.services.writer.enqueue(command) for _ in range(3)]
    outcomes = [future.result(10) for future in futures]
    assert [outcome.repeated for outcome in outcomes] == [False, True, True]
    assert len({outcome.answer.index for outcome in outcomes}) == 1
    assert house.size() == before + 1


async def test_other_bytes_under_one_key_are_an_error(house: House) -> None:
    await house.services.writer.submit(course_command("Costing", key="k"))
    outcome = await house.services.writer.submit(course_command("Taxation", key="k"))
    assert outcome.answer.code == "id_reused"
    assert not outcome.accepted
    assert count(house, courses) == len(house.courses) + 1


async def test_every_accepted_command_is_exactly_one_entry(house: House) -> None:
    student = await house.student()
    before = house.size(), count(house, idempotency)
    course = house.courses[0].id
    enrolled = enroll_command(student.student, course)
    paid = SubmitEftCommand(student=student.student, course=course, claim=uuid7(), key="paid")
    refused = SubmitEftCommand(student=student.student, course=course, claim=uuid7(), key="twice")
    with held(house.services.writer):  # all three see each other's changes in one batch
        futures = [house.services.writer.enqueue(c) for c in (enrolled, paid, refused)]
    outcomes = [future.result(10) for future in futures]
    assert [outcome.accepted for outcome in outcomes] == [True, True, False]
    assert outcomes[2].answer.code == "claim_waiting"
    assert (house.size(), count(house, idempotency)) == (before[0] + 2, before[1] + 2)
    last = house.leaves()[-1]
    assert (last.action, last.before, last.after) == ("claim.submitted", 1, 2)


async def test_many_submitters_get_dense_indexes(house: House) -> None:
    before = house.size()

    async def one(number: int) -> list[int | None]:
        return [
            (await house.services.writer.submit(course_command(f"{number}.{i}"))).answer.index
            for i in range(5)
        ]

    found = await asyncio.gather(*(one(number) for number in range(20)))
    indexes = sorted(index for indexes in found for index in indexes if index is not None)
    assert indexes == list(range(before, before + 100))
    assert house.verify().size == before + 100


async def test_two_students_cannot_get_one_reference(house: House) -> None:
    first, second = await house.student(), await house.student()
    command = enroll_command(first.student, house.courses[0].id)
    same = replace(
        enroll_command(second.student, house.courses[0].id), references=command.references
    )
    with held(house.services.writer):
        futures = [house.services.writer.enqueue(c) for c in (command, same)]
    assert all(future.result(10).accepted for future in futures)
    query = select(enrollments.c.reference)
    found = house.services.reader.run_now(lambda c: set(c.execute(query).scalars()))
    assert found == set(command.references[:2])


# --- failures ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Poison(AddCourseCommand):
    """Decided like any other, but its row breaks the database."""


def _decide_poison(workspace: Workspace, command: Command, context: Context) -> Verdict:
    if not isinstance(command, Poison):
        return decide(workspace, command, context)
    good = decide(
        workspace, AddCourseCommand(course=command.course, actor=SYSTEM, key="x"), context
    )
    assert isinstance(good, Decided)
    return replace(good, changes=(Add(replace(command.course, title=None)),))  # type: ignore[arg-type]  # breaks NOT NULL


async def test_one_bad_command_does_not_spoil_the_others(house: House) -> None:
    writer = Writer(house.services.engine, decide=_decide_poison, now=house.clock, new_id=uuid7)
    before = house.size()
    good = [course_command(f"C{i}") for i in range(4)]
    bad = Poison(course=good[0].course, actor=SYSTEM, key="poison")
    with held(writer):
        futures = [writer.enqueue(c) for c in (*good[:2], bad, *good[2:])]
    for future in (*futures[:2], *futures[3:]):
        assert future.result(10).accepted
    with pytest.raises(IntegrityError):
        futures[2].result(10)
    writer.close()
    assert house.size() == before + 4
    assert house.verify().size == before + 4


async def test_a_lost_commit_is_told_and_asking_again_is_safe(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, command = house.services.writer, course_command()
    real = write_transaction

    @contextmanager
    def lost(engine: object) -> Iterator[Connection]:
        with real(engine) as connection:  # type: ignore[arg-type]  # the engine
            yield connection
        raise UnknownOutcomeError("It is not known whether this was saved.")

    monkeypatch.setattr(writer_module, "write_transaction", lost)
    with pytest.raises(UnknownOutcomeError):
        await writer.submit(command)
    monkeypatch.undo()
    size = house.size()
    again = await writer.submit(command)
    assert again.repeated
    assert again.accepted
    assert house.size() == size


async def test_a_database_that_fails_fails_the_command_and_not_the_writer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, before = house.services.writer, house.size()

    def fail(*_: object, **__: object) -> None:
        raise DBAPIError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr("core.backend.storage.batch.append_entries", fail)
    with pytest.raises(DBAPIError):
        await writer.submit(course_command())
    monkeypatch.undo()
    assert house.size() == before
    assert (await writer.submit(course_command())).answer.index == before


async def test_a_database_that_is_away_is_told_to_all_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for the next one's attempt to connect."""
    writer, before, attempts = house.services.writer, house.size(), list[int]()
    with held(writer):
        futures = [writer.enqueue(course_command(f"C{i}")) for i in range(10)]

        def away(_engine: object) -> None:
            attempts.append(len(attempts))
            raise DatabaseAwayError("The database cannot be reached. Please try again.")

        monkeypatch.setattr(writer_module, "write_transaction", away)
    for future in futures:
        with pytest.raises(DatabaseAwayError):
            future.result(10)
    assert len(attempts) == 1
    monkeypatch.undo()
    assert (await writer.submit(course_command())).answer.index == before


async def test_a_full_queue_is_busy(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MAX_WAITING", 2)
    writer = house.services.writer
    with held(writer):
        futures = [writer.enqueue(course_command()) for _ in range(2)]
        with pytest.raises(WriterBusyError, match="busy"):
            writer.enqueue(course_command())
    assert all(future.result(10).accepted for future in futures)


async def test_whoever_stops_waiting_before_the_writer_came_is_left_out(house: House) -> None:
    writer, before = house.services.writer, house.size()
    with held(writer):
        task = asyncio.create_task(writer.submit(course_command("Left out")))
        await until(lambda: writer.waiting == 1)
        task.cancel()
        await asyncio.wait([task])
        kept = writer.enqueue(course_command("Kept"))
    assert kept.result(10).answer.index == before
    assert house.size() == before + 1


async def test_closing_writes_what_waits_and_takes_no_more(house: House) -> None:
    writer = house.services.writer
    go = threading.Event()
    job = writer._enqueue_job(lambda _: go.wait(10))
    futures = [writer.enqueue(course_command(f"C{i}")) for i in range(5)]
    closing = threading.Thread(target=writer.close)
    closing.start()
    await until(lambda: writer._stopped)
    with pytest.raises(WriterStoppedError):
        writer.enqueue(course_command())
    go.set()
    closing.join()
    assert job.result(10)
    assert all(future.result(10).accepted for future in futures)


async def test_a_new_process_goes_on_where_the_last_one_ended(
    live_template: Template, tmp_path: Path
) -> None:
    command = course_command()
    async with open_house(live_template, tmp_path / "house") as house:
        first = await house.services.writer.submit(command)
        size = house.size()
    async with open_house(live_template, tmp_path / "house") as house:
        assert house.size() == size
        again = await house.services.writer.submit(command)
        assert again == Outcome(first.answer, repeated=True)
        assert (await house.services.writer.submit(course_command())).answer.index == size
        assert house.verify().size == size + 1


async def test_jobs_and_commands_keep_their_order(house: House) -> None:
    writer, seen = house.services.writer, []

    def look(connection: Connection) -> int:
        query = select(func.count()).select_from(ledger_entries)
        seen.append(connection.execute(query).scalar_one())
        return len(seen)

    before = house.size()
    with held(writer):
        writer.enqueue(course_command())
        first = writer._enqueue_job(look)
        writer.enqueue(course_command())
        second = writer._enqueue_job(look)
    assert (first.result(10), second.result(10)) == (1, 2)
    assert seen == [before + 1, before + 2]


async def test_a_job_that_fails_is_rolled_back(house: House) -> None:
    def work(connection: Connection) -> None:
        connection.execute(courses.delete())
        raise LookupError("on second thought")

    with pytest.raises(LookupError):
        await house.services.writer.run(work)
    assert count(house, courses) == len(house.courses)


async def test_names_are_sealed_on_disk(house: House) -> None:
    student = await house.student("Lerato Khumalo")
    assert student.name == "Lerato Khumalo"
    house.services.engine.dispose()
    folder = house.services.config.state_dir
    everything = b"".join(path.read_bytes() for path in folder.glob("bursar.sqlite3*"))
    assert b"Lerato" not in everything
    assert b"student1@" not in everything
    assert pack_person("Lerato Khumalo", "x") not in everything
