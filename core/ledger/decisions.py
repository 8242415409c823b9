"""The rules a decision entry must keep: signed by the officer's own device, and used once.

The signed payload of a decision is a JSON object with officer, device, enrollment, n and verdict,
and more that is not judged here. Where it names the version the officer saw (`expected_version`),
an applied decision must start from that version.

The officer can withdraw a decision that was not carried out: signed like it (kind `withdrawal`,
officer, device, enrollment, decision, n). From then on nothing with that device and n is applied,
and what was applied is never withdrawn.
"""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from core.ledger.canonical import Json, parse
from core.ledger.devices import Device, DeviceRegistry
from core.ledger.errors import VerificationError
from core.ledger.leaf import Leaf, Signed
from core.ledger.text import read_text, read_uuid

APPROVED = "enrollment.approved"
REFUSED = "decision.refused"
WITHDRAWN = "decision.withdrawn"
WITHDRAWAL_REFUSED = "withdrawal.refused"
GATEWAY = "gateway"

_WITHDRAWALS = frozenset({WITHDRAWN, WITHDRAWAL_REFUSED})
# A revoked device's attempt is evidence, not a decision; otherwise whoever holds a revoked key
# could make a sound log fail.
_ATTEMPTS = frozenset({REFUSED, WITHDRAWAL_REFUSED})

# What an applied decision's payload must say. A refused one may have asked for any.
_VERDICTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        APPROVED: frozenset({"approve"}),
        "enrollment.first_signature": frozenset({"approve"}),
        "enrollment.rejected": frozenset({"reject"}),
        "enrollment.approval_reversed": frozenset({"reverse_approval"}),
        "enrollment.rejection_reversed": frozenset({"reverse_rejection"}),
        "enrollment.reinstated": frozenset({"reinstate"}),
        REFUSED: frozenset(
            {"approve", "reject", "reverse_approval", "reverse_rejection", "reinstate"}
        ),
    }
)


def is_decision(leaf: Leaf) -> bool:
    """Whether the entry is one that these rules are about."""
    return leaf.action in _VERDICTS or leaf.action in _WITHDRAWALS


class DecisionRules:
    """Checks decision entries in order; remembers which (device, n) were applied or withdrawn.

    `verified` counts the signed decisions, not the withdrawals.
    """

    def __init__(self, devices: DeviceRegistry) -> None:
        self._devices = devices
        self._applied: set[tuple[UUID, int]] = set()
        self._withdrawn: set[tuple[UUID, int]] = set()
        self.verified = 0

    def check(self, leaf: Leaf) -> None:
        """Raises `LedgerError` where a rule is broken."""
        if not leaf.actor.startswith("user:"):
            _check_unsigned(leaf)
            return
        if leaf.signed is None:
            raise VerificationError("a person's decision is not signed")
        device = self._devices.signer(leaf, leaf.signed, even_revoked=leaf.action in _ATTEMPTS)
        payload = _read_payload(leaf.signed)
        _check_who(payload, device)
        key = (device.id, _read_number(payload))
        if leaf.action in _WITHDRAWALS:
            self._check_withdrawal(payload, leaf, key)
            return
        _check_what(payload, leaf)
        if leaf.action != REFUSED:
            _check_seen(payload, leaf)
            self._use(key)
        self.verified += 1

    def _use(self, key: tuple[UUID, int]) -> None:
        if key in self._applied:
            raise VerificationError("the same signed decision was applied before")
        if key in self._withdrawn:
            raise VerificationError("the signed decision was withdrawn before")
        self._applied.add(key)

    def _check_withdrawal(
        self, payload: Mapping[str, Json], leaf: Leaf, key: tuple[UUID, int]
    ) -> None:
        if payload.get("kind") != "withdrawal":
            raise VerificationError("the signed text is not a withdrawal")
        read_uuid(payload.get("decision"))
        _check_subject(payload, leaf)
        if leaf.before != leaf.after:
            raise VerificationError("a withdrawal changes nothing but its decision")
        if leaf.action == WITHDRAWAL_REFUSED:
            return
        if key in self._applied:
            raise VerificationError("the withdrawn decision was applied before")
        self._withdrawn.add(key)


def _check_unsigned(leaf: Leaf) -> None:
    """Card approvals rest on the gateway's word; everything else that applies is a person's."""
    if leaf.signed is not None:
        raise VerificationError("a decision is signed but its actor is no officer")
    if leaf.action == REFUSED or (leaf.action == APPROVED and leaf.actor == GATEWAY):
        return
    raise VerificationError("a decision was made by nobody who may decide")


def _read_payload(signed: Signed) -> Mapping[str, Json]:
    payload = parse(signed.payload)
    if not isinstance(payload, dict):
        raise VerificationError("the signed text is not an object")
    return payload


def _read_number(payload: Mapping[str, Json]) -> int:
    number = payload.get("n")
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise VerificationError("the signed decision has no number")
    return number


def _check_who(payload: Mapping[str, Json], device: Device) -> None:
    if read_uuid(payload.get("officer")) != device.user:
        raise VerificationError("the signed decision names another officer")
    if read_uuid(payload.get("device")) != device.id:
        raise VerificationError("the signed decision names another device")


def _check_subject(payload: Mapping[str, Json], leaf: Leaf) -> None:
    if leaf.subject != f"enrollment:{read_uuid(payload.get('enrollment'))}":
        raise VerificationError("the signed decision is about another enrollment")


def _check_what(payload: Mapping[str, Json], leaf: Leaf) -> None:
    _check_subject(payload, leaf)
    if read_text(payload.get("verdict")) not in _VERDICTS[leaf.action]:
        raise VerificationError("the signed verdict is not what the entry says")


def _check_seen(payload: Mapping[str, Json], leaf: Leaf) -> None:
    if "expected_version" in payload and payload["expected_version"] != leaf.before:
        raise VerificationError("the decision was signed for another version of the enrollment")
