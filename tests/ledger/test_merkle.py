"""The Merkle tree against RFC 6962 written naively, published trees, vectors, and any input."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger import merkle
from core.ledger.errors import ProofError
from tests.ledger.kit import PROPERTY, NaiveTree, spread

MAX = 512
DATA = [b"entry %d" % i for i in range(MAX)]
HASHES = [merkle.leaf_hash(d) for d in DATA]
NAIVE = NaiveTree(DATA)

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "rfc6962"

# The tree every Certificate Transparency implementation is tested with.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_roots_of_all_sizes() -> None:
    for size in range(MAX + 1):
        assert merkle.root(HASHES[:size]) == NAIVE.root(size)


def test_inclusion_proofs_of_all_sizes() -> None:
    for size in range(1, MAX + 1):
        root = NAIVE.root(size)
        for index in spread(size):
            proof = merkle.inclusion_proof(HASHES[:size], index)
            assert proof == NAIVE.path(index, 0, size)
            merkle.verify_inclusion(HASHES[index], index, size, proof, root)


def test_consistency_proofs_of_all_sizes() -> None:
    for size2 in range(1, MAX + 1):
        for size1 in [*(i for i in spread(size2) if i), size2]:
            proof = merkle.consistency_proof(HASHES[:size2], size1)
            assert proof == NAIVE.proof(size1, size2)
            roots = NAIVE.root(size1), NAIVE.root(size2)
            merkle.verify_consistency(size1, size2, proof, *roots)


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_no_inclusion_proof_outside_of_the_tree(index: int) -> None:
    with pytest.raises(ProofError):
        merkle.inclusion_proof(HASHES[:3], index)


@pytest.mark.parametrize("size1", [-1, 0, 4])
def test_no_consistency_proof_outside_of_the_tree(size1: int) -> None:
    with pytest.raises(ProofError):
        merkle.consistency_proof(HASHES[:3], size1)


def test_published_tree() -> None:
    hashes = [merkle.leaf_hash(data) for data in CT_LEAVES]
    assert [merkle.root(hashes[: i + 1]).hex() for i in range(8)] == CT_ROOTS
    assert merkle.root([]).hex().startswith("e3b0c44298fc1c149afbf4c8996fb924")


def _vectors(name: str) -> list[dict[str, Any]]:
    path = VECTORS / name
    if not path.is_file():
        pytest.skip(f"the shared vectors are not here: {name}")
    cases: list[dict[str, Any]] = json.loads(path.read_text())
    return cases


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _proof(case: dict[str, Any]) -> list[bytes] | None:
    return None if case["proof"] is None else [_bytes(item) for item in case["proof"]]


def _verdict(verify: Any, *args: object) -> bool:
    try:
        verify(*args)
    except ProofError:
        return False
    return True


def test_inclusion_vectors() -> None:
    cases = _vectors("inclusion.json")
    assert len(cases) == 98
    for case in cases:
        args = (_bytes(case["leafHash"]), case["leafIdx"], case["treeSize"], _proof(case))
        verdict = _verdict(merkle.verify_inclusion, *args, _bytes(case["root"]))
        assert verdict is not case["wantErr"], case["file"]


def test_consistency_vectors() -> None:
    cases = _vectors("consistency.json")
    assert len(cases) == 98
    for case in cases:
        roots = _bytes(case["root1"]), _bytes(case["root2"])
        args = (case["size1"], case["size2"], _proof(case), *roots)
        verdict = _verdict(merkle.verify_consistency, *args)
        assert verdict is not case["wantErr"], case["file"]


def test_vectors_root_is_the_published_one() -> None:
    happy = [c for c in _vectors("inclusion.json") if c["treeSize"] == 8 and not c["wantErr"]]
    assert happy
    assert {_bytes(case["root"]).hex() for case in happy} == {CT_ROOTS[-1]}


class Hostile:
    """An object that raises whatever is done with it."""

    def _raise(self, *_args: object) -> Any:
        raise RuntimeError("touched")

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __len__ = __iter__ = _raise
    __index__ = __int__ = __bool__ = __getitem__ = __hash__ = _raise


class HostileInt(int):
    def __ge__(self, other: object) -> bool:
        raise RuntimeError("touched")


class HostileBytes(bytes):
    def __len__(self) -> int:
        raise RuntimeError("touched")


class HostileList(list[bytes]):
    def __len__(self) -> int:
        raise RuntimeError("touched")


HASH = st.binary(min_size=32, max_size=32)
ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(0, 8),
    st.sampled_from([2**63, 2**64 - 1, 2**64, 10**5000, -(10**5000)]),
    st.floats(),
    st.text(max_size=40),
    HASH,
    st.binary(max_size=40),
    st.binary(max_size=40).map(bytearray),
    st.lists(HASH, max_size=70),
    st.lists(st.one_of(HASH, st.none(), st.text(max_size=3)), max_size=4).map(tuple),
    st.builds(lambda: [b"\0" * 32] * 1_000_000),
    st.builds(Hostile),
    st.builds(HostileInt, st.integers(0, 8)),
    st.builds(HostileBytes, HASH),
    st.builds(HostileList),
    st.dictionaries(st.integers(), HASH, max_size=2),
)
NUMBER = st.one_of(st.integers(0, 20), ANYTHING)
PROOF = st.one_of(st.lists(HASH, max_size=6), ANYTHING)
ROOT = st.one_of(HASH, ANYTHING)


@PROPERTY
@given(ROOT, NUMBER, NUMBER, PROOF, ROOT)
def test_verify_inclusion_is_total(leaf: Any, index: Any, size: Any, proof: Any, root: Any) -> None:
    if _verdict(merkle.verify_inclusion, leaf, index, size, proof, root):
        assert leaf == root  # nobody finds a proof for random hashes: only the tree of one leaf
        assert (index, size) == (0, 1)


@PROPERTY
@given(NUMBER, NUMBER, PROOF, ROOT, ROOT)
def test_verify_consistency_is_total(
    size1: Any, size2: Any, proof: Any, root1: Any, root2: Any
) -> None:
    if _verdict(merkle.verify_consistency, size1, size2, proof, root1, root2):
        assert (size1, root1) == (size2, root2)


@pytest.mark.parametrize("sizes", [(5, 8), (4, 7), (1, 9), (6, 6), (8, 200)])
@pytest.mark.parametrize("position", range(5))
def test_verifiers_survive_every_odd_argument(sizes: tuple[int, int], position: int) -> None:
    odd: list[Any] = [None, True, -1, 1.0, "x", b"", 2**64, [b""], [None], Hostile(), HostileInt(3)]
    odd += [HostileBytes(32), HostileList(), bytearray(32), [HASHES[0]] * 66]
    size1, size2 = sizes
    inclusion: list[Any] = [
        HASHES[size1 - 1],
        size1 - 1,
        size2,
        NAIVE.path(size1 - 1, 0, size2),
        NAIVE.root(size2),
    ]
    consistency: list[Any] = [
        size1,
        size2,
        NAIVE.proof(size1, size2),
        NAIVE.root(size1),
        NAIVE.root(size2),
    ]
    for verify, args in (
        (merkle.verify_inclusion, inclusion),
        (merkle.verify_consistency, consistency),
    ):
        verify(*args)
        for value in odd:
            bent = [*args[:position], value, *args[position + 1 :]]
            if value is None and args[position] == []:
                assert _verdict(verify, *bent)  # no proof is the empty proof
            else:
                assert not _verdict(verify, *bent)


def test_forged_inclusion_is_refused() -> None:
    """Arguments that fit together, except for what RFC 6962 demands of sizes and lengths."""
    h0, h1, above = HASHES[0], HASHES[1], merkle.node_hash(HASHES[0], HASHES[1])
    merkle.verify_inclusion(h1, 1, 2, [h0], above)
    forged: list[tuple[Any, ...]] = [
        (h0, 1, 1, [], h0),  # outside of the tree
        (h0, -1, 1, [], h0),
        (h0, 2**64, 2**64 + 1, [], h0),
        (h1, 0, 1, [h0], above),  # a proof that is too long
        (h0, 0, 4, [h1], above),  # an inner node as the root
        (above, 0, 1, [], h0),
        (b"x", 0, 1, [], b"x"),  # no hash
    ]
    for args in forged:
        assert not _verdict(merkle.verify_inclusion, *args)


def test_forged_consistency_is_refused() -> None:
    root3, root5, proof = NAIVE.root(3), NAIVE.root(5), NAIVE.proof(3, 5)
    merkle.verify_consistency(3, 5, proof, root3, root5)
    forged: list[tuple[Any, ...]] = [
        (0, 0, [], root3, root3),
        (0, 5, [], root3, root5),
        (2, 1, [], root3, root3),  # the later tree is smaller
        (3, 3, [HASHES[0]], root3, root3),
        (2**64, 2**64, [], root3, root3),
        (-3, -3, [], root3, root3),
        (3, 5, proof, root5, root5),
        (3, 5, proof, root3, root3),
        (1, 4, [HASHES[1]], HASHES[0], NAIVE.root(2)),  # an inner node as the root
        (1, 1, [HASHES[1]], HASHES[0], NAIVE.root(2)),
    ]
    for args in forged:
        assert not _verdict(merkle.verify_consistency, *args)


def test_a_long_proof_is_refused_before_it_is_read() -> None:
    proof: Any = [None] * 66
    with pytest.raises(ProofError, match="too long"):
        merkle.verify_inclusion(HASHES[0], 0, 8, proof, HASHES[0])


@PROPERTY
@given(st.data())
def test_bent_proofs_are_refused(data: st.DataObject) -> None:
    size2 = data.draw(st.integers(2, 100))
    size1 = data.draw(st.integers(1, size2 - 1))
    inclusion, consistency = NAIVE.path(size1, 0, size2), NAIVE.proof(size1, size2)
    root1, root2 = NAIVE.root(size1), NAIVE.root(size2)
    for proof in (inclusion, consistency):
        at = data.draw(st.integers(0, len(proof) - 1))
        bit = data.draw(st.integers(0, 255))
        bent = proof.copy()
        number = int.from_bytes(bent[at]) ^ 1 << bit
        bent[at] = number.to_bytes(32)
        for wrong in (bent, [], proof[:-1], [*proof, HASHES[0]], [HASHES[0], *proof]):
            if proof is inclusion:
                args = (HASHES[size1], size1, size2, wrong, root2)
                assert not _verdict(merkle.verify_inclusion, *args)
            else:
                args2 = (size1, size2, wrong, root1, root2)
                assert not _verdict(merkle.verify_consistency, *args2)
