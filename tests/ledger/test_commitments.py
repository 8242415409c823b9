"""Commitments hide a value behind a salt."""

from hashlib import sha256

import pytest

from core.ledger.commitments import SALT_BYTES, commit
from core.ledger.errors import LeafError

SALT = bytes(range(16))


def test_the_commitment_is_the_hash_of_salt_and_value() -> None:
    assert SALT_BYTES == 16
    assert commit(SALT, "Zoë") == sha256(SALT + b"Zo\xc3\xab").hexdigest()


def test_salt_and_value_both_matter() -> None:
    other = bytes(16)
    assert len({commit(SALT, "a"), commit(SALT, "b"), commit(other, "a"), commit(other, "")}) == 4


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_any_other_length_of_salt_is_refused(length: int) -> None:
    with pytest.raises(LeafError):
        commit(bytes(length), "value")


def test_half_a_character_is_refused() -> None:
    with pytest.raises(LeafError):
        commit(SALT, "\ud800")
