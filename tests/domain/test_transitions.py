"""Every event in every state, held against a table written from the design, not from the code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain import events
from core.domain.enrollment import Enrollment, EnrollmentStatus
from core.domain.errors import RefusalCode, TransitionRefusedError
from tests.domain.build import CASES, MANAGER, NOW, PEOPLE, STUDENT

# What becomes of the status: a name, "=" for the same one, "late" for an entry that changes
# nothing, "-" for a refusal. Every case meets its event's other conditions.
TABLE = """
event                          | pending  | approved  | rejected | expired | revoked  | completed
enroll                         | -        | -         | -        | -       | -        | -
enroll again                   | -        | -         | pending  | pending | -        | -
enroll again, by a supervisor  | -        | -         | -        | -       | pending  | -
start card                     | =        | -         | -        | -       | -        | -
submit EFT                     | =        | -         | -        | -       | -        | -
record payment                 | =        | -         | -        | -       | -        | -
card confirmed                 | approved | late      | late     | late    | late     | late
card failed                    | =        | =         | =        | =       | =        | =
ask for manual approval        | =        | -         | -        | -       | -        | -
facts changed                  | =        | -         | -        | -       | -        | -
first signature                | =        | -         | -        | -       | -        | -
approve                        | approved | -         | -        | -       | -        | -
reject                         | rejected | -         | -        | -       | -        | -
expire                         | expired  | -         | -        | -       | -        | -
access ends                    | -        | expired   | -        | -       | -        | expired
reverse an approval            | -        | revoked   | -        | -       | -        | revoked
reverse a rejection            | -        | -         | pending  | -       | -        | -
reinstate                      | -        | -         | -        | -       | approved | -
complete                       | -        | completed | -        | -       | -        | -
"""

# Who may cause it, where the state allows it.
WHO = {
    "start card": {"student"},
    "submit EFT": {"student"},
    "record payment": {"officer", "supervisor"},
    "card confirmed": {"gateway"},
    "card failed": {"gateway"},
    "ask for manual approval": {"student"},
    "facts changed": {"student", "officer", "supervisor", "administrator", "gateway", "system"},
    "first signature": {"officer", "supervisor"},
    "approve": {"officer", "supervisor"},
    "reject": {"officer", "supervisor"},
    "expire": {"system"},
    "access ends": {"system"},
    "reverse an approval": {"supervisor"},
    "reverse a rejection": {"supervisor"},
    "reinstate": {"supervisor"},
    "complete": {"system"},
}


def _rows() -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]


def _cells() -> list[tuple[str, str, str]]:
    (_, *statuses), *rows = _rows()
    return [
        (name, status, outcome)
        for name, *outcomes in rows
        for status, outcome in zip(statuses, outcomes, strict=True)
    ]


@pytest.mark.parametrize(("name", "status", "outcome"), _cells())
def test_every_event_in_every_state(name: str, status: str, outcome: str) -> None:
    case = CASES[name]
    current = case.at(EnrollmentStatus(status))
    if outcome == "-":
        with pytest.raises(TransitionRefusedError) as refused:
            MANAGER.apply(current, case.event)
        assert refused.value.status is current.status
        assert refused.value.by == current.status_by
        assert refused.value.at == current.status_at
        assert refused.value.message
        return
    done = MANAGER.apply(current, case.event)
    assert done.before == current
    if outcome == "late":
        assert done.after == current
        assert done.action == "card.late_money"
        return
    expected = current.status if outcome == "=" else EnrollmentStatus(outcome)
    assert done.after.status is expected
    assert done.after.version == current.version + 1
    if expected is not current.status:
        assert done.after.status_by == case.event.actor.code
        assert done.after.status_at == case.event.at
    else:
        assert (done.after.status_by, done.after.status_at) == (
            current.status_by,
            current.status_at,
        )


def test_the_table_names_every_status_and_every_event() -> None:
    (_, *statuses), *rows = _rows()
    assert set(statuses) == {status.value for status in EnrollmentStatus}
    assert {row[0] for row in rows} == set(CASES)
    kinds = {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, events.Event) and kind is not events.Event
    }
    assert {type(case.event) for case in CASES.values()} == kinds


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("name", WHO)
def test_only_the_named_people_may(name: str, person: str) -> None:
    case = CASES[name]
    outcomes = {status: outcome for row, status, outcome in _cells() if row == name}
    status = next(status for status, outcome in outcomes.items() if outcome != "-")
    event = replace(case.event, actor=PEOPLE[person])
    if person in WHO[name]:
        assert MANAGER.apply(case.at(EnrollmentStatus(status)), event).before is not None
        return
    with pytest.raises(TransitionRefusedError) as refused:
        MANAGER.apply(case.at(EnrollmentStatus(status)), event)
    assert refused.value.code is RefusalCode.WRONG_ROLE


@pytest.mark.parametrize("person", sorted(set(PEOPLE) - {"student"}))
def test_only_a_student_enrolls(person: str) -> None:
    with pytest.raises(TransitionRefusedError) as refused:
        MANAGER.apply(None, replace(CASES["enroll"].event, actor=PEOPLE[person]))
    assert refused.value.code is RefusalCode.WRONG_ROLE


def test_enrolling_makes_a_pending_enrollment_of_version_and_round_one() -> None:
    done = MANAGER.apply(None, CASES["enroll"].event)
    made: Enrollment = done.after
    assert done.before is None
    assert (made.status, made.version, made.round) == (EnrollmentStatus.PENDING, 1, 1)
    assert (made.status_by, made.status_at, made.created_at) == (STUDENT.code, NOW, NOW)
    assert made.claim is None
    assert not done.grants_access


@pytest.mark.parametrize("name", sorted(set(CASES) - {"enroll"}))
def test_nothing_else_happens_without_an_enrollment(name: str) -> None:
    with pytest.raises(TransitionRefusedError) as refused:
        MANAGER.apply(None, CASES[name].event)
    assert refused.value.status is None
    assert refused.value.by is None
