"""What a callback says: JSON and forms alike, and nothing that is not one of its fields."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from core.backend.gateway.callback import Callback, failure_of, read_callback
from core.domain.failures import FailureClass

SAID = {
    "paylinkID": "2zh1zj6y8xpb0g3", "status": "SUCCESS", "externalTransactionID": "TRANS789",
    "responseCode": "00", "text": "Approved",
}  # fmt: skip


@pytest.mark.parametrize("form", [False, True])
def test_a_callback_is_read(form: bool) -> None:
    raw = urlencode(SAID) if form else json.dumps(SAID)
    assert read_callback(raw.encode()) == Callback(
        link_id="2zh1zj6y8xpb0g3", success=True, external_id="TRANS789", code="00"
    )


def test_what_may_be_missing_may_be_missing() -> None:
    read = read_callback(b'{"paylinkID":"a","status":"FAILURE"}')
    assert read == Callback(link_id="a", success=False, external_id=None, code=None)
    assert read.failure is FailureClass.UNKNOWN


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "PAID"},
        {"status": "success"},
        {"status": True},
        {"paylinkID": ""},
        {"paylinkID": 7},
        {"paylinkID": "x" * 201},
        {"paylinkID": None},
    ],
    ids=repr,
)
def test_what_is_no_callback_is_none(changes: dict[str, object]) -> None:
    assert read_callback(json.dumps(SAID | changes).encode()) is None


def test_only_known_codes_say_why() -> None:
    assert failure_of("51") is FailureClass.INSUFFICIENT_FUNDS
    assert failure_of("54") is FailureClass.EXPIRED_CARD
    assert failure_of("05") is FailureClass.DECLINED
    for unknown in (None, "", "00", "ZZ", "5"):
        assert failure_of(unknown) is FailureClass.UNKNOWN
