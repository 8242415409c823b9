"""The steps that enrollments took in one batch, written with one statement per table and kind.

A step is (before, after). An enrollment can take several in one batch: what it was before the
first and is after the last is written; a claim that was closed on the way is written, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, bindparam
from sqlalchemy.sql.dml import Update

from core.backend.storage.tables import access_grants, attempts, claims, enrollments
from core.domain.enrollment import Attempt, Claim, Enrollment

Step = tuple[Enrollment | None, Enrollment]
_Row = dict[str, Any]


def _update(table: Table) -> Update:
    columns: dict[str, Any] = {c.name: bindparam(c.name) for c in table.c if c.name != "id"}
    return table.update().where(table.c.id == bindparam("id_")).values(columns)


_UPDATES: Mapping[Table, Update] = {t: _update(t) for t in (enrollments, claims, attempts)}
_GRANT = access_grants.insert()
_WITHDRAW = (
    access_grants.update()
    .where(access_grants.c.enrollment == bindparam("id_"), access_grants.c.withdrawn_at.is_(None))
    .values(withdrawn_at=bindparam("at"))
)


class _Rows:
    """The rows of one table by id: as they were first (None: new) and as they are last."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._first: dict[UUID, _Row | None] = {}
        self._last: dict[UUID, _Row] = {}

    def step(self, before: Iterable[_Row], after: Iterable[_Row]) -> None:
        for row in before:
            self._first.setdefault(row["id"], row)
        for row in after:
            self._first.setdefault(row["id"], None)
            self._last[row["id"]] = row

    def write(self, connection: Connection) -> None:
        new = [row for id_, row in self._last.items() if self._first[id_] is None]
        changed = [
            {**row, "id_": id_}
            for id_, row in self._last.items()
            if self._first[id_] not in (None, row)
        ]
        if new:
            connection.execute(self._table.insert(), new)
        if changed:
            connection.execute(_UPDATES[self._table], changed)


def write_enrollments(connection: Connection, steps: list[Step]) -> None:
    """Write the steps, in order, access to the courses included."""
    tables = {table: _Rows(table) for table in (enrollments, claims, attempts)}
    for before, after in steps:
        tables[enrollments].step(_enrollment(before), _enrollment(after))
        tables[claims].step(_claim(before), _claim(after))
        tables[attempts].step(_attempts(before), _attempts(after))
    for rows in tables.values():
        rows.write(connection)
    _write_access(connection, steps)


def _write_access(connection: Connection, steps: list[Step]) -> None:
    moved = [(b, a) for b, a in steps if (b is not None and b.has_access) != a.has_access]
    # In order: what is withdrawn and granted again in one batch must end as granted.
    for grants, group in groupby(moved, key=lambda step: step[1].has_access):
        changed = [after for _, after in group]
        if grants:
            connection.execute(_GRANT, [_grant(e) for e in changed])
        else:
            connection.execute(_WITHDRAW, [{"id_": e.id, "at": e.status_at} for e in changed])


def _grant(enrollment: Enrollment) -> _Row:
    return {
        "enrollment": enrollment.id,
        "version": enrollment.version,
        "granted_at": enrollment.status_at,
    }


def _enrollment(enrollment: Enrollment | None) -> list[_Row]:
    if enrollment is None:
        return []
    waiting = enrollment.waiting_claim
    row = {
        "id": enrollment.id,
        "student": enrollment.student,
        "course": enrollment.course,
        "status": enrollment.status.value,
        "version": enrollment.version,
        "round": enrollment.round,
        "reference": enrollment.reference,
        "amount_cents": enrollment.amount_cents,
        "method": enrollment.method.value if enrollment.method else None,
        "status_by": enrollment.status_by,
        "status_at": enrollment.status_at,
        "created_at": enrollment.created_at,
        "claim": enrollment.claim.id if enrollment.claim else None,
        "waiting_since": waiting.submitted_at if waiting else None,
    }
    return [row]


def _claim(enrollment: Enrollment | None) -> list[_Row]:
    if enrollment is None or enrollment.claim is None:
        return []
    return [_claim_row(enrollment.id, enrollment.claim)]


def _claim_row(enrollment: UUID, claim: Claim) -> _Row:
    first = claim.first_signature
    return {
        "id": claim.id,
        "enrollment": enrollment,
        "method": claim.method.value,
        "status": claim.status.value,
        "round": claim.round,
        "amount_cents": claim.amount_cents,
        "submitted_at": claim.submitted_at,
        "proof": claim.proof,
        "first_officer": first.officer if first else None,
        "first_at": first.at if first else None,
        "first_version": first.version if first else None,
    }


def _attempts(enrollment: Enrollment | None) -> list[_Row]:
    if enrollment is None:
        return []
    return [_attempt_row(enrollment.id, i, a) for i, a in enumerate(enrollment.attempts)]


def _attempt_row(enrollment: UUID, position: int, attempt: Attempt) -> _Row:
    return {
        "id": attempt.id,
        "enrollment": enrollment,
        "position": position,
        "status": attempt.status.value,
        "round": attempt.round,
        "amount_cents": attempt.amount_cents,
        "failure": attempt.failure,
    }
