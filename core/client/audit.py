"""`AuditReader`: the audit trail as a console reads it, and what it checks of an entry by itself.

The backend gives pages, names and proofs. Whether a signature holds, and whether an entry is in the
verified ledger, is worked out here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from core.client.errors import ClientError
from core.client.witness_file import Verified
from core.ledger.decisions import DecisionRules, is_decision
from core.ledger.devices import ENROLLED, REVOKED, DeviceRegistry
from core.ledger.errors import LedgerError
from core.ledger.keys import PUBLIC_BYTES, fingerprint
from core.ledger.leaf import Leaf, decode
from core.ledger.merkle import leaf_hash, verify_inclusion
from core.ledger.text import decode_base64, read_base64
from core.protocol.messages import (
    AuditActors,
    AuditEntry,
    AuditOutline,
    AuditPage,
    InclusionProof,
)

# A device that was enrolled by one that was enrolled by one ...: more than a house ever has.
_MAX_DEVICES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """What somebody wants to see; all that is given must hold. `until` itself is not included.

    `about` is an enrollment's reference or id, or a subject such as `device:<id>`.
    """

    actor: str | None = None
    action: str | None = None
    about: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        return self == AuditQuery()

    @property
    def params(self) -> dict[str, str]:
        """As the route takes it."""
        texts = {"actor": self.actor, "action": self.action, "about": self.about}
        times = {"since": self.since, "until": self.until}
        told = {name: text for name, text in texts.items() if text is not None}
        return told | {name: at.isoformat() for name, at in times.items() if at is not None}


class Standing(StrEnum):
    HOLDS = "holds"
    NONE = "none"  # there is nothing to check
    UNKNOWN = "unknown"  # cannot be told now
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked, in plain words."""

    standing: Standing
    words: str


@dataclass(frozen=True, slots=True)
class EntryChecks:
    signature: Check
    inclusion: Check


@dataclass(frozen=True, slots=True)
class Trust:
    """What this console knows by itself: the verified tree, and the fingerprints of the first
    administrators' devices (empty: none is pinned)."""

    verified: Verified | None
    roots: frozenset[str]


class AuditSource(Protocol):
    """The routes this needs; `Api` has them."""

    async def audit_page(
        self, wanted: Mapping[str, str], *, before: int | None = None, limit: int = 100
    ) -> AuditPage: ...

    async def audit_outline(
        self, wanted: Mapping[str, str], *, before: int | None = None
    ) -> AuditOutline: ...

    async def audit_actors(self) -> AuditActors: ...

    async def inclusion(self, index: int, size: int) -> InclusionProof: ...


class AuditReader:
    """`trust` is asked at each check. All but `check` raise ClientError."""

    def __init__(self, source: AuditSource, *, trust: Callable[[], Trust]) -> None:
        self._source = source
        self._trust = trust

    async def page(self, query: AuditQuery, *, before: int | None = None) -> AuditPage:
        return await self._source.audit_page(query.params, before=before)

    async def outline(self, query: AuditQuery, *, before: int | None = None) -> AuditOutline:
        return await self._source.audit_outline(query.params, before=before)

    async def actors(self) -> AuditActors:
        return await self._source.audit_actors()

    async def check(self, entry: AuditEntry) -> EntryChecks:
        """Both checks; what cannot be asked now is told as such."""
        trust = self._trust()
        return EntryChecks(
            signature=await self._check_signature(entry, trust.roots),
            inclusion=await self._check_inclusion(entry, trust.verified),
        )

    # --- inclusion ---

    async def _check_inclusion(self, entry: AuditEntry, verified: Verified | None) -> Check:
        if verified is None:
            return Check(Standing.UNKNOWN, "This console has not verified the ledger yet.")
        index, size = entry.index, verified.size
        if index >= size:
            return Check(
                Standing.UNKNOWN,
                f"Newer than the ledger as verified, which has {_number(size)} entries.",
            )
        try:
            proof = await self._source.inclusion(index, size)
        except ClientError as error:
            return Check(Standing.UNKNOWN, f"Cannot be proved now: {error}")
        try:
            hashes = [decode_base64(item) for item in proof.hashes]
            verify_inclusion(leaf_hash(entry.leaf.encode()), index, size, hashes, verified.root)
        except LedgerError:
            return Check(
                Standing.BROKEN,
                f"This is not entry {_number(index)} of the ledger that this console verified.",
            )
        return Check(
            Standing.HOLDS,
            f"Proved to be entry {_number(index)} of the ledger verified to {_number(size)}.",
        )

    # --- signature ---

    async def _check_signature(self, entry: AuditEntry, roots: frozenset[str]) -> Check:
        try:
            leaf = decode(entry.leaf.encode())
        except LedgerError:
            return Check(Standing.BROKEN, "This entry cannot be read.")
        if leaf.signed is None:
            return _unsigned(leaf)
        try:
            history = await self._history(leaf, entry.index)
        except ClientError as error:
            return Check(Standing.UNKNOWN, f"Cannot be checked now: {error}")
        try:
            signer = _check_signed(leaf, history, roots)
        except LedgerError as error:
            return Check(Standing.BROKEN, f"The signature does not count: {error}.")
        words = f"Signed by the device {signer}"
        if roots:
            return Check(Standing.HOLDS, f"{words}, which an administrator enrolled.")
        return Check(
            Standing.HOLDS, f"{words}. No administrator's device is pinned on this console yet."
        )

    async def _history(self, leaf: Leaf, index: int) -> list[Leaf]:
        """How the signing device, and those that enrolled it, came and went before this entry."""
        found: dict[int, Leaf] = {}
        wanted = _devices_of(leaf)
        seen: set[UUID] = set()
        while wanted and len(seen) < _MAX_DEVICES:
            device = wanted.pop()
            seen.add(device)
            for number, earlier in await self._entries_about(device, index):
                found[number] = earlier
                wanted |= _devices_of(earlier) - seen
        return [found[number] for number in sorted(found)]

    async def _entries_about(self, device: UUID, before: int) -> Iterable[tuple[int, Leaf]]:
        query = AuditQuery(about=f"device:{device}")
        page = await self._source.audit_page(query.params, before=before)
        read = []
        for entry in page.entries:
            try:
                read.append((entry.index, decode(entry.leaf.encode())))
            except LedgerError:
                continue  # without it the device is not enrolled, and the check says so
        return [(index, leaf) for index, leaf in read if leaf.action in {ENROLLED, REVOKED}]


def _unsigned(leaf: Leaf) -> Check:
    if is_decision(leaf) and leaf.actor.startswith("user:"):
        return Check(Standing.BROKEN, "A person's decision must be signed, and this one is not.")
    return Check(Standing.NONE, "Nobody signs this kind of entry.")


def _devices_of(leaf: Leaf) -> set[UUID]:
    """The device that signed."""
    return set() if leaf.device is None or leaf.signed is None else {leaf.device}


def _check_signed(leaf: Leaf, history: Iterable[Leaf], roots: frozenset[str]) -> str:
    """The fingerprint of the device that rightly signed. Raises LedgerError."""
    registry = DeviceRegistry(roots or None)
    known: dict[object, object] = {}
    for earlier in [*history, *([leaf] if leaf.action in {ENROLLED, REVOKED} else [])]:
        _apply(registry, earlier)
        if earlier.action == ENROLLED:
            known[earlier.facts.get("device")] = earlier.facts.get("public_key")
    if is_decision(leaf):
        DecisionRules(registry).check(leaf)
    elif leaf.action not in {ENROLLED, REVOKED} and leaf.signed is not None:
        registry.signer(leaf, leaf.signed)
    return fingerprint(read_base64(known.get(str(leaf.device)), PUBLIC_BYTES))


def _apply(registry: DeviceRegistry, leaf: Leaf) -> None:
    if leaf.action == ENROLLED:
        registry.enroll(leaf)
    else:
        registry.revoke(leaf)


def _number(number: int) -> str:
    return f"{number:,}".replace(",", "\u00a0")
