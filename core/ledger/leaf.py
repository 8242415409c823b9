"""The leaf, version 1: one ledger entry as exact bytes. Frozen from the first commit.

The bytes are canonical JSON with the keys v, id, time, actor, device, action, subject, before,
after, facts, signed. Verifiers hash the stored bytes; `decode` accepts only bytes that `encode`
would have written, so that one entry has one form.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.ledger.canonical import MAX_INT, MAX_LEAF_BYTES, Json, canonical, parse
from core.ledger.errors import LeafError
from core.ledger.keys import SIGNATURE_BYTES
from core.ledger.text import (
    UUID_PATTERN,
    read_base64,
    read_text,
    read_time,
    read_uuid,
    write_base64,
    write_time,
)

VERSION: Final = 1
_KEYS = frozenset(
    "v id time actor device action subject before after facts signed".split()  # noqa: SIM905 - one line reads better
)
_ACTOR = re.compile(rf"(?:user|student):{UUID_PATTERN}|gateway|system")
_ACTION = re.compile(r"(?=.{1,64}\Z)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
_SUBJECT = re.compile(rf"[a-z][a-z_]{{0,31}}:{UUID_PATTERN}")


@dataclass(frozen=True)
class Signed:
    """What a device signed: the exact bytes (UTF-8 text) and its Ed25519 signature (64 bytes)."""

    payload: bytes
    signature: bytes


@dataclass(frozen=True)
class Leaf:
    """One entry. Raises `LeafError` when made with values that no leaf can hold.

    `time` is in UTC. `actor` is "user:<uuid>", "student:<uuid>", "gateway" or "system"; `action` a
    dotted code such as "enrollment.approved"; `subject` a kind and an id: "enrollment:<uuid>".
    `before` and `after` are the subject's versions. `facts` holds neither personal data nor free
    text.
    """

    entry_id: UUID
    time: datetime
    actor: str
    device: UUID | None
    action: str
    subject: str
    before: int | None
    after: int | None
    facts: Mapping[str, Json]
    signed: Signed | None

    def __post_init__(self) -> None:
        write_time(self.time)
        if not _ACTOR.fullmatch(self.actor):
            raise LeafError("the actor is no user, no student, not the gateway and not the system")
        if not _ACTION.fullmatch(self.action):
            raise LeafError("the action is not a dotted code")
        if not _SUBJECT.fullmatch(self.subject):
            raise LeafError("the subject is not a kind and an id")
        _check_version(self.before)
        _check_version(self.after)


def encode(leaf: Leaf) -> bytes:
    """The leaf's bytes. Raises `LeafError` for facts not allowed, and over `MAX_LEAF_BYTES`."""
    data = canonical(
        {
            "v": VERSION,
            "id": str(leaf.entry_id),
            "time": write_time(leaf.time),
            "actor": leaf.actor,
            "device": None if leaf.device is None else str(leaf.device),
            "action": leaf.action,
            "subject": leaf.subject,
            "before": leaf.before,
            "after": leaf.after,
            "facts": dict(leaf.facts),
            "signed": None if leaf.signed is None else _write_signed(leaf.signed),
        }
    )
    if len(data) > MAX_LEAF_BYTES:
        raise LeafError(f"the leaf is longer than {MAX_LEAF_BYTES} bytes")
    return data


def decode(data: bytes) -> Leaf:
    """Read a leaf. Raises `LeafError` unless these are exactly the bytes `encode` writes."""
    value = parse(data)
    if not isinstance(value, dict) or value.keys() != _KEYS:
        raise LeafError("the leaf has not exactly the keys of version 1")
    if value["v"] != VERSION:
        raise LeafError("the leaf is of an unknown version")
    facts = value["facts"]
    if not isinstance(facts, dict):
        raise LeafError("the facts are not an object")
    leaf = Leaf(
        entry_id=read_uuid(value["id"]),
        time=read_time(value["time"]),
        actor=read_text(value["actor"]),
        device=None if value["device"] is None else read_uuid(value["device"]),
        action=read_text(value["action"]),
        subject=read_text(value["subject"]),
        before=_read_version(value["before"]),
        after=_read_version(value["after"]),
        facts=facts,
        signed=None if value["signed"] is None else _read_signed(value["signed"]),
    )
    if encode(leaf) != data:
        raise LeafError("the leaf is not in its canonical form")
    return leaf


def _check_version(version: int | None) -> None:
    if version is not None and not 0 <= version <= MAX_INT:
        raise LeafError("a version is out of range")


def _read_version(value: Json) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise LeafError("a version is not a whole number")
    return value


def _write_signed(signed: Signed) -> dict[str, str]:
    if len(signed.signature) != SIGNATURE_BYTES:
        raise LeafError(f"a signature is {SIGNATURE_BYTES} bytes long")
    try:
        payload = signed.payload.decode()
    except UnicodeDecodeError as error:
        raise LeafError("the signed bytes are not UTF-8") from error
    return {"payload": payload, "signature": write_base64(signed.signature)}


def _read_signed(value: Json) -> Signed:
    if not isinstance(value, dict) or value.keys() != {"payload", "signature"}:
        raise LeafError("the signed part has not exactly a payload and a signature")
    return Signed(
        payload=read_text(value["payload"]).encode(),
        signature=read_base64(value["signature"], SIGNATURE_BYTES),
    )
