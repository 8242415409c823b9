"""Verify a whole log, entry by entry, in one pass.

Memory grows with the entry ids, the subjects and the decisions, not with the leaves.
"""

from collections.abc import Set
from dataclasses import dataclass
from uuid import UUID

from core.ledger import tree
from core.ledger.decisions import DecisionRules, is_decision
from core.ledger.devices import ENROLLED, REVOKED, DeviceRegistry
from core.ledger.errors import LedgerError, VerificationError
from core.ledger.leaf import Leaf, decode
from core.ledger.merkle import leaf_hash


@dataclass(frozen=True)
class Report:
    """What was verified. `devices` counts those ever enrolled; the caller compares the roots'
    fingerprints with the ones it trusts, unless it gave them to the verifier."""

    size: int
    root: bytes
    decisions_verified: int
    devices: int
    root_fingerprints: tuple[str, ...]


class LogVerifier:
    """Takes every leaf from index 0 on, then `finish`. Stops for good at the first failure.

    `trusted_roots` are fingerprints: any other root device is then a failure.
    """

    def __init__(self, *, trusted_roots: Set[str] | None = None) -> None:
        self._devices = DeviceRegistry(trusted_roots)
        self._decisions = DecisionRules(self._devices)
        self._versions: dict[str, int] = {}
        self._entry_ids: set[UUID] = set()
        self._size = 0
        self._peaks: tuple[bytes, ...] = ()
        self._failure: VerificationError | None = None

    def add(self, index: int, leaf: bytes) -> None:
        """Check the next leaf. Raises `VerificationError`, which names the entry and the reason."""
        self._refuse_after_failure()
        try:
            self._check(index, leaf)
        except LedgerError as error:
            self._failure = VerificationError(str(error), self._size)
            raise self._failure from error
        appended = tree.append(self._size, self._peaks, [leaf_hash(leaf)])
        self._size, self._peaks = appended.size, appended.peaks

    def finish(self, expected_size: int | None, expected_root: bytes | None) -> Report:
        """The end of the log. Raises `VerificationError` where size or root is not the expected."""
        self._refuse_after_failure()
        root = tree.root_from_peaks(self._peaks)
        if expected_size is not None and expected_size != self._size:
            raise VerificationError(
                f"the log has {self._size} entries where {expected_size} were expected"
            )
        if expected_root is not None and expected_root != root:
            raise VerificationError("the log has another root than expected")
        return Report(
            size=self._size,
            root=root,
            decisions_verified=self._decisions.verified,
            devices=len(self._devices),
            root_fingerprints=self._devices.root_fingerprints,
        )

    def _refuse_after_failure(self) -> None:
        if self._failure is not None:
            raise VerificationError(self._failure.reason, self._failure.index)

    def _check(self, index: int, data: bytes) -> None:
        if type(index) is not int or index != self._size:
            raise VerificationError("another entry came in its place")
        leaf = decode(data)
        if leaf.entry_id in self._entry_ids:
            raise VerificationError("its id was used by an earlier entry")
        self._entry_ids.add(leaf.entry_id)
        self._check_versions(leaf)
        self._check_signature(leaf)

    def _check_signature(self, leaf: Leaf) -> None:
        if leaf.action == ENROLLED:
            self._devices.enroll(leaf)
        elif leaf.action == REVOKED:
            self._devices.revoke(leaf)
        elif is_decision(leaf):
            self._decisions.check(leaf)
        elif leaf.signed is not None:
            self._devices.signer(leaf, leaf.signed)

    def _check_versions(self, leaf: Leaf) -> None:
        """Each subject's versions are a chain without gaps; a version that stays is no link."""
        if leaf.before == leaf.after:
            return
        if leaf.before != self._versions.get(leaf.subject):
            raise VerificationError("it does not start from the last version of its subject")
        if leaf.after is None:
            raise VerificationError("it takes the version of its subject away")
        # Nobody else could have raised the version, so a chain opens at 0 or 1.
        allowed = {0, 1} if leaf.before is None else {leaf.before + 1}
        if leaf.after not in allowed:
            raise VerificationError("it does not raise the version by one")
        self._versions[leaf.subject] = leaf.after
