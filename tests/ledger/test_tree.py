"""The stored tree: the same roots and proofs as from all leaves, from few stored nodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger import merkle, tree
from core.ledger.errors import ProofError
from core.ledger.tree import NodeId
from tests.ledger.kit import PROPERTY, NaiveTree, Store, spread

MAX = 512
DATA = [b"entry %d" % i for i in range(MAX)]
HASHES = [merkle.leaf_hash(d) for d in DATA]
NAIVE = NaiveTree(DATA)


def filled(size: int = MAX) -> Store:
    store = Store(HASHES[:size])
    store.nodes.update(tree.append(0, (), HASHES[:size]).nodes)
    return store


def test_peaks_are_named_left_to_right() -> None:
    assert tree.peaks(0) == []
    assert tree.peaks(1) == [NodeId(0, 0)]
    assert tree.peaks(13) == [NodeId(3, 0), NodeId(2, 2), NodeId(0, 12)]


def test_completed_nodes_are_named() -> None:
    appended = tree.append(0, (), HASHES[:4])
    assert [node for node, _ in appended.nodes] == [NodeId(1, 0), NodeId(1, 1), NodeId(2, 0)]
    assert dict(appended.nodes)[NodeId(1, 1)] == merkle.node_hash(HASHES[2], HASHES[3])


@PROPERTY
@given(st.lists(st.integers(0, 40), max_size=12))
def test_any_chunks_give_the_same_tree(chunks: list[int]) -> None:
    size = 0
    peaks: tuple[bytes, ...] = ()
    nodes: dict[NodeId, bytes] = {}
    for chunk in chunks:
        appended = tree.append(size, peaks, HASHES[size : size + chunk])
        assert not nodes.keys() & dict(appended.nodes).keys()
        size, peaks = appended.size, appended.peaks
        nodes.update(appended.nodes)
        assert appended.root == merkle.root(HASHES[:size])
    assert size == sum(chunks)
    assert nodes == dict(tree.append(0, (), HASHES[:size]).nodes)


def test_one_by_one_every_size() -> None:
    size = 0
    peaks: tuple[bytes, ...] = ()
    store = Store(HASHES)
    for leaf in HASHES:
        appended = tree.append(size, peaks, [leaf])
        size, peaks = appended.size, appended.peaks
        store.nodes.update(appended.nodes)
        assert appended.root == NAIVE.root(size) == tree.root_from_peaks(peaks)
        assert [store.nodes[peak] for peak in tree.peaks(size)] == list(peaks)


@pytest.mark.parametrize(("size", "peaks"), [(-1, []), (-1, [b""]), (0, [b""]), (3, HASHES[:1])])
def test_peaks_that_do_not_fit_are_refused(size: int, peaks: list[bytes]) -> None:
    with pytest.raises(ProofError):
        tree.append(size, peaks, [])


def test_stored_proofs_are_the_naive_proofs() -> None:
    store = filled()
    for size in range(1, MAX + 1):
        assert tree.root_at(size, store.read) == NAIVE.root(size)
        for index in spread(size):
            assert tree.prove_inclusion(index, size, store.read) == NAIVE.path(index, 0, size)
            assert tree.prove_consistency(index + 1, size, store.read) == NAIVE.proof(
                index + 1, size
            )
    assert tree.root_at(0, store.read) == NAIVE.root(0)


def test_a_proof_reads_once_and_little() -> None:
    store = filled()
    for size in range(2, MAX + 1):
        for index in spread(size)[:-1]:
            store.reads.clear()
            tree.prove_inclusion(index, size, store.read)
            tree.prove_consistency(index + 1, size, store.read)
            assert store.reads == [
                tree.inclusion_nodes(index, size),
                tree.consistency_nodes(index + 1, size),
            ]
            assert all(len(read) <= 2 * size.bit_length() for read in store.reads)


def test_nothing_is_read_for_an_empty_proof() -> None:
    store = filled()
    assert tree.prove_inclusion(0, 1, store.read) == []
    assert tree.prove_consistency(7, 7, store.read) == []
    assert store.reads == []


def test_a_missing_node_is_told() -> None:
    store = filled(8)
    del store.nodes[NodeId(2, 1)]
    with pytest.raises(ProofError, match=r"NodeId\(level=2, index=1\)"):
        tree.prove_inclusion(0, 8, store.read)


def test_impossible_proofs_are_refused() -> None:
    store = filled(8)
    for index, size in ((-1, 8), (8, 8), (0, 0)):
        with pytest.raises(ProofError):
            tree.prove_inclusion(index, size, store.read)
    for size1, size2 in ((0, 8), (-1, 8), (8, 7)):
        with pytest.raises(ProofError):
            tree.prove_consistency(size1, size2, store.read)
    with pytest.raises(ProofError):
        tree.root_at(-1, store.read)
