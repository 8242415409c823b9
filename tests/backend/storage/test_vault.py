"""Personal data at rest: opened only with its key, at its place, unaltered."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backend.storage.errors import VaultError
from core.backend.storage.vault import Vault

KEYS = {"old": b"o" * 32, "new": b"n" * 32}
LONG = "n" * 33


def _vault(current: str = "new", keys: dict[str, bytes] | None = None) -> Vault:
    return Vault(
        keys=KEYS if keys is None else keys,
        current=current,
        index_key=b"i" * 32,
        random_bytes=os.urandom,
    )


@given(st.binary(max_size=300), st.text(max_size=40))
def test_what_was_sealed_opens_at_its_place(plain: bytes, place: str) -> None:
    vault = _vault()
    sealed = vault.seal(plain, place=place)
    assert vault.open(sealed, place=place) == plain
    assert vault.seal(plain, place=place) != sealed


@given(st.data())
def test_any_altered_byte_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(_vault().seal(b"Lerato Khumalo", place="students/1"))
    index = data.draw(st.integers(0, len(sealed) - 1))
    sealed[index] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VaultError):
        _vault().open(bytes(sealed), place="students/1")


@pytest.mark.parametrize("sealed", [b"", b"\x00", b"\x03new", b"\x03newshort", b"\xff"])
def test_junk_is_refused(sealed: bytes) -> None:
    with pytest.raises(VaultError):
        _vault().open(sealed, place="students/1")


def test_a_value_cannot_be_moved_to_another_row() -> None:
    sealed = _vault().seal(b"Lerato", place="students/1")
    with pytest.raises(VaultError, match="moved"):
        _vault().open(sealed, place="students/2")


def test_an_older_key_still_opens_and_a_missing_one_does_not() -> None:
    sealed = _vault("old").seal(b"Lerato", place="p")
    assert _vault("new").open(sealed, place="p") == b"Lerato"
    with pytest.raises(VaultError, match="key that is not here"):
        _vault("new", {"new": KEYS["new"]}).open(sealed, place="p")


def test_the_email_index_ignores_case_and_spaces_and_needs_the_key() -> None:
    index = _vault().email_index("Lerato@Mail.example")
    assert _vault().email_index("  lerato@mail.EXAMPLE ") == index
    assert _vault().email_index("leratu@mail.example") != index
    other = Vault(keys=KEYS, current="new", index_key=b"x" * 32, random_bytes=os.urandom)
    assert other.email_index("lerato@mail.example") != index


@pytest.mark.parametrize(
    ("current", "keys"),
    [
        ("missing", KEYS),
        ("short", {"short": b"k"}),
        ("", {"": b"k" * 32}),
        ("n" * 33, {"n" * 33: b"k" * 32}),
    ],
)
def test_wrong_keys_are_refused(current: str, keys: dict[str, bytes]) -> None:
    with pytest.raises(VaultError):
        _vault(current, keys)


def test_it_shows_no_key() -> None:
    assert "nnn" not in repr(_vault())
