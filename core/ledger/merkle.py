"""The Merkle tree of RFC 6962, over leaf hashes in memory.

Hashes are 32 bytes (SHA-256). The provers here take all leaf hashes and cost O(n); `tree` makes the
same proofs from stored nodes in O(log n). The verifiers follow RFC 9162, 2.1.3.2 and 2.1.4.2. They
are total: any input at all is verified (None is returned) or raises `ProofError`.

A tree is walked level by level: a node without a sibling rises unchanged, which gives the RFC's
shape.
"""

from collections.abc import Sequence
from hashlib import sha256

from core.ledger.errors import ProofError

HASH_BYTES = 32
MAX_SIZE = 2**64 - 1
_MAX_PROOF_HASHES = 65  # 64 levels, and one node to start from in a consistency proof


def leaf_hash(data: bytes) -> bytes:
    """The hash of one entry's bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbouring subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes; of no leaves, the hash of nothing."""
    if not leaf_hashes:
        return sha256().digest()
    level = leaf_hashes
    while len(level) > 1:
        level = _next_level(level)
    return level[0]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The siblings from leaf `index` up to the root. Raises `ProofError` for no such leaf."""
    if not 0 <= index < len(leaf_hashes):
        raise ProofError("there is no such leaf in the tree")
    return _siblings(leaf_hashes, index)


def consistency_proof(leaf_hashes: Sequence[bytes], size1: int) -> list[bytes]:
    """Proof that the first `size1` leaves are a prefix of all. Empty where the sizes are equal.

    Raises `ProofError` unless 1 <= size1 <= len(leaf_hashes): an empty tree proves nothing.
    """
    if not 1 <= size1 <= len(leaf_hashes):
        raise ProofError("there is no consistency proof between these sizes")
    if size1 == len(leaf_hashes):
        return []
    level, position = leaf_hashes, size1 - 1
    while position & 1:
        level, position = _next_level(level), position >> 1
    # Position 0 is the whole old tree, whose hash the verifier knows already.
    start = [level[position]] if position else []
    return start + _siblings(level, position)


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes] | None, root: bytes
) -> None:
    """Check that `leaf_hash` is leaf `index` of the tree of `size` leaves with `root`.

    Raises `ProofError` for anything else, whatever the arguments are. A proof of None is empty.
    """
    position, total = _number(index), _number(size)
    siblings = _hashes(proof)
    if position >= total:
        raise ProofError("the index lies outside of the tree")
    _, rebuilt = _climb(_hash(leaf_hash), position, total - 1, siblings)
    if rebuilt != _hash(root):
        raise ProofError("the proof leads to another root")


def verify_consistency(
    size1: int, size2: int, proof: Sequence[bytes] | None, root1: bytes, root2: bytes
) -> None:
    """Check that the tree (size2, root2) continues the tree (size1, root1).

    Raises `ProofError` for anything else, whatever the arguments are. A proof of None is empty.
    A `size1` of 0 is always refused: every tree continues the empty one, so it proves nothing.
    """
    first, second = _number(size1), _number(size2)
    siblings = _hashes(proof)
    if first == 0:
        raise ProofError("an empty tree proves nothing about a later one")
    if first > second:
        raise ProofError("the later tree is the smaller one")
    if first == second:
        _verify_same(siblings, root1, root2)
        return
    old, new = _hash(root1), _hash(root2)
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    path = siblings if position else [old, *siblings]
    if not path:
        raise ProofError("the proof is too short")
    rebuilt_old, rebuilt_new = _climb(path[0], position, last, path[1:])
    if rebuilt_old != old:
        raise ProofError("the proof leads to another root of the earlier tree")
    if rebuilt_new != new:
        raise ProofError("the proof leads to another root of the later tree")


def _verify_same(siblings: list[bytes], root1: object, root2: object) -> None:
    # Only compared, never hashed: the length of these two does not matter.
    if siblings:
        raise ProofError("the proof between equal sizes must be empty")
    if type(root1) is not bytes or type(root2) is not bytes or root1 != root2:
        raise ProofError("two trees of one size have different roots")


def _climb(
    start: bytes, position: int, last: int, siblings: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Fold the siblings over `start`: the root of the tree that ends with it, and of the whole.

    `position` and `last` are the indexes of `start` and of the last node on its level.
    """
    old = new = start
    for sibling in siblings:
        if last == 0:
            raise ProofError("the proof is too long")
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    return old, new


def _next_level(level: Sequence[bytes]) -> list[bytes]:
    above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    if len(level) & 1:
        above.append(level[-1])
    return above


def _siblings(level: Sequence[bytes], position: int) -> list[bytes]:
    found = []
    while len(level) > 1:
        if position ^ 1 < len(level):
            found.append(level[position ^ 1])
        level, position = _next_level(level), position >> 1
    return found


# Exact types below: a subclass could answer comparisons with anything, even an exception.


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_SIZE:
        raise ProofError("an index or a size is not a number of 64 bits")
    return value


def _hash(value: object) -> bytes:
    if type(value) is not bytes or len(value) != HASH_BYTES:
        raise ProofError("a hash is not 32 bytes long")
    return value


def _hashes(proof: object) -> list[bytes]:
    if proof is None:
        return []
    if type(proof) is not list and type(proof) is not tuple:
        raise ProofError("the proof is not a list of hashes")
    if len(proof) > _MAX_PROOF_HASHES:
        raise ProofError("the proof is too long")
    return [_hash(item) for item in proof]
