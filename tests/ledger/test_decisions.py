"""A decision in the log is what the officer signed: nobody can make, bend or repeat one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.ledger.canonical import Json, canonical
from core.ledger.leaf import Leaf, Signed
from tests.ledger.kit import (
    ADMIN,
    COLLEAGUE,
    OFFICER,
    accepted,
    refused,
    two_devices,
    uuid,
)

DECISIONS = ["enrollment.approved", "enrollment.rejected", "enrollment.first_signature"]
ALL_DECISIONS = [*DECISIONS, "decision.refused"]


@pytest.mark.parametrize("action", ALL_DECISIONS)
def test_a_signed_decision_is_accepted(action: str) -> None:
    log = two_devices()
    log.decide(action, OFFICER)
    assert accepted(log).decisions_verified == 1


@pytest.mark.parametrize("action", ALL_DECISIONS)
def test_a_persons_decision_must_be_signed(action: str) -> None:
    log = two_devices()
    log.leaves[-1] = replace(log.decide(action, OFFICER), signed=None)
    refused(log, "a person's decision is not signed")


@pytest.mark.parametrize("action", DECISIONS)
@pytest.mark.parametrize("actor", ["system", "gateway", f"student:{uuid(3001)}"])
def test_nobody_else_decides(action: str, actor: str) -> None:
    log = two_devices()
    log.entry(action, actor=actor, before=2, after=3)
    if (action, actor) == ("enrollment.approved", "gateway"):
        assert accepted(log).decisions_verified == 0
    else:
        refused(log, "nobody who may decide")


def test_the_gateway_does_not_speak_for_an_officer() -> None:
    log = two_devices()
    log.leaves[-1] = replace(log.decide("enrollment.approved", OFFICER), actor="gateway")
    refused(log, "actor is no officer")


def test_a_refused_attempt_may_come_from_no_officer() -> None:
    log = two_devices()
    log.entry("decision.refused", actor="system")
    assert accepted(log).decisions_verified == 0


BENT: list[tuple[dict[str, Any], str]] = [
    ({"officer": str(ADMIN.device.user)}, "another officer"),
    ({"device": str(ADMIN.device.id)}, "another device"),
    ({"enrollment": str(uuid(2))}, "another enrollment"),
    ({"officer": None}, "UUID"),
    ({"device": 1}, "UUID"),
    ({"enrollment": []}, "UUID"),
    ({"verdict": "maybe"}, "verdict"),
    ({"verdict": []}, "text is missing"),
    ({"verdict": None}, "text is missing"),
    ({"n": None}, "no number"),
    ({"n": True}, "no number"),
    ({"n": -1}, "no number"),
    ({"n": "1"}, "no number"),
]


@pytest.mark.parametrize("action", ALL_DECISIONS)
@pytest.mark.parametrize(("bent", "reason"), BENT)
def test_what_was_signed_is_what_was_done(action: str, bent: dict[str, Any], reason: str) -> None:
    log = two_devices()
    log.enrollment(2)
    payload: dict[str, Json] = {
        "officer": str(OFFICER.device.user),
        "device": str(OFFICER.device.id),
        "enrollment": str(uuid(1)),
        "n": 1,
        "verdict": "reject" if action == "enrollment.rejected" else "approve",
    }
    leaf = log.decide(action, OFFICER)
    log.leaves[-1] = replace(leaf, signed=OFFICER.sign(canonical(payload)))
    accepted(log)
    log.leaves[-1] = replace(leaf, signed=OFFICER.sign(canonical({**payload, **bent})))
    refused(log, reason)


@pytest.mark.parametrize("action", DECISIONS)
def test_the_opposite_verdict_is_refused(action: str) -> None:
    log = two_devices()
    verdict = "approve" if action == "enrollment.rejected" else "reject"
    log.decide(action, OFFICER, verdict=verdict)
    refused(log, "the signed verdict")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "UUID"),
        (b'{"n":1,"n":2}', "comes twice"),
    ],
)
def test_a_malformed_decision_is_refused(payload: bytes, reason: str) -> None:
    log = two_devices()
    leaf = log.decide("enrollment.approved", OFFICER)
    log.leaves[-1] = replace(leaf, signed=OFFICER.sign(payload))
    refused(log, reason)


def test_an_approval_holds_for_the_version_the_officer_saw() -> None:
    log = two_devices()
    log.entry("enrollment.facts_changed", before=2, after=3, facts={"cents": 1})
    log.decide("enrollment.approved", OFFICER, before=3, after=4)
    refused(log, "another version")


def test_a_signed_decision_is_applied_once() -> None:
    log = two_devices()
    log.decide("enrollment.approved", OFFICER)
    log.decide("enrollment.approved", OFFICER, before=3, after=4, expected_version=3)
    refused(log, "applied before")


def test_a_refused_attempt_does_not_use_the_number_up() -> None:
    log = two_devices()
    log.decide("decision.refused", OFFICER, before=2, after=2)
    log.decide("enrollment.approved", OFFICER)
    log.decide("decision.refused", OFFICER, before=3, after=3)
    assert accepted(log).decisions_verified == 3


def test_the_same_number_of_two_devices_is_two_decisions() -> None:
    log = two_devices()
    log.enroll_device(COLLEAGUE, ADMIN)
    log.decide("enrollment.first_signature", OFFICER)
    log.decide("enrollment.approved", COLLEAGUE, before=3, after=4, expected_version=3)
    assert accepted(log).decisions_verified == 2


@pytest.mark.parametrize(
    ("bend", "reason"),
    [
        (lambda leaf: replace(leaf, actor=ADMIN.actor), "another person"),
        (lambda leaf: replace(leaf, device=ADMIN.device.id), "another person"),
        (lambda leaf: replace(leaf, device=None), "names no device"),
        (lambda leaf: replace(leaf, device=COLLEAGUE.device.id), "not enrolled"),
        (lambda leaf: replace(leaf, subject=f"enrollment:{uuid(2)}", before=None), "version"),
    ],
)
@pytest.mark.parametrize("action", ["enrollment.approved", "enrollment.reversed"])
def test_who_signed_is_who_acted(action: str, bend: Callable[[Leaf], Leaf], reason: str) -> None:
    log = two_devices()
    log.leaves[-1] = bend(log.decide(action, OFFICER))
    refused(log, reason)


def test_every_signature_must_hold() -> None:
    log = two_devices()
    leaf = log.decide("enrollment.reversed", OFFICER)
    assert leaf.signed is not None
    accepted(log)
    forged = Signed(leaf.signed.payload, ADMIN.key.sign(leaf.signed.payload))
    log.leaves[-1] = replace(leaf, signed=forged)
    refused(log, "does not hold")


@pytest.mark.parametrize("action", [*DECISIONS, "enrollment.reversed"])
def test_a_revoked_device_signs_nothing_later(action: str) -> None:
    log = two_devices()
    log.revoke_device(OFFICER)
    log.decide(action, OFFICER)
    refused(log, "was revoked")


def test_a_revoked_devices_attempt_is_kept_as_evidence() -> None:
    log = two_devices()
    log.revoke_device(OFFICER)
    log.decide("decision.refused", OFFICER, before=2, after=2)
    assert accepted(log).decisions_verified == 1
    leaf = log.decide("decision.refused", OFFICER, before=2, after=2)
    assert leaf.signed is not None
    log.leaves[-1] = replace(leaf, signed=Signed(leaf.signed.payload, bytes(64)))
    refused(log, "does not hold")


@pytest.mark.parametrize(
    ("action", "verdict"),
    [
        ("enrollment.approval_reversed", "reverse_approval"),
        ("enrollment.rejection_reversed", "reverse_rejection"),
        ("enrollment.reinstated", "reinstate"),
    ],
)
def test_a_reversal_is_a_signed_decision_too(action: str, verdict: str) -> None:
    log = two_devices()
    log.decide(action, OFFICER, verdict=verdict)
    assert accepted(log).decisions_verified == 1
    log = two_devices()
    log.decide(action, OFFICER, verdict="approve")
    refused(log, "the signed verdict is not what the entry says")
    log = two_devices()
    log.leaves[-1] = replace(log.decide(action, OFFICER, verdict=verdict), signed=None)
    refused(log, "a person's decision is not signed")
