"""The checks find what they are for: each is shown a case in which it must not be satisfied."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from core.protocol.messages import AnswerKind, SignedDecision
from tests.crash.checks import Found, Kind, problems
from tests.crash.journal import Journal, Told
from tests.crash.record import read_record
from tests.support.live_template import DATABASE, Template
from tests.support.workspace import House, Officer, open_house

APPLIED, WAITING = 0, 1


@dataclass
class Case:
    """A true one: two payments, one of them approved, and everybody told so."""

    database: Path
    journal: Journal
    enrollments: list[UUID]

    def found(self, **changes: object) -> Found:
        """What the checks get; the console's list is the backend's."""
        record = read_record(self.database)
        waiting = {(str(self.enrollments[WAITING]), 1)}
        made = Found(record, dict(self.journal.decided), waiting, waiting)
        return replace(made, **changes)  # type: ignore[arg-type]  # fields of a Found

    def kinds(self, **changes: object) -> set[Kind]:
        return {problem.kind for problem in problems(self.journal, self.found(**changes))}

    def told(self, **changes: object) -> Told:
        """The approval as the console showed it."""
        (made,) = self.journal.decided.values()
        return replace(made, **changes)  # type: ignore[arg-type]  # fields of a Told

    def alter(self, statement: str, *values: object) -> None:
        """Change the database behind everybody's back, as its owner can."""
        with closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for (name,) in connection.execute(names).fetchall():
                connection.execute(f'DROP TRIGGER "{name}"')
            assert connection.execute(statement, values).rowcount > 0


@pytest.fixture(scope="module")
def truth(sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return asyncio.run(_make(sqlite_template, tmp_path_factory.mktemp("truth") / "house"))


@pytest.fixture
def case(truth: Case, tmp_path: Path) -> Case:
    """A copy, to be spoiled."""
    database = tmp_path / DATABASE
    shutil.copyfile(truth.database, database)
    journal = Journal(set(truth.journal.submitted), dict(truth.journal.decided))
    return Case(database, journal, truth.enrollments)


async def _make(template: Template, folder: Path) -> Case:
    async with open_house(template, folder) as house:
        officer = await house.officer()
        enrollments = [await house.claim(), await house.claim()]
        decision = officer.sign(await house.row(enrollments[APPLIED]))
        told = await _decided(house, officer, decision, enrollments[APPLIED])
    journal = Journal(submitted=set(enrollments), decided={told.id: told})
    return Case(folder / DATABASE, journal, enrollments)


async def _decided(
    house: House, officer: Officer, decision: SignedDecision, enrollment: UUID
) -> Told:
    (answer,) = await house.decide(officer, decision)
    assert answer.kind is AnswerKind.ACCEPTED
    return Told(
        id=decision.id, kind="decision", n=0, enrollment=enrollment, state="accepted",
        settled=True, index=answer.index,
    )  # fmt: skip


def test_what_is_true_is_no_problem(case: Case) -> None:
    assert list(problems(case.journal, case.found())) == []


def test_a_decision_that_was_removed_from_the_database_is_lost(case: Case) -> None:
    last = case.told().index
    case.alter('DELETE FROM ledger_entries WHERE "index" = ?', last)
    assert Kind.LOST in case.kinds()


def test_a_decision_in_the_journal_alone_is_lost(case: Case) -> None:
    extra = case.told(id=uuid7(), n=7)
    held = dict(case.journal.decided)
    case.journal.note_decided(extra)
    assert case.kinds(held=held) == {Kind.LOST}


def test_a_decision_whose_console_forgot_it_is_lost(case: Case) -> None:
    assert case.kinds(held={}) == {Kind.LOST}


def test_a_payment_in_the_journal_alone_is_lost(case: Case) -> None:
    case.journal.note_submitted(uuid7())
    assert case.kinds() == {Kind.LOST}


def test_an_entry_that_is_there_twice_is_a_double(case: Case) -> None:
    last = case.told().index
    case.alter(
        'INSERT INTO ledger_entries ("index", leaf, leaf_hash, subject, at, actor, action)'
        ' SELECT "index" + 1, leaf, leaf_hash, subject, at, actor, action'
        ' FROM ledger_entries WHERE "index" = ?',
        last,
    )
    assert case.kinds() == {Kind.DOUBLED}


def test_a_gap_between_entries_is_found(case: Case) -> None:
    last = case.told().index
    case.alter('UPDATE ledger_entries SET "index" = "index" + 1 WHERE "index" = ?', last)
    assert Kind.LEDGER in case.kinds()


@pytest.mark.parametrize(
    "changes",
    [{"state": "queued", "settled": False}, {"state": "conflict"}, {"state": "withdrawn"}],
)
def test_an_end_that_is_missing_or_untrue_is_silent(case: Case, changes: dict[str, object]) -> None:
    wrong = case.told(**changes)
    case.journal.decided.clear()
    assert case.kinds(held={wrong.id: wrong}) == {Kind.SILENT}


def test_an_answer_that_changes_later_is_silent_and_odd(case: Case) -> None:
    changed = case.told(state="refused", index=None)
    case.journal.note_decided(changed)
    assert case.kinds(held={changed.id: changed}) == {Kind.SILENT, Kind.ODD}


def test_a_payment_nobody_was_told_of_is_silent(case: Case) -> None:
    case.journal.submitted.discard(case.enrollments[WAITING])
    assert case.kinds() == {Kind.SILENT}


def test_access_that_was_not_approved_is_found(case: Case) -> None:
    case.alter("UPDATE access_grants SET enrollment = ?", case.enrollments[WAITING].hex)
    assert case.kinds() == {Kind.ACCESS}


@pytest.mark.parametrize("side", ["shown", "pending"])
def test_lists_that_differ_are_found(case: Case, side: str) -> None:
    assert case.kinds(**{side: set()}) == {Kind.LIST}
