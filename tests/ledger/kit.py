"""What the ledger's tests share: RFC 6962 written naively, keys, and whole logs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings

from core.ledger.canonical import Json, canonical
from core.ledger.devices import Device, enrollment_payload, revocation_payload
from core.ledger.errors import VerificationError
from core.ledger.keys import SigningKey
from core.ledger.leaf import Leaf, Signed, encode
from core.ledger.text import write_base64
from core.ledger.tree import NodeId
from core.ledger.verification import LogVerifier, Report

# The machine may be busy: a property is never judged by the clock.
PROPERTY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

START = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)


class NaiveTree:
    """RFC 6962, section 2.1, word for word: recursion over slices of the data."""

    def __init__(self, data: Sequence[bytes]) -> None:
        self._data = data
        self._hash = lru_cache(maxsize=None)(self._compute)

    def root(self, size: int) -> bytes:
        return self._hash(0, size)

    def path(self, m: int, begin: int, end: int) -> list[bytes]:
        """PATH(m, D[begin:end])"""
        if end - begin == 1:
            return []
        k = split(end - begin)
        if m < k:
            return [*self.path(m, begin, begin + k), self._hash(begin + k, end)]
        return [*self.path(m - k, begin + k, end), self._hash(begin, begin + k)]

    def proof(self, m: int, n: int) -> list[bytes]:
        """PROOF(m, D[n])"""
        return self._subproof(m, 0, n, complete=True)

    def _subproof(self, m: int, begin: int, end: int, *, complete: bool) -> list[bytes]:
        if m == end - begin:
            return [] if complete else [self._hash(begin, end)]
        k = split(end - begin)
        if m <= k:
            left = self._subproof(m, begin, begin + k, complete=complete)
            return [*left, self._hash(begin + k, end)]
        right = self._subproof(m - k, begin + k, end, complete=False)
        return [*right, self._hash(begin, begin + k)]

    def _compute(self, begin: int, end: int) -> bytes:
        if begin == end:
            return sha256(b"").digest()
        if end - begin == 1:
            return sha256(b"\x00" + self._data[begin]).digest()
        k = split(end - begin)
        left, right = self._hash(begin, begin + k), self._hash(begin + k, end)
        return sha256(b"\x01" + left + right).digest()


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def spread(size: int) -> list[int]:
    """Indexes worth a look in a tree of `size` leaves: all of a small one, a big one's edges."""
    if size <= 40:
        return list(range(size))
    k = split(size)
    wanted = {0, 1, 2, size // 3, size // 2, k - 1, k, k + 1, size - 2, size - 1}
    return sorted(i for i in wanted if i < size)


class Store:
    """Tree nodes in a dict, counting the reads."""

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        self.nodes: dict[NodeId, bytes] = {NodeId(0, i): h for i, h in enumerate(leaf_hashes)}
        self.reads: list[list[NodeId]] = []

    def read(self, wanted: Sequence[NodeId]) -> Mapping[NodeId, bytes]:
        self.reads.append(list(wanted))
        return {node: self.nodes[node] for node in wanted if node in self.nodes}


def uuid(number: int) -> UUID:
    """A made-up UUIDv7 that tells its number."""
    return UUID(f"01900000-0000-7000-8000-{number:012x}")


def key(number: int) -> SigningKey:
    return SigningKey(bytes([number]) * 32)


@dataclass(frozen=True)
class Console:
    """A device with its key."""

    device: Device
    key: SigningKey

    @property
    def actor(self) -> str:
        return f"user:{self.device.user}"

    def sign(self, payload: bytes) -> Signed:
        return Signed(payload, self.key.sign(payload))


def console(number: int, *roles: str) -> Console:
    signing = key(number)
    device = Device(uuid(1000 + number), uuid(2000 + number), roles, signing.public)
    return Console(device, signing)


ADMIN = console(1, "administrator")
OFFICER = console(2, "finance_officer")
COLLEAGUE = console(3, "finance_officer")


@dataclass
class LogBuilder:
    """Writes a log as the backend would; every argument can be bent."""

    leaves: list[Leaf] = field(default_factory=list)

    def encoded(self) -> list[bytes]:
        return [encode(leaf) for leaf in self.leaves]

    def entry(
        self,
        action: str,
        *,
        actor: str = "system",
        device: UUID | None = None,
        subject: str = f"enrollment:{uuid(1)}",
        before: int | None = None,
        after: int | None = None,
        facts: Mapping[str, Json] | None = None,
        signed: Signed | None = None,
    ) -> Leaf:
        number = len(self.leaves)
        leaf = Leaf(
            entry_id=uuid(5000 + number),
            time=START + timedelta(seconds=number),
            actor=actor,
            device=device,
            action=action,
            subject=subject,
            before=before,
            after=after,
            facts=facts or {},
            signed=signed,
        )
        self.leaves.append(leaf)
        return leaf

    def enroll_device(
        self, new: Console, by: Console, *, root: bool = False, signed: Signed | None = None
    ) -> Leaf:
        device = new.device
        payload = enrollment_payload(
            enrollment_id=uuid(9000), device=device, by_device=by.device.id
        )
        return self.entry(
            "device.enrolled",
            actor=by.actor,
            device=by.device.id,
            subject=f"device:{device.id}",
            facts={
                "device": str(device.id),
                "user": str(device.user),
                "roles": list(device.roles),
                "public_key": write_base64(device.public),
                "root": root,
            },
            signed=signed or by.sign(payload),
        )

    def revoke_device(self, gone: Console, by: Console | None = None) -> Leaf:
        """Signed by `by`; the system itself revokes without a signature."""
        facts: dict[str, Json] = {"device": str(gone.device.id)}
        subject = f"device:{gone.device.id}"
        if by is None:
            return self.entry("device.revoked", subject=subject, facts=facts)
        payload = revocation_payload(
            revocation_id=uuid(9500), device=gone.device.id, by_device=by.device.id
        )
        return self.entry(
            "device.revoked", actor=by.actor, device=by.device.id, subject=subject,
            facts=facts, signed=by.sign(payload),
        )  # fmt: skip

    def enrollment(self, number: int, *, student: int = 1) -> None:
        """Created and waiting for an officer, at version 2."""
        subject, actor = f"enrollment:{uuid(number)}", f"student:{uuid(3000 + student)}"
        self.entry("enrollment.created", actor=actor, subject=subject, after=1)
        self.entry("enrollment.eft_submitted", actor=actor, subject=subject, before=1, after=2)

    def decide(
        self,
        action: str,
        by: Console,
        *,
        enrollment: int = 1,
        n: int = 1,
        before: int | None = 2,
        after: int | None = 3,
        **bent: Json,
    ) -> Leaf:
        payload: dict[str, Json] = {
            "id": str(uuid(7000 + n)),
            "officer": str(by.device.user),
            "device": str(by.device.id),
            "n": n,
            "enrollment": str(uuid(enrollment)),
            "expected_version": 2,
            "verdict": "reject" if action == "enrollment.rejected" else "approve",
        }
        payload.update(bent)
        return self.entry(
            action,
            actor=by.actor,
            device=by.device.id,
            subject=f"enrollment:{uuid(enrollment)}",
            before=before,
            after=after,
            signed=by.sign(canonical(payload)),
        )

    def withdraw(
        self,
        by: Console,
        *,
        action: str = "decision.withdrawn",
        enrollment: int = 1,
        n: int = 1,
        before: int | None = 2,
        after: int | None = 2,
        **bent: Json,
    ) -> Leaf:
        payload: dict[str, Json] = {
            "kind": "withdrawal",
            "id": str(uuid(8000 + n)),
            "officer": str(by.device.user),
            "device": str(by.device.id),
            "n": n,
            "decision": str(uuid(7000 + n)),
            "enrollment": str(uuid(enrollment)),
        }
        payload.update(bent)
        return self.entry(
            action,
            actor=by.actor,
            device=by.device.id,
            subject=f"enrollment:{uuid(enrollment)}",
            before=before,
            after=after,
            signed=by.sign(canonical(payload)),
        )


def two_devices() -> LogBuilder:
    """A log with an administrator's root device, an officer's device and one waiting enrollment."""
    log = LogBuilder()
    log.enroll_device(ADMIN, ADMIN, root=True)
    log.enroll_device(OFFICER, ADMIN)
    log.enrollment(1)
    return log


def full_log() -> LogBuilder:
    """A log with one entry of every kind the verifier knows."""
    log = two_devices()
    log.decide("enrollment.approved", OFFICER)
    log.enrollment(2)
    log.decide("enrollment.rejected", OFFICER, enrollment=2, n=3)
    log.enrollment(3)
    log.entry(
        "enrollment.approved",
        actor="gateway",
        subject=f"enrollment:{uuid(3)}",
        before=2,
        after=3,
        facts={"cents": 125_000},
    )
    log.decide("decision.refused", OFFICER, enrollment=3, n=4, before=3)
    log.enroll_device(COLLEAGUE, ADMIN)
    log.enrollment(4)
    log.decide("enrollment.first_signature", OFFICER, enrollment=4, n=5)
    second = {"before": 3, "after": 4, "expected_version": 3}
    log.decide("enrollment.approved", COLLEAGUE, enrollment=4, **second)
    log.revoke_device(COLLEAGUE, ADMIN)
    log.decide("decision.refused", COLLEAGUE, enrollment=4, n=2, before=None, after=None)
    log.withdraw(OFFICER, enrollment=4, n=6, before=4, after=4)
    log.withdraw(OFFICER, action="withdrawal.refused", enrollment=4, n=5, before=4, after=4)
    return log


def verified(leaves: Iterable[bytes], size: int | None = None, end: bytes | None = None) -> Report:
    verifier = LogVerifier()
    for index, leaf in enumerate(leaves):
        verifier.add(index, leaf)
    return verifier.finish(size, end)


def refused(log: LogBuilder, reason: str) -> None:
    """The last entry of the log is refused, whatever its root is, for this reason."""
    *good, bad = log.encoded()
    verifier = LogVerifier()
    for index, leaf in enumerate(good):
        verifier.add(index, leaf)
    with pytest.raises(VerificationError, match=reason) as caught:
        verifier.add(len(good), bad)
    assert caught.value.index == len(good)
    assert str(caught.value).startswith(f"entry {len(good)}: ")


def accepted(log: LogBuilder) -> Report:
    return verified(log.encoded())
