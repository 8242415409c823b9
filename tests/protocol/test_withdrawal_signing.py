"""The signed bytes of a withdrawal: one form, and nothing but that form is read."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.protocol.signing import (
    PayloadError,
    Withdrawal,
    read_decision,
    read_withdrawal,
    withdrawal_payload,
)

ONE = Withdrawal(
    id=UUID(int=1),
    officer=UUID(int=2),
    device=UUID(int=3),
    n=4,
    decision=UUID(int=5),
    enrollment=UUID(int=6),
)
_WRONG: list[object] = [None, True, -1, 1.5, "", "x", [], {}]
WRONG = st.sampled_from(_WRONG)


@given(
    st.builds(
        Withdrawal,
        id=st.uuids(),
        officer=st.uuids(),
        device=st.uuids(),
        n=st.integers(0, 2**53 - 1),
        decision=st.uuids(),
        enrollment=st.uuids(),
    )
)
def test_a_withdrawal_is_read_as_it_was_written(withdrawal: Withdrawal) -> None:
    assert read_withdrawal(withdrawal_payload(withdrawal)) == withdrawal


def test_the_golden_bytes_of_a_withdrawal() -> None:
    """Frozen: ledgers hold them."""
    assert withdrawal_payload(ONE) == (
        b'{"decision":"00000000-0000-0000-0000-000000000005",'
        b'"device":"00000000-0000-0000-0000-000000000003",'
        b'"enrollment":"00000000-0000-0000-0000-000000000006",'
        b'"id":"00000000-0000-0000-0000-000000000001","kind":"withdrawal","n":4,'
        b'"officer":"00000000-0000-0000-0000-000000000002"}'
    )


@given(st.sampled_from(sorted(json.loads(withdrawal_payload(ONE)))), WRONG)
def test_a_wrong_field_is_refused(name: str, value: object) -> None:
    fields = json.loads(withdrawal_payload(ONE)) | {name: value}
    payload = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(PayloadError):
        read_withdrawal(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        withdrawal_payload(ONE) + b" ",
        withdrawal_payload(ONE).replace(b'"withdrawal"', b'"decision"'),
        withdrawal_payload(ONE).replace(b'{"decision"', b'{"a":1,"decision"'),
        withdrawal_payload(ONE).replace(b'"n":4', b'"n":4.0'),
        withdrawal_payload(ONE).replace(b"-000000000005", b"-00000000000A"),
    ],
    ids=["empty", "list", "space", "kind", "field", "float", "capital"],
)
def test_other_forms_are_refused(payload: bytes) -> None:
    with pytest.raises(PayloadError):
        read_withdrawal(payload)


def test_it_is_never_taken_for_a_decision() -> None:
    with pytest.raises(PayloadError):
        read_decision(withdrawal_payload(ONE))
