"""Ed25519: known answers of RFC 8032, and no exception for any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger.errors import LedgerError
from core.ledger.keys import SigningKey, fingerprint, verify
from tests.ledger.kit import PROPERTY, key

# RFC 8032, section 7.1, test 2
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_known_answer() -> None:
    signing = SigningKey(SEED)
    assert signing.public == PUBLIC
    assert signing.sign(b"\x72") == SIGNATURE
    assert verify(PUBLIC, b"\x72", SIGNATURE)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(LedgerError):
        SigningKey(bytes(length))


def test_the_secret_is_not_shown() -> None:
    signing = SigningKey(SEED)
    for shown in (repr(signing), str(signing)):
        assert SEED.hex() not in shown
        assert repr(SEED) not in shown
        assert fingerprint(PUBLIC) in shown


def test_the_fingerprint_is_eight_groups() -> None:
    groups = fingerprint(PUBLIC).split(" ")
    assert [len(group) for group in groups] == [4] * 8
    assert fingerprint(PUBLIC) != fingerprint(key(1).public)


@PROPERTY
@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=70))
def test_random_bytes_never_verify(public: bytes, data: bytes, signature: bytes) -> None:
    assert not verify(public, data, signature)
    assert not verify(PUBLIC, data, signature)


@PROPERTY
@given(st.integers(0, 511), st.integers(0, 255))
def test_one_flipped_bit_is_seen(in_signature: int, in_key: int) -> None:
    signature = (int.from_bytes(SIGNATURE) ^ 1 << in_signature).to_bytes(64)
    public = (int.from_bytes(PUBLIC) ^ 1 << in_key).to_bytes(32)
    assert not verify(PUBLIC, b"\x72", signature)
    assert not verify(public, b"\x72", SIGNATURE)
    assert not verify(PUBLIC, b"\x73", SIGNATURE)
