"""Checkpoints in C2SP form: a known key id, round trips, and nothing else accepted."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger.checkpoint import (
    MAX_NOTE_CHARS,
    Checkpoint,
    body,
    key_id,
    open_checkpoint,
    sign_checkpoint,
)
from core.ledger.errors import CheckpointError
from core.ledger.keys import verify
from tests.ledger.kit import PROPERTY, key

NAME = "bursar.example/ledger"
CHECKPOINT = Checkpoint(NAME, 1234, bytes(range(32)))
KEY = key(7)
NOTE = sign_checkpoint(CHECKPOINT, NAME, KEY)


def opened(note: str) -> Checkpoint:
    return open_checkpoint(note, NAME, KEY.public)


def signed(text: str, name: str = NAME) -> str:
    """A note over any text, rightly signed."""
    signature = key_id(name, KEY.public) + KEY.sign(text.encode())
    return f"{text}\n— {name} {base64.b64encode(signature).decode()}\n"


def test_the_key_id_and_signature_of_a_published_note() -> None:
    # The example note of Go's sumdb/note package.
    public = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    data = base64.b64decode(
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    assert key_id("PeterNeumann", public) == data[:4] == bytes.fromhex("c74f20a3")
    assert verify(public, text.encode(), data[4:])


def test_the_exact_form() -> None:
    text = "bursar.example/ledger\n1234\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert body(CHECKPOINT) == text
    assert signed(text) == NOTE
    assert NOTE.startswith(text + "\n— bursar.example/ledger ")


@PROPERTY
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=255),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)
def test_every_checkpoint_reads_back(origin: str, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin, size, root)
    assert opened(sign_checkpoint(checkpoint, NAME, KEY)) == checkpoint


def test_other_signatures_and_extension_lines_are_passed_over() -> None:
    text, _, ours = NOTE.partition("\n\n")
    other = sign_checkpoint(CHECKPOINT, NAME, key(8)).partition("\n\n")[2]
    stranger = "— witness.example/w " + base64.b64encode(bytes(4500)).decode() + "\n"
    assert opened(text + "\n\n" + other + stranger * 16 + ours) == CHECKPOINT
    assert opened(signed(body(CHECKPOINT) + "extension — line\n")) == CHECKPOINT


def test_a_wrong_signature_of_our_key_refuses_the_note() -> None:
    bad = base64.b64encode(key_id(NAME, KEY.public) + bytes(64)).decode()
    with pytest.raises(CheckpointError, match="does not hold"):
        opened(f"{NOTE}— {NAME} {bad}\n")


def test_another_key_or_name_does_not_open_it() -> None:
    with pytest.raises(CheckpointError, match="expected key"):
        open_checkpoint(NOTE, NAME, key(8).public)
    with pytest.raises(CheckpointError, match="expected key"):
        open_checkpoint(NOTE, "other", KEY.public)


TEXT = body(CHECKPOINT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "origin\n1\n",
        TEXT.replace("1234", "01234"),
        TEXT.replace("1234", "+1"),
        TEXT.replace("1234", "-1"),
        TEXT.replace("1234", ""),
        TEXT.replace("1234", "١"),
        TEXT.replace("1234", str(2**63)),
        TEXT.replace("1234", "9" * 400),
        TEXT.replace("=", ""),
        TEXT.replace("h8=", "h9="),
        TEXT.replace("AAEC", "AAE"),
        TEXT.replace(NAME, ""),
        TEXT.replace(NAME, "x" * 256),
        TEXT.replace(NAME, "x\ty"),
        TEXT + "\nextension after an empty line\n",
    ],
)
def test_a_bad_body_is_refused_although_signed(text: str) -> None:
    with pytest.raises(CheckpointError):
        opened(signed(text))


@pytest.mark.parametrize(
    "note",
    [
        None,
        1,
        "",
        "\n\n",
        NOTE.encode(),
        NOTE.rstrip("\n"),
        NOTE + "\n",
        "\n" + NOTE,
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—"),
        NOTE.replace("\n\n", "\n"),
        NOTE + "— a AAAA\n",
        NOTE + "— a b c\n",
        NOTE + f"— {NAME} AAA\n",
        NOTE + "— a AAAAAAAA\n" * 64,
        NOTE + "x" * MAX_NOTE_CHARS,
        "\ud800" + NOTE,
    ],
)
def test_a_malformed_note_is_refused(note: Any) -> None:
    with pytest.raises(CheckpointError):
        opened(note)


@PROPERTY
@given(st.text() | st.text().map(lambda t: t + "\n\n— " + NAME + " AAAAAAAA\n"))
def test_opening_is_total(note: str) -> None:
    with pytest.raises(CheckpointError):
        opened(note)


@PROPERTY
@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(0, 7))
def test_a_flipped_bit_is_seen(at: int, bit: int) -> None:
    data = bytearray(NOTE.encode())
    data[at] ^= 1 << bit
    with pytest.raises(CheckpointError):
        opened(data.decode(errors="surrogateescape"))


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("", 1, bytes(32)),
        Checkpoint("a\nb", 1, bytes(32)),
        Checkpoint("a\tb", 1, bytes(32)),
        Checkpoint("x" * 256, 1, bytes(32)),
        Checkpoint("\ud800", 1, bytes(32)),
        Checkpoint(NAME, -1, bytes(32)),
        Checkpoint(NAME, 2**63, bytes(32)),
        Checkpoint(NAME, 1, bytes(31)),
    ],
)
def test_a_bad_checkpoint_is_not_signed(checkpoint: Checkpoint) -> None:
    with pytest.raises(CheckpointError):
        sign_checkpoint(checkpoint, NAME, KEY)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\n", "x" * 256])
def test_a_bad_key_name_is_refused(name: str) -> None:
    with pytest.raises(CheckpointError):
        sign_checkpoint(CHECKPOINT, name, KEY)
    with pytest.raises(CheckpointError):
        open_checkpoint(NOTE, name, KEY.public)


def test_a_note_without_signatures_is_told() -> None:
    with pytest.raises(CheckpointError, match="no signatures"):
        opened(NOTE.replace("\n\n", "\n"))


def test_a_note_that_is_too_long_is_refused() -> None:
    stranger = "— witness.example/w " + base64.b64encode(bytes(4500)).decode() + "\n"
    with pytest.raises(CheckpointError, match="too long"):
        opened(NOTE + stranger * 30)


def test_a_public_key_of_another_length_is_refused() -> None:
    with pytest.raises(CheckpointError, match="32 bytes"):
        open_checkpoint(NOTE, NAME, KEY.public[:31])
