"""The stored tree: hashes of complete subtrees, so that a proof reads O(log n) of them.

A complete subtree is named by its `NodeId`: at level l, node i covers the leaves i * 2**l up to
(i + 1) * 2**l. Level 0 are the leaf hashes, stored with the entries; the levels above are stored
when they become complete and never change. A tree of any size is a row of complete subtrees, its
*peaks*.

Reading is the caller's: `read` gets the ids a proof needs, in one call, and returns their hashes.
A proof that needs none does not call it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from core.ledger.errors import ProofError
from core.ledger.merkle import node_hash


class NodeId(NamedTuple):
    """A complete subtree. Level 0 is a leaf hash."""

    level: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here


Read = Callable[[Sequence[NodeId]], Mapping[NodeId, bytes]]


@dataclass(frozen=True)
class Appended:
    """A tree after an append: `nodes` are the newly completed subtrees of level 1 and above."""

    size: int
    root: bytes
    peaks: tuple[bytes, ...]
    nodes: tuple[tuple[NodeId, bytes], ...]


def peaks(size: int) -> list[NodeId]:
    """The complete subtrees that make up a tree of `size` leaves, left to right."""
    if size < 0:
        raise ProofError("a tree cannot have a negative size")
    return _cover(0, size)


def root_from_peaks(hashes: Sequence[bytes]) -> bytes:
    """The root of a tree from the hashes of its peaks, left to right."""
    if not hashes:
        return sha256().digest()
    *rest, root = hashes
    for left in reversed(rest):
        root = node_hash(left, root)
    return root


def append(size: int, peak_hashes: Sequence[bytes], leaf_hashes: Sequence[bytes]) -> Appended:
    """Append leaves to the tree of `size` leaves with these peaks.

    Raises `ProofError` where the peaks do not fit the size.
    """
    if size < 0 or len(peak_hashes) != size.bit_count():
        raise ProofError("the peaks do not belong to a tree of this size")
    row = list(peak_hashes)
    nodes: list[tuple[NodeId, bytes]] = []
    for index, leaf in enumerate(leaf_hashes, start=size):
        joined, level = leaf, 0
        while index >> level & 1:
            level += 1
            joined = node_hash(row.pop(), joined)
            nodes.append((NodeId(level, index >> level), joined))
        row.append(joined)
    return Appended(size + len(leaf_hashes), root_from_peaks(row), tuple(row), tuple(nodes))


def inclusion_nodes(index: int, size: int) -> list[NodeId]:
    """The nodes to read for the inclusion proof of leaf `index` in a tree of `size` leaves."""
    return _flat(_inclusion_plan(index, size))


def consistency_nodes(size1: int, size2: int) -> list[NodeId]:
    """The nodes to read for the consistency proof from `size1` to `size2` leaves."""
    return _flat(_consistency_plan(size1, size2))


def prove_inclusion(index: int, size: int, read: Read) -> list[bytes]:
    """The proof `merkle.inclusion_proof` gives, from stored nodes. Raises `ProofError`."""
    return _carry_out(_inclusion_plan(index, size), read)


def prove_consistency(size1: int, size2: int, read: Read) -> list[bytes]:
    """The proof `merkle.consistency_proof` gives, from stored nodes. Raises `ProofError`."""
    return _carry_out(_consistency_plan(size1, size2), read)


def root_at(size: int, read: Read) -> bytes:
    """The root the tree had (or has) at `size` leaves, from stored nodes. Raises `ProofError`."""
    return root_from_peaks(_carry_out([[peak] for peak in peaks(size)], read))


# A plan lists a proof's hashes; each is given by the complete subtrees it is folded from, which is
# one of them except at the right edge of the tree.
_Plan = list[list[NodeId]]


def _inclusion_plan(index: int, size: int) -> _Plan:
    if not 0 <= index < size:
        raise ProofError("there is no such leaf in the tree")
    return _sibling_plan(NodeId(0, index), size)


def _consistency_plan(size1: int, size2: int) -> _Plan:
    if not 1 <= size1 <= size2:
        raise ProofError("there is no consistency proof between these sizes")
    if size1 == size2:
        return []
    last_peak = peaks(size1)[-1]
    # Index 0 is the whole old tree, whose hash the verifier knows already.
    start = [[last_peak]] if last_peak.index else []
    return start + _sibling_plan(last_peak, size2)


def _sibling_plan(node: NodeId, size: int) -> _Plan:
    plan = []
    level, index = node
    while 1 << level < size:
        sibling = index ^ 1
        begin, end = sibling << level, min((sibling + 1) << level, size)
        if begin < end:
            plan.append(_cover(begin, end))
        level, index = level + 1, index >> 1
    return plan


def _cover(begin: int, end: int) -> list[NodeId]:
    """Complete subtrees over the leaves begin..end; `begin` is a multiple of the first's size."""
    cover = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        cover.append(NodeId(level, begin >> level))
        begin += 1 << level
    return cover


def _flat(plan: _Plan) -> list[NodeId]:
    return [node for part in plan for node in part]


def _carry_out(plan: _Plan, read: Read) -> list[bytes]:
    if not plan:
        return []
    hashes = read(_flat(plan))
    try:
        return [root_from_peaks([hashes[node] for node in part]) for part in plan]
    except KeyError as missing:
        raise ProofError(f"the stored tree lacks {missing.args[0]}") from missing
