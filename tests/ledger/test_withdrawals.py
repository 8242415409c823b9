"""A withdrawal in the log: signed like the decision, and from then on that number is dead."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.ledger.canonical import Json, canonical
from core.ledger.leaf import Signed
from tests.ledger.kit import ADMIN, COLLEAGUE, OFFICER, accepted, refused, two_devices, uuid

ACTIONS = ["decision.withdrawn", "withdrawal.refused"]
APPROVED = "enrollment.approved"


@pytest.mark.parametrize("action", ACTIONS)
def test_a_signed_withdrawal_is_accepted_and_is_no_decision(action: str) -> None:
    log = two_devices()
    log.withdraw(OFFICER, action=action)
    assert accepted(log).decisions_verified == 0


def test_a_withdrawn_number_is_never_applied() -> None:
    log = two_devices()
    log.withdraw(OFFICER)
    log.decide("decision.refused", OFFICER, before=2, after=2)  # the attempt is evidence
    accepted(log)
    log.decide(APPROVED, OFFICER)
    refused(log, "withdrawn before")


def test_an_applied_number_is_never_withdrawn() -> None:
    log = two_devices()
    log.decide(APPROVED, OFFICER)
    log.withdraw(OFFICER, action="withdrawal.refused", before=3, after=3)
    accepted(log)
    log.withdraw(OFFICER, before=3, after=3)
    refused(log, "applied before")


def test_a_refused_withdrawal_withdraws_nothing() -> None:
    log = two_devices()
    log.withdraw(OFFICER, action="withdrawal.refused")
    log.decide(APPROVED, OFFICER)
    assert accepted(log).decisions_verified == 1


def test_withdrawn_twice_or_after_a_refusal_or_by_another_device() -> None:
    log = two_devices()
    log.enroll_device(COLLEAGUE, ADMIN)
    log.decide("decision.refused", OFFICER, before=2, after=2)
    log.withdraw(OFFICER)
    log.withdraw(OFFICER)
    log.decide(APPROVED, COLLEAGUE)  # the same number of another device
    assert accepted(log).decisions_verified == 2


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("actor", ["system", "gateway", OFFICER.actor])
def test_nobody_withdraws_without_a_signature(action: str, actor: str) -> None:
    log = two_devices()
    log.entry(action, actor=actor, device=OFFICER.device.id, before=2, after=2)
    refused(log, "not signed|nobody who may decide")


BENT: list[tuple[dict[str, Json], str]] = [
    ({"kind": "decision"}, "not a withdrawal"),
    ({"officer": str(ADMIN.device.user)}, "another officer"),
    ({"device": str(ADMIN.device.id)}, "another device"),
    ({"enrollment": str(uuid(2))}, "another enrollment"),
    ({"decision": None}, "UUID"),
    ({"n": -1}, "no number"),
    ({"n": True}, "no number"),
]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(("bent", "reason"), BENT)
def test_what_was_signed_is_what_was_withdrawn(
    action: str, bent: dict[str, Json], reason: str
) -> None:
    log = two_devices()
    leaf = log.withdraw(OFFICER, action=action)
    assert leaf.signed is not None
    payload = json.loads(leaf.signed.payload) | bent
    log.leaves[-1] = replace(leaf, signed=OFFICER.sign(canonical(payload)))
    refused(log, reason)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_decision_is_no_withdrawal_and_a_withdrawal_no_decision(action: str) -> None:
    log = two_devices()
    log.leaves[-1] = replace(log.decide(APPROVED, OFFICER, after=2), action=action)
    refused(log, "not a withdrawal")
    log = two_devices()
    log.leaves[-1] = replace(log.withdraw(OFFICER, after=3), action=APPROVED)
    refused(log, "text is missing")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_withdrawal_raises_no_version(action: str) -> None:
    log = two_devices()
    log.withdraw(OFFICER, action=action, after=3)
    refused(log, "changes nothing")


@pytest.mark.parametrize("action", ACTIONS)
def test_the_signature_must_hold(action: str) -> None:
    log = two_devices()
    leaf = log.withdraw(OFFICER, action=action)
    assert leaf.signed is not None
    log.leaves[-1] = replace(leaf, signed=Signed(leaf.signed.payload, bytes(64)))
    refused(log, "does not hold")


def test_a_revoked_device_withdraws_nothing_but_its_attempt_is_kept() -> None:
    log = two_devices()
    log.revoke_device(OFFICER)
    log.withdraw(OFFICER, action="withdrawal.refused")
    accepted(log)
    log.withdraw(OFFICER)
    refused(log, "was revoked")
