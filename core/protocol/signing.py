"""The exact bytes that a device signs, and the digest of what an officer saw."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.domain.decisions import Decision, ReasonCode, SeenFacts, Verdict
from core.domain.roles import Role
from core.ledger.canonical import canonical, parse
from core.ledger.commitments import commit
from core.ledger.devices import revocation_payload
from core.ledger.errors import LeafError
from core.protocol.messages import EnrollmentRow, Student


class PayloadError(ValueError):
    """Signed text that is not what it should be; the message is for logs, not for people."""


def student_commitment(student: Student) -> str:
    """Hex commitment to the name and email on the screen."""
    return commit(bytes.fromhex(student.salt), f"{student.name}\n{student.email}")


def seen_facts(row: EnrollmentRow) -> SeenFacts:
    """What a row shows. Console and backend compute it alike from their own copy of the row."""
    claim = row.claim
    return SeenFacts(
        enrollment=row.enrollment,
        version=row.version,
        student=student_commitment(row.student),
        course=row.course,
        method=row.method.value if row.method else "",
        reference=row.reference,
        amount_cents=row.amount_cents,
        claim_cents=claim.amount_cents if claim else None,
        proof=claim.proof if claim else None,
        signatures=1 if claim and claim.first_signature else 0,
    )


def seen_digest(facts: SeenFacts) -> str:
    """Hex SHA-256 over the canonical JSON of the facts."""
    payload = {
        "enrollment": str(facts.enrollment),
        "version": facts.version,
        "student": facts.student,
        "course": str(facts.course),
        "method": facts.method,
        "reference": facts.reference,
        "amount_cents": facts.amount_cents,
        "claim_cents": facts.claim_cents,
        "proof": facts.proof,
        "signatures": facts.signatures,
    }
    return hashlib.sha256(canonical(payload)).hexdigest()


def decision_payload(decision: Decision) -> bytes:
    """The canonical JSON that the device signs; the ledger keeps exactly these bytes."""
    return canonical(
        {
            "kind": "decision",
            "id": str(decision.id),
            "officer": str(decision.officer),
            "device": str(decision.device),
            "n": decision.n,
            "as_of": decision.as_of,
            "enrollment": str(decision.enrollment),
            "expected_version": decision.expected_version,
            "seen": decision.seen,
            "verdict": decision.verdict.value,
            "reason_code": decision.reason_code.value if decision.reason_code else None,
            "reason_commitment": decision.reason_commitment,
            "amount_received": decision.amount_received,
        }
    )


def read_decision(payload: bytes) -> Decision:
    """The decision in signed bytes; only their own canonical form is taken. Raises PayloadError."""
    fields = _fields(payload, "decision")
    try:
        reason = fields["reason_code"]
        decision = Decision(
            id=UUID(fields["id"]),
            officer=UUID(fields["officer"]),
            device=UUID(fields["device"]),
            n=fields["n"],
            as_of=fields["as_of"],
            enrollment=UUID(fields["enrollment"]),
            expected_version=fields["expected_version"],
            seen=fields["seen"],
            verdict=Verdict(fields["verdict"]),
            reason_code=None if reason is None else ReasonCode(reason),
            reason_commitment=fields["reason_commitment"],
            amount_received=fields["amount_received"],
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise PayloadError("a decision has a field that is missing or wrong") from error
    _check_types(decision)
    if decision_payload(decision) != payload:
        raise PayloadError("a decision is not in canonical form")
    return decision


def _check_types(decision: Decision) -> None:
    whole = (decision.n, decision.as_of, decision.expected_version)
    optional_text = decision.reason_commitment
    received = decision.amount_received
    if (
        any(type(number) is not int or number < 0 for number in whole)
        or type(decision.seen) is not str
        or not (optional_text is None or type(optional_text) is str)
        or not (received is None or (type(received) is int and received >= 0))
    ):
        raise PayloadError("a decision has a field of a wrong type")


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An officer takes back a decision that still waited in the console's queue.

    `n` is the number of that decision: the withdrawal uses it up, so that an old copy of the queue
    cannot revive what was taken back. `decision` is its id, `enrollment` what it was about.
    """

    id: UUID
    officer: UUID
    device: UUID
    n: int
    decision: UUID
    enrollment: UUID


def withdrawal_payload(withdrawal: Withdrawal) -> bytes:
    """The canonical JSON that the device signs; the ledger keeps exactly these bytes."""
    return canonical(
        {
            "kind": "withdrawal",
            "id": str(withdrawal.id),
            "officer": str(withdrawal.officer),
            "device": str(withdrawal.device),
            "n": withdrawal.n,
            "decision": str(withdrawal.decision),
            "enrollment": str(withdrawal.enrollment),
        }
    )


def read_withdrawal(payload: bytes) -> Withdrawal:
    """The withdrawal in signed bytes; only their own canonical form. Raises PayloadError."""
    fields = _fields(payload, "withdrawal")
    try:
        withdrawal = Withdrawal(
            id=UUID(fields["id"]),
            officer=UUID(fields["officer"]),
            device=UUID(fields["device"]),
            n=fields["n"],
            decision=UUID(fields["decision"]),
            enrollment=UUID(fields["enrollment"]),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise PayloadError("a withdrawal has a field that is missing or wrong") from error
    if type(withdrawal.n) is not int or withdrawal.n < 0:
        raise PayloadError("a withdrawal has a number of a wrong type")
    if withdrawal_payload(withdrawal) != payload:
        raise PayloadError("a withdrawal is not in canonical form")
    return withdrawal


def device_payload(
    *,
    id: UUID,  # noqa: A002 - the field it fills has this name
    device: UUID,
    user: UUID,
    roles: frozenset[Role],
    public_key: str,
    by_device: UUID,
) -> bytes:
    """What an administrator's device signs to enroll a device; `public_key` is base64."""
    return canonical(
        {
            "kind": "device-enrollment",
            "id": str(id),
            "device": str(device),
            "user": str(user),
            "roles": sorted(role.value for role in roles),
            "public_key": public_key,
            "by_device": str(by_device),
        }
    )


def read_device_payload(payload: bytes) -> Mapping[str, Any]:
    """The fields of a device enrollment, ids as UUID, roles as a frozenset. Raises PayloadError."""
    fields = _fields(payload, "device-enrollment")
    try:
        read: dict[str, Any] = {
            "id": UUID(fields["id"]),
            "device": UUID(fields["device"]),
            "user": UUID(fields["user"]),
            "roles": frozenset(Role(role) for role in fields["roles"]),
            "public_key": fields["public_key"],
            "by_device": UUID(fields["by_device"]),
        }
        again = device_payload(**read)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise PayloadError("a device enrollment has a wrong field") from error
    if again != payload or type(read["public_key"]) is not str:
        raise PayloadError("a device enrollment is not in canonical form")
    return read


def device_request_payload(
    *,
    id: UUID,  # noqa: A002 - the field it fills has this name
    device: UUID,
    user: UUID,
    roles: frozenset[Role],
    public_key: str,
) -> bytes:
    """What a device signs to ask for its own enrollment; `public_key` is base64."""
    return canonical(
        {
            "kind": "device-request",
            "id": str(id),
            "device": str(device),
            "user": str(user),
            "roles": sorted(role.value for role in roles),
            "public_key": public_key,
        }
    )


def read_device_request(payload: bytes) -> Mapping[str, Any]:
    """The fields of a request, typed as `read_device_payload` does. Raises PayloadError."""
    fields = _fields(payload, "device-request")
    try:
        read: dict[str, Any] = {
            "id": UUID(fields["id"]),
            "device": UUID(fields["device"]),
            "user": UUID(fields["user"]),
            "roles": frozenset(Role(role) for role in fields["roles"]),
            "public_key": fields["public_key"],
        }
        again = device_request_payload(**read)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise PayloadError("a device request has a wrong field") from error
    if again != payload or type(read["public_key"]) is not str:
        raise PayloadError("a device request is not in canonical form")
    return read


def device_revocation_payload(
    *,
    id: UUID,  # noqa: A002 - the field it fills has this name
    device: UUID,
    by_device: UUID,
) -> bytes:
    """What an administrator's device (`by_device`) signs to revoke `device`."""
    return revocation_payload(revocation_id=id, device=device, by_device=by_device)


def read_device_revocation(payload: bytes) -> Mapping[str, UUID]:
    """The ids `id`, `device` and `by_device` of a revocation. Raises PayloadError."""
    fields = _fields(payload, "device-revocation")
    try:
        read = {name: UUID(fields[name]) for name in ("id", "device", "by_device")}
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise PayloadError("a device revocation has a wrong field") from error
    if device_revocation_payload(**read) != payload:
        raise PayloadError("a device revocation is not in canonical form")
    return read


def _fields(payload: bytes, kind: str) -> Mapping[str, Any]:
    try:
        fields = parse(payload)
    except LeafError as error:
        raise PayloadError("signed text is not canonical JSON") from error
    if not isinstance(fields, dict) or fields.get("kind") != kind:
        raise PayloadError(f"signed text is not a {kind}")
    return fields
