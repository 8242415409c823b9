"""Devices sign only once an administrator has enrolled them, and until they are revoked."""

from dataclasses import replace
from typing import Any

import pytest

from core.ledger.canonical import Json
from core.ledger.devices import revocation_payload
from core.ledger.errors import VerificationError
from core.ledger.keys import fingerprint
from core.ledger.leaf import Signed
from core.ledger.verification import LogVerifier
from tests.ledger.kit import (
    ADMIN,
    COLLEAGUE,
    OFFICER,
    Console,
    accepted,
    console,
    full_log,
    refused,
    two_devices,
    uuid,
)

LOG = full_log().encoded()
ROOT_PRINT = fingerprint(ADMIN.device.public)


def test_trusted_roots_are_the_only_ones() -> None:
    LogVerifier(trusted_roots={ROOT_PRINT}).add(0, LOG[0])
    with pytest.raises(VerificationError, match="not one of the trusted"):
        LogVerifier(trusted_roots={fingerprint(OFFICER.device.public)}).add(0, LOG[0])


def test_a_root_signs_for_itself() -> None:
    log = two_devices()
    log.enroll_device(COLLEAGUE, ADMIN, root=True)
    refused(log, "must sign for itself")


def test_a_second_root_is_reported() -> None:
    log = two_devices()
    other = console(9, "administrator")
    log.enroll_device(other, other, root=True)
    assert accepted(log).root_fingerprints == (ROOT_PRINT, fingerprint(other.device.public))


def test_only_a_root_may_sign_for_itself() -> None:
    log = two_devices()
    log.enroll_device(COLLEAGUE, COLLEAGUE)
    refused(log, "was not enrolled")


def test_only_an_administrator_enrolls() -> None:
    log = two_devices()
    log.enroll_device(COLLEAGUE, OFFICER)
    refused(log, "not an administrator's")


def test_a_revoked_administrator_enrolls_nobody() -> None:
    log = two_devices()
    log.revoke_device(ADMIN)
    log.enroll_device(COLLEAGUE, ADMIN)
    refused(log, "was revoked")


def test_a_revoked_device_does_not_come_back() -> None:
    log = two_devices()
    log.revoke_device(OFFICER)
    log.enroll_device(OFFICER, ADMIN)
    refused(log, "enrolled already")


@pytest.mark.parametrize("by", [None, ADMIN], ids=["the system", "an administrator"])
def test_the_system_or_an_administrators_device_revokes(by: Console | None) -> None:
    log = two_devices()
    log.revoke_device(OFFICER, by)
    assert accepted(log).devices == 2
    log.decide("enrollment.approved", OFFICER)
    refused(log, "was revoked")


def test_a_person_revokes_by_a_signature_only() -> None:
    log = two_devices()
    leaf = log.revoke_device(OFFICER, ADMIN)
    for bent in (replace(leaf, signed=None), replace(leaf, signed=None, device=None)):
        log.leaves[-1] = bent
        refused(log, "is not signed")


def test_only_an_administrators_device_revokes() -> None:
    log = two_devices()
    log.revoke_device(ADMIN, OFFICER)
    refused(log, "not an administrator's")


def test_nobody_who_is_not_enrolled_revokes() -> None:
    log = two_devices()
    log.revoke_device(OFFICER, COLLEAGUE)
    refused(log, "was not enrolled")
    log = two_devices()
    log.enroll_device(COLLEAGUE, ADMIN)
    log.revoke_device(ADMIN, ADMIN)  # its last act may be its own end
    log.revoke_device(OFFICER, ADMIN)
    refused(log, "was revoked")


def test_a_revocation_says_what_was_signed_and_is_its_signers() -> None:
    log = two_devices()
    leaf = log.revoke_device(OFFICER, ADMIN)
    assert leaf.signed is not None
    other = revocation_payload(
        revocation_id=uuid(1), device=ADMIN.device.id, by_device=ADMIN.device.id
    )
    log.leaves[-1] = replace(leaf, signed=ADMIN.sign(other))
    refused(log, "does not say what the entry says")
    log.leaves[-1] = replace(leaf, signed=ADMIN.sign(b"[]"))
    refused(log, "not an object")
    log.leaves[-1] = replace(leaf, signed=OFFICER.sign(leaf.signed.payload))
    refused(log, "does not hold")
    log.leaves[-1] = replace(leaf, actor=OFFICER.actor)
    refused(log, "another person")


def test_a_device_that_was_never_there_is_not_revoked() -> None:
    log = two_devices()
    log.revoke_device(COLLEAGUE)
    refused(log, "never enrolled")


def test_an_enrollment_needs_a_signature_that_holds() -> None:
    log = two_devices()
    leaf = log.enroll_device(COLLEAGUE, ADMIN)
    assert leaf.signed is not None
    log.leaves[-1] = replace(leaf, signed=None)
    refused(log, "is not signed")
    forged = Signed(leaf.signed.payload, COLLEAGUE.key.sign(leaf.signed.payload))
    log.leaves[-1] = replace(leaf, signed=forged)
    refused(log, "does not hold")


@pytest.mark.parametrize(
    "bent",
    [
        {"device": str(uuid(77))},
        {"user": str(uuid(77))},
        {"roles": ["administrator"]},
        {"roles": ["finance_officer", "administrator"]},
        {"public_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
    ],
)
def test_the_facts_are_what_was_signed(bent: dict[str, Json]) -> None:
    log = two_devices()
    leaf = log.enroll_device(COLLEAGUE, ADMIN)
    log.leaves[-1] = replace(leaf, facts={**leaf.facts, **bent})
    refused(log, "does not say what the entry says")


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        ({"device": None}, "UUID"),
        ({"user": 1}, "UUID"),
        ({"roles": "administrator"}, "not a list"),
        ({"roles": {}}, "not a list"),
        ({"roles": [1]}, "text is missing"),
        ({"roles": None}, "not a list"),
        ({"public_key": "AAAA"}, "32 bytes"),
        ({"root": None}, "whether the device is a root"),
        ({"root": 0}, "whether the device is a root"),
    ],
)
def test_malformed_facts_are_refused(bent: dict[str, Json], reason: str) -> None:
    log = two_devices()
    leaf = log.enroll_device(COLLEAGUE, ADMIN)
    log.leaves[-1] = replace(leaf, facts={**leaf.facts, **bent})
    refused(log, reason)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "UUID"),
        (b'{"id":1,"by_device":[]}', "UUID"),
    ],
)
def test_a_malformed_enrollment_payload_is_refused(payload: bytes, reason: str) -> None:
    log = two_devices()
    log.enroll_device(COLLEAGUE, ADMIN, signed=ADMIN.sign(payload))
    refused(log, reason)


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        ({"actor": OFFICER.actor}, "another person"),
        ({"actor": "gateway"}, "another person"),
        ({"device": OFFICER.device.id}, "another device"),
    ],
)
def test_an_enrollment_names_who_signed(bent: dict[str, Any], reason: str) -> None:
    log = two_devices()
    log.leaves[-1] = replace(log.enroll_device(COLLEAGUE, ADMIN), **bent)
    refused(log, reason)


def test_the_system_may_write_down_what_an_administrator_signed() -> None:
    log = two_devices()
    log.leaves[-1] = replace(log.enroll_device(COLLEAGUE, ADMIN), actor="system", device=None)
    assert accepted(log).devices == 3
