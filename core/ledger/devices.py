"""Which devices may sign, as the log itself tells it: entries that enroll and revoke devices.

`device.enrolled` has the facts device, user, roles, public_key (base64) and root, and is signed
over `enrollment_payload`: by an administrator's device that is enrolled and not revoked, or, for a
root, by the new device itself. `device.revoked` has the fact device, and is signed over
`revocation_payload` by an administrator's device; only the system (somebody at the machine itself)
revokes without a signature, which can lock out but never let in. A device id is enrolled once,
ever.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from uuid import UUID

from core.ledger.canonical import Json, canonical, parse
from core.ledger.errors import VerificationError
from core.ledger.keys import PUBLIC_BYTES, fingerprint, verify
from core.ledger.leaf import Leaf, Signed
from core.ledger.text import read_base64, read_text, read_uuid, write_base64

ENROLLED = "device.enrolled"
REVOKED = "device.revoked"
ADMINISTRATOR = "administrator"
SYSTEM = "system"


@dataclass(frozen=True)
class Device:
    """An enrolled device: its user, that user's roles on it, and its public key (32 bytes)."""

    id: UUID
    user: UUID
    roles: tuple[str, ...]
    public: bytes


def enrollment_payload(*, enrollment_id: UUID, device: Device, by_device: UUID) -> bytes:
    """The exact bytes that are signed to enroll `device`; `by_device` is the one that signs."""
    return canonical(
        {
            "kind": "device-enrollment",
            "id": str(enrollment_id),
            "device": str(device.id),
            "user": str(device.user),
            "roles": list(device.roles),
            "public_key": write_base64(device.public),
            "by_device": str(by_device),
        }
    )


def revocation_payload(*, revocation_id: UUID, device: UUID, by_device: UUID) -> bytes:
    """The exact bytes that are signed to revoke `device`; `by_device` is the one that signs."""
    return canonical(
        {
            "kind": "device-revocation",
            "id": str(revocation_id),
            "device": str(device),
            "by_device": str(by_device),
        }
    )


class DeviceRegistry:
    """The devices of a log, entry by entry. Each method raises `LedgerError` for a broken rule.

    With `trusted_roots` (fingerprints) no other root is accepted; without, all are, and reported.
    """

    def __init__(self, trusted_roots: Set[str] | None) -> None:
        self._trusted_roots = trusted_roots
        self._devices: dict[UUID, Device] = {}
        self._revoked: set[UUID] = set()
        self._root_fingerprints: list[str] = []

    def __len__(self) -> int:
        return len(self._devices)

    @property
    def root_fingerprints(self) -> tuple[str, ...]:
        """Of the roots seen, in the order of their entries."""
        return tuple(self._root_fingerprints)

    def enroll(self, leaf: Leaf) -> None:
        """Apply a `device.enrolled` entry."""
        device, is_root = _read_facts(leaf)
        if device.id in self._devices:
            raise VerificationError("the device is enrolled already")
        if leaf.signed is None:
            raise VerificationError("the enrollment of a device is not signed")
        by_device = _read_signer(leaf.signed, device)
        signer = self._check_root(device, by_device) if is_root else self._administrator(by_device)
        if leaf.device not in {None, signer.id}:
            raise VerificationError("the entry names another device than the one that signed")
        if leaf.actor not in {"system", f"user:{signer.user}"}:
            raise VerificationError("the entry names another person than the one who signed")
        if not verify(signer.public, leaf.signed.payload, leaf.signed.signature):
            raise VerificationError("the signature does not hold")
        self._devices[device.id] = device
        if is_root:
            self._root_fingerprints.append(fingerprint(device.public))

    def revoke(self, leaf: Leaf) -> None:
        """Apply a `device.revoked` entry."""
        device = read_uuid(leaf.facts.get("device"))
        if device not in self._devices:
            raise VerificationError("the revoked device was never enrolled")
        if leaf.signed is not None:
            self._check_revocation(leaf, leaf.signed, device)
        elif leaf.actor != SYSTEM:
            raise VerificationError("a person's revocation of a device is not signed")
        self._revoked.add(device)

    def signer(self, leaf: Leaf, signed: Signed, *, even_revoked: bool = False) -> Device:
        """The device that rightly signed this entry: the entry's own, and its user is the actor."""
        if leaf.device is None:
            raise VerificationError("the entry is signed but names no device")
        device = self._enrolled(leaf.device, even_revoked=even_revoked)
        if leaf.actor != f"user:{device.user}":
            raise VerificationError("the device that signed belongs to another person")
        if not verify(device.public, signed.payload, signed.signature):
            raise VerificationError("the signature does not hold")
        return device

    def _check_revocation(self, leaf: Leaf, signed: Signed, device: UUID) -> None:
        signer = self._administrator(self.signer(leaf, signed).id)
        payload = parse(signed.payload)
        if not isinstance(payload, dict):
            raise VerificationError("the signed text is not an object")
        expected = revocation_payload(
            revocation_id=read_uuid(payload.get("id")), device=device, by_device=signer.id
        )
        if signed.payload != expected:
            raise VerificationError("the signed text does not say what the entry says")

    def _enrolled(self, device_id: UUID, *, even_revoked: bool) -> Device:
        device = self._devices.get(device_id)
        if device is None:
            raise VerificationError("the device that signed was not enrolled by an earlier entry")
        if device_id in self._revoked and not even_revoked:
            raise VerificationError("the device that signed was revoked by an earlier entry")
        return device

    def _administrator(self, device_id: UUID) -> Device:
        device = self._enrolled(device_id, even_revoked=False)
        if ADMINISTRATOR not in device.roles:
            raise VerificationError("the device that signed is not an administrator's")
        return device

    def _check_root(self, device: Device, by_device: UUID) -> Device:
        if by_device != device.id:
            raise VerificationError("a root device must sign for itself")
        if (
            self._trusted_roots is not None
            and fingerprint(device.public) not in self._trusted_roots
        ):
            raise VerificationError("the root device is not one of the trusted ones")
        return device


def _read_facts(leaf: Leaf) -> tuple[Device, bool]:
    facts = leaf.facts
    is_root = facts.get("root")
    if not isinstance(is_root, bool):
        raise VerificationError("the entry does not say whether the device is a root")
    device = Device(
        id=read_uuid(facts.get("device")),
        user=read_uuid(facts.get("user")),
        roles=_read_roles(facts.get("roles")),
        public=read_base64(facts.get("public_key"), PUBLIC_BYTES),
    )
    return device, is_root


def _read_roles(value: Json) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise VerificationError("the roles are not a list")
    return tuple(read_text(role) for role in value)


def _read_signer(signed: Signed, device: Device) -> UUID:
    """Who signed, by the payload's own word; the rest of the payload must be the entry's facts."""
    payload = parse(signed.payload)
    if not isinstance(payload, dict):
        raise VerificationError("the signed text is not an object")
    by_device = read_uuid(payload.get("by_device"))
    expected = enrollment_payload(
        enrollment_id=read_uuid(payload.get("id")), device=device, by_device=by_device
    )
    if signed.payload != expected:
        raise VerificationError("the signed text does not say what the entry says")
    return by_device
