"""Checkpoints: the head of the log, signed. C2SP tlog-checkpoint in C2SP signed-note form.

    bursar.example/ledger
    1234
    <root in base64>

    — bursar.example/ledger <base64 of key id and Ed25519 signature>

https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note
"""

import re
from dataclasses import dataclass
from hashlib import sha256

from core.ledger.errors import CheckpointError, LeafError
from core.ledger.keys import PUBLIC_BYTES, SigningKey, verify
from core.ledger.merkle import HASH_BYTES
from core.ledger.text import decode_base64, read_base64, write_base64

MAX_NOTE_CHARS = 128 * 1024  # the specification wants room for 16 signatures of nearly 5 kB
MAX_SIGNATURES = 64
MAX_NAME_CHARS = 255
MAX_TREE_SIZE = 2**63 - 1
KEY_ID_BYTES = 4

_ED25519 = b"\x01"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_NAME = re.compile(r"[^\s+]+")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+=*)")


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log: which log, how many entries, and the root over them (32 bytes)."""

    origin: str
    size: int
    root: bytes


def body(checkpoint: Checkpoint) -> str:
    """The text that is signed, its last newline included. Raises `CheckpointError`."""
    origin = checkpoint.origin
    if not 0 < len(origin) <= MAX_NAME_CHARS or "\n" in origin or _CONTROL.search(origin):
        raise CheckpointError("the origin is empty, too long or holds control characters")
    if not 0 <= checkpoint.size <= MAX_TREE_SIZE:
        raise CheckpointError("the size is out of range")
    if len(checkpoint.root) != HASH_BYTES:
        raise CheckpointError(f"the root is not {HASH_BYTES} bytes long")
    return f"{origin}\n{checkpoint.size}\n{write_base64(checkpoint.root)}\n"


def key_id(key_name: str, public: bytes) -> bytes:
    """Four bytes that, with the name, tell which key signed."""
    return sha256(key_name.encode() + b"\n" + _ED25519 + public).digest()[:KEY_ID_BYTES]


def sign_checkpoint(checkpoint: Checkpoint, key_name: str, key: SigningKey) -> str:
    """The signed note. Raises `CheckpointError` for a checkpoint or name that cannot be written."""
    text = body(checkpoint)
    _check_key_name(key_name)
    try:
        signature = key_id(key_name, key.public) + key.sign(text.encode())
    except UnicodeEncodeError as error:
        raise CheckpointError("the origin or the key name is not valid text") from error
    return f"{text}\n— {key_name} {write_base64(signature)}\n"


def open_checkpoint(note: str, key_name: str, public: bytes) -> Checkpoint:
    """The checkpoint of a note that this key signed. Raises `CheckpointError` for anything else.

    Other keys' signatures and extension lines are passed over, as the specification wants. The
    caller compares `origin` with the log it means.
    """
    _check_key_name(key_name)
    if len(public) != PUBLIC_BYTES:
        raise CheckpointError(f"a public key is {PUBLIC_BYTES} bytes long")
    text, lines = _split(note)
    try:
        _check_signatures(text.encode(), lines, key_name, public)
    except UnicodeEncodeError as error:
        raise CheckpointError("the note is not valid text") from error
    return _read_body(text)


def _split(note: object) -> tuple[str, list[str]]:
    if not isinstance(note, str) or len(note) > MAX_NOTE_CHARS:
        raise CheckpointError("the note is no text, or too long")
    if _CONTROL.search(note):
        raise CheckpointError("the note holds control characters")
    text, gap, signatures = note.rpartition("\n\n")
    if not gap or not signatures.endswith("\n"):
        raise CheckpointError("the note has no signatures")
    lines = signatures.removesuffix("\n").split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise CheckpointError("the note has too many signatures")
    return text + "\n", lines


def _check_signatures(text: bytes, lines: list[str], key_name: str, public: bytes) -> None:
    """At least one signature is this key's, and none of this key's is wrong."""
    expected = key_id(key_name, public)
    found = False
    for line in lines:
        name, signature = _read_signature(line)
        if (name, signature[:KEY_ID_BYTES]) != (key_name, expected):
            continue
        if not verify(public, text, signature[KEY_ID_BYTES:]):
            raise CheckpointError("the signature does not hold")
        found = True
    if not found:
        raise CheckpointError("the note is not signed by the expected key")


def _read_signature(line: str) -> tuple[str, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise CheckpointError("a signature line is malformed")
    try:
        data = decode_base64(match[2])
    except LeafError as error:
        raise CheckpointError("a signature line is malformed") from error
    if len(data) <= KEY_ID_BYTES:
        raise CheckpointError("a signature line is malformed")
    return match[1], data


def _read_body(text: str) -> Checkpoint:
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise CheckpointError("the checkpoint has not its three lines")
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size) or int(size) > MAX_TREE_SIZE:
        raise CheckpointError("the size is not a plain number")
    if len(origin) > MAX_NAME_CHARS:
        raise CheckpointError("the origin is too long")
    try:
        return Checkpoint(origin, int(size), read_base64(root, HASH_BYTES))
    except LeafError as error:
        raise CheckpointError("the root is not a hash in base64") from error


def _check_key_name(key_name: str) -> None:
    if len(key_name) > MAX_NAME_CHARS or not _KEY_NAME.fullmatch(key_name):
        raise CheckpointError("a key name is empty, too long, or holds spaces or a plus sign")
