"""Enrollments as the tables hold them, read: one is a row, its current claim and its attempts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, select

from core.backend.storage.tables import attempts, claims, enrollments
from core.domain.enrollment import (
    Attempt,
    AttemptStatus,
    Claim,
    ClaimStatus,
    Enrollment,
    EnrollmentStatus,
    FirstSignature,
    PaymentMethod,
)

_CLAIM_PREFIX = "claim_"
CLAIM_COLUMNS = tuple(c.label(_CLAIM_PREFIX + c.name) for c in claims.c)
_FROM = enrollments.outerjoin(claims, claims.c.id == enrollments.c.claim)
_SELECT = select(*enrollments.c, *CLAIM_COLUMNS).select_from(_FROM)


def read_enrollments(
    connection: Connection, condition: ColumnElement[bool]
) -> dict[UUID, Enrollment]:
    """By id, whatever fits the condition on `enrollments`. Two statements."""
    rows = connection.execute(_SELECT.where(condition)).mappings().all()
    return enrollments_from(rows, read_attempts(connection, [row["id"] for row in rows]))


def enrollments_from(
    rows: Iterable[RowMapping], tries: Mapping[UUID, tuple[Attempt, ...]]
) -> dict[UUID, Enrollment]:
    return {row["id"]: _enrollment(row, tries.get(row["id"], ())) for row in rows}


def read_attempts(connection: Connection, ids: list[UUID]) -> dict[UUID, tuple[Attempt, ...]]:
    """The card attempts of each enrollment, oldest first."""
    if not ids:
        return {}
    query = (
        select(attempts)
        .where(attempts.c.enrollment.in_(ids))
        .order_by(attempts.c.enrollment, attempts.c.position)
    )
    found: dict[UUID, list[Attempt]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["enrollment"]].append(
            Attempt(
                id=row["id"],
                status=AttemptStatus(row["status"]),
                round=row["round"],
                amount_cents=row["amount_cents"],
                failure=row["failure"],
            )
        )
    return {enrollment: tuple(tries) for enrollment, tries in found.items()}


def _enrollment(row: RowMapping, tries: tuple[Attempt, ...]) -> Enrollment:
    return Enrollment(
        id=row["id"],
        student=row["student"],
        course=row["course"],
        status=EnrollmentStatus(row["status"]),
        version=row["version"],
        round=row["round"],
        reference=row["reference"],
        amount_cents=row["amount_cents"],
        method=PaymentMethod(row["method"]) if row["method"] else None,
        status_by=row["status_by"],
        status_at=row["status_at"],
        created_at=row["created_at"],
        claim=None if row["claim_id"] is None else _claim(row),
        attempts=tries,
    )


def _claim(row: RowMapping) -> Claim:
    officer = row["claim_first_officer"]
    return Claim(
        id=row["claim_id"],
        method=PaymentMethod(row["claim_method"]),
        status=ClaimStatus(row["claim_status"]),
        round=row["claim_round"],
        amount_cents=row["claim_amount_cents"],
        submitted_at=row["claim_submitted_at"],
        proof=row["claim_proof"],
        first_signature=None
        if officer is None
        else FirstSignature(officer, row["claim_first_at"], row["claim_first_version"]),
    )
