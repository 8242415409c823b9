"""Signed bytes: one form each, and nothing but that form is read."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.decisions import Decision, ReasonCode, Verdict
from core.domain.roles import Role
from core.ledger.canonical import canonical
from core.protocol.messages import EnrollmentRow
from core.protocol.signing import (
    PayloadError,
    decision_payload,
    device_payload,
    read_decision,
    read_device_payload,
    seen_digest,
    seen_facts,
)
from tests.protocol.build import NOW, row

NUMBERS = st.integers(0, 2**53 - 1)
DECISIONS = st.builds(
    Decision,
    id=st.uuids(),
    officer=st.uuids(),
    device=st.uuids(),
    n=NUMBERS,
    as_of=NUMBERS,
    enrollment=st.uuids(),
    expected_version=NUMBERS,
    seen=st.sampled_from(["ab" * 32, "cd" * 32]),
    verdict=st.sampled_from(Verdict),
    reason_code=st.none() | st.sampled_from(ReasonCode),
    reason_commitment=st.none() | st.just("ef" * 32),
    amount_received=st.none() | NUMBERS,
)
ONE = Decision(
    id=UUID(int=1), officer=UUID(int=2), device=UUID(int=3), n=4, as_of=5, enrollment=UUID(int=6),
    expected_version=7, seen="ab" * 32, verdict=Verdict.APPROVE,
)  # fmt: skip


@given(DECISIONS)
def test_a_decision_is_read_as_it_was_written(decision: Decision) -> None:
    assert read_decision(decision_payload(decision)) == decision


def test_the_golden_bytes_of_a_decision() -> None:
    """Kept in ledgers for ever: a change here makes old signatures unreadable."""
    assert decision_payload(ONE) == (
        b'{"amount_received":null,"as_of":5,"device":"00000000-0000-0000-0000-000000000003",'
        b'"enrollment":"00000000-0000-0000-0000-000000000006","expected_version":7,'
        b'"id":"00000000-0000-0000-0000-000000000001","kind":"decision","n":4,'
        b'"officer":"00000000-0000-0000-0000-000000000002","reason_code":null,'
        b'"reason_commitment":null,"seen":"' + b"ab" * 32 + b'","verdict":"approve"}'
    )


_WRONG: list[object] = [None, "", -1, 1.5, True, [], {}, "x", 2**60]


@given(st.sampled_from(sorted(json.loads(decision_payload(ONE)))), st.sampled_from(_WRONG))
def test_a_wrong_field_is_refused(field: str, value: object) -> None:
    fields = json.loads(decision_payload(ONE))
    if fields[field] == value or (field == "seen" and value in ("", "x")):
        return
    if field == "reason_commitment" and value in ("", "x"):
        return  # texts are judged where they are compared
    fields[field] = value
    with pytest.raises(PayloadError):
        read_decision(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())


def test_other_forms_of_the_same_decision_are_refused() -> None:
    payload = decision_payload(ONE)
    fields = json.loads(payload)
    for other in (
        json.dumps(fields).encode(),
        payload + b" ",
        payload.replace(b'"n":4', b'"n":4,"extra":1'),
        payload.replace(b'"n":4,', b""),
        payload.replace(b'"decision"', b'"device-enrollment"'),
        b"",
        b"[]",
        b"\xff",
    ):
        with pytest.raises(PayloadError):
            read_decision(other)


def device_bytes(**changed: object) -> bytes:
    fields = {
        "id": UUID(int=1), "device": UUID(int=2), "user": UUID(int=3),
        "roles": frozenset({Role.OFFICER, Role.ADMINISTRATOR}), "public_key": "AA==",
        "by_device": UUID(int=4),
    }  # fmt: skip
    return device_payload(**(fields | changed))  # type: ignore[arg-type]  # wrong on purpose


def test_a_device_enrollment_is_read_as_it_was_written() -> None:
    read = read_device_payload(device_bytes())
    assert read["roles"] == {Role.OFFICER, Role.ADMINISTRATOR}
    assert device_payload(**read) == device_bytes()


@pytest.mark.parametrize(
    "payload",
    [
        device_bytes(public_key=5),
        device_bytes().replace(b'"officer"', b'"nobody"'),
        device_bytes().replace(b'["administrator","officer"]', b'["officer","administrator"]'),
        device_bytes().replace(b'"id":', b'"no":'),
        decision_payload(ONE),
    ],
    ids=["key is no text", "unknown role", "roles unsorted", "no id", "a decision"],
)
def test_a_wrong_device_enrollment_is_refused(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        read_device_payload(payload)


def test_the_digest_covers_everything_that_is_shown() -> None:
    shown = row()
    assert shown.claim is not None
    signature = {"officer": UUID(int=9), "officer_name": "T", "at": NOW}
    changes: list[dict[str, object]] = [
        {"enrollment": UUID(int=77)},
        {"version": 99},
        {"student": shown.student.model_copy(update={"name": "Somebody Else"})},
        {"student": shown.student.model_copy(update={"email": "else@example.org"})},
        {"course": UUID(int=77)},
        {"method": None},
        {"reference": "OTHER"},
        {"amount_cents": 1},
        {"claim": None},
        {"claim": shown.claim.model_copy(update={"amount_cents": 1})},
        {"claim": shown.claim.model_copy(update={"proof": "ab" * 32})},
        {"claim": shown.claim.model_copy(update={"first_signature": signature})},
    ]
    digests = {digest(shown.model_copy(update=change)) for change in changes}
    assert len(digests | {digest(shown)}) == len(changes) + 1


def digest(shown: EnrollmentRow) -> str:
    return seen_digest(seen_facts(shown))


def test_the_facts_are_canonical_and_hold_no_name() -> None:
    facts = seen_facts(row())
    assert "Mokoena" not in repr(facts)
    assert replace(facts, version=2) != facts
    assert canonical(facts.reference)
