"""This console's own decisions in the ledger as its witness follows it. No files, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from core.client.witness_checks import BrokenError
from core.client.witness_file import AlarmKind, Verified
from core.ledger.decisions import REFUSED, WITHDRAWAL_REFUSED
from core.ledger.errors import LedgerError
from core.ledger.leaf import Leaf, decode
from core.ledger.merkle import leaf_hash, verify_inclusion
from core.ledger.text import decode_base64

_REMEMBERED = 5_000
_NOT_CARRIED_OUT = frozenset({REFUSED, WITHDRAWAL_REFUSED})


@dataclass(frozen=True, slots=True)
class Own:
    """What the backend said it accepted: entry `index`; `digest` stands for its signed bytes."""

    digest: bytes
    index: int

    @classmethod
    def of(cls, payload: bytes, signature: bytes, index: int) -> Own:
        return cls(signed_digest(payload, signature), index)


class AlteredError(BrokenError):
    """An entry does not hold what this console signed for it, as the backend had said."""

    def __init__(self, digest: bytes, theirs: str) -> None:
        message = "A decision of this console is not in the ledger as it was signed."
        super().__init__(AlarmKind.DECISION_ALTERED, message, theirs)
        self.digest = digest


def signed_digest(payload: bytes, signature: bytes) -> bytes:
    """Stands for one signed decision."""
    return sha256(sha256(payload).digest() + signature).digest()


def carried_out(leaf: Leaf | None) -> bytes | None:
    """The digest of what this entry carries out; None where nobody signed, or it was refused."""
    if leaf is None or leaf.signed is None or leaf.action in _NOT_CARRIED_OUT:
        return None
    return signed_digest(leaf.signed.payload, leaf.signed.signature)


def check_included(own: Own, leaf: str, hashes: Sequence[str], verified: Verified) -> None:
    """Entry `own.index` of the verified tree is `leaf`, and holds `own`. Raises AlteredError.

    `hashes` (base64) are the backend's proof for the tree of `verified.size` entries.
    """
    try:
        proof = [decode_base64(item) for item in hashes]
        verify_inclusion(leaf_hash(leaf.encode()), own.index, verified.size, proof, verified.root)
        found = carried_out(decode(leaf.encode()))
    except LedgerError as error:
        raise AlteredError(own.digest, leaf) from error
    if found != own.digest:
        raise AlteredError(own.digest, leaf)


class OwnDecisions:
    """Holds what was accepted against the entries that come by.

    A match counts for good (`is_found`) once a signed checkpoint has covered the tree it was in.
    What lies in a part that was passed over has to be proved one by one.
    """

    def __init__(self) -> None:
        self._seen: dict[int, bytes] = {}
        self._expected: dict[int, bytes] = {}
        self._matched: dict[int, bytes] = {}
        self._passed: dict[int, bytes] = {}
        self._proved: set[Own] = set()
        self._covered = 0  # what was seen below this is in a verified tree

    @property
    def confirmed(self) -> int:
        """How many were found as signed, each entry read or proved."""
        return len(self._matched) + len(self._proved)

    @property
    def unconfirmed(self) -> int:
        """How many lie in a part that was proved as a whole, but not read one by one."""
        return len(self._passed)

    def expect(self, own: Own, size: int) -> None:
        """The backend told of `own`; `size` entries have come by. Raises AlteredError."""
        if own in self._proved or self._matched.get(own.index) == own.digest:
            return
        if own.index >= size:
            self._expected[own.index] = own.digest
        elif own.index in self._seen:
            self._match(own, self._seen[own.index], f"entry {own.index}")
        else:
            self._passed[own.index] = own.digest

    def came_by(self, index: int, leaf: Leaf | None, text: str) -> None:
        """The next entry; `leaf` is None where it is of no interest. Raises AlteredError."""
        found = carried_out(leaf)
        if found is not None:
            self._seen[index] = found
            while len(self._seen) > _REMEMBERED:
                del self._seen[next(iter(self._seen))]
        expected = self._expected.pop(index, None)
        if expected is not None:
            self._match(Own(expected, index), found, text)

    def covered(self, size: int) -> None:
        """A signed checkpoint has confirmed the tree of `size` entries as it was followed."""
        self._covered = size

    def passed_over(self, size: int) -> None:
        """The tree of `size` entries stands in place of the one that was followed."""
        known, self._seen = self._seen, {}
        self._seen = {index: found for index, found in known.items() if index < self._covered}
        left = {i: digest for i, digest in self._matched.items() if i >= self._covered}
        left |= {i: digest for i, digest in self._expected.items() if i < size}
        for index in left:
            self._matched.pop(index, None)
            self._expected.pop(index, None)
        self._passed |= left

    def proved(self, own: Own) -> None:
        """The backend has proved it by itself."""
        self._passed.pop(own.index, None)
        self._proved.add(own)

    def is_found(self, own: Own) -> bool:
        """Whether it is in a verified tree as signed."""
        if own in self._proved:
            return True
        return own.index < self._covered and self._matched.get(own.index) == own.digest

    def _match(self, own: Own, found: bytes | None, theirs: str) -> None:
        if found != own.digest:
            raise AlteredError(own.digest, theirs)
        self._matched[own.index] = own.digest
