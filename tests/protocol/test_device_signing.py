"""What consoles sign about devices: read back exactly, and only in canonical form."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import UUID

import pytest

from core.domain.roles import Role
from core.ledger.devices import revocation_payload
from core.protocol.signing import (
    PayloadError,
    device_request_payload,
    device_revocation_payload,
    read_device_payload,
    read_device_request,
    read_device_revocation,
)

A, B, C = (UUID(int=number) for number in (1, 2, 3))
REQUEST: dict[str, Any] = {
    "id": A,
    "device": B,
    "user": C,
    "roles": frozenset({Role.OFFICER, Role.SUPERVISOR}),
    "public_key": base64.b64encode(bytes(32)).decode(),
}
REVOCATION = {"id": A, "device": B, "by_device": C}


def test_a_request_is_read_as_it_was_written() -> None:
    assert read_device_request(device_request_payload(**REQUEST)) == REQUEST


def test_a_revocation_is_read_as_it_was_written_and_as_the_ledger_writes_it() -> None:
    payload = device_revocation_payload(**REVOCATION)
    assert read_device_revocation(payload) == REVOCATION
    assert payload == revocation_payload(revocation_id=A, device=B, by_device=C)


def test_one_is_never_taken_for_another() -> None:
    request, revocation = device_request_payload(**REQUEST), device_revocation_payload(**REVOCATION)
    for read, payload in (
        (read_device_request, revocation),
        (read_device_revocation, request),
        (read_device_payload, request),
        (read_device_payload, revocation),
    ):
        with pytest.raises(PayloadError):
            read(payload)


@pytest.mark.parametrize(
    "bent",
    [{"id": 5}, {"device": None}, {"roles": "officer"}, {"roles": ["king"]}, {"user": "nobody"},
     {"public_key": 5}, {"more": 1}],
)  # fmt: skip
def test_a_bent_request_is_not_read(bent: dict[str, Any]) -> None:
    fields = json.loads(device_request_payload(**REQUEST)) | bent
    with pytest.raises(PayloadError):
        read_device_request(json.dumps(fields, separators=(",", ":"), sort_keys=True).encode())


@pytest.mark.parametrize("bent", [{"id": 5}, {"by_device": None}, {"device": "x"}, {"more": 1}])
def test_a_bent_revocation_is_not_read(bent: dict[str, Any]) -> None:
    fields = json.loads(device_revocation_payload(**REVOCATION)) | bent
    with pytest.raises(PayloadError):
        read_device_revocation(json.dumps(fields, separators=(",", ":"), sort_keys=True).encode())


def test_other_bytes_of_the_same_meaning_are_not_read() -> None:
    request = device_request_payload(**REQUEST)
    revocation = device_revocation_payload(**REVOCATION)
    for wrong in (request.replace(b":", b": ", 1), request + b" ", b"[]", b"\xff"):
        with pytest.raises(PayloadError):
            read_device_request(wrong)
    for wrong in (revocation.replace(b":", b": ", 1), revocation.replace(b"0", b"O")):
        with pytest.raises(PayloadError):
            read_device_revocation(wrong)
