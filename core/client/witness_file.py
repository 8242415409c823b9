"""What a witness keeps on disk: what it has pinned, its last verified checkpoint, its alarm."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

_VERSION = 2


class AlarmKind(StrEnum):
    """What does not hold."""

    STATE_UNREADABLE = "state_unreadable"
    BAD_CHECKPOINT = "bad_checkpoint"
    KEY_CHANGED = "key_changed"
    OTHER_LEDGER = "other_ledger"
    REWOUND = "rewound"
    FORKED = "forked"
    DECISION_ALTERED = "decision_altered"
    ROOT_DEVICE_CHANGED = "root_device_changed"


@dataclass(frozen=True, slots=True)
class WitnessAlarm:
    """Stays until a person accepts it. `evidence` is a file beside the witness's own, empty while
    the disk takes none."""

    kind: AlarmKind
    message: str
    at: datetime
    evidence: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A checkpoint that was verified: its signed note, root (32 bytes), and the tree's peaks."""

    size: int
    root: bytes
    note: str
    peaks: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Contact:
    """The ledger this console knows. `accepted`: a person compared the key's fingerprint."""

    epoch: UUID
    origin: str
    key_name: str
    key: bytes
    accepted: bool
    verified: Verified


@dataclass(frozen=True, slots=True)
class Kept:
    """All of it. `root_devices` are the fingerprints of the first administrators' devices.

    `disputed` are the digests (hex) of own decisions that an alarm was sounded about: it is not
    sounded again about the same one.
    """

    contact: Contact | None = None
    root_devices: tuple[str, ...] = ()
    alarm: WitnessAlarm | None = None
    disputed: frozenset[str] = frozenset()


class UnreadableStateError(Exception):
    """The file is there and makes no sense: that is an alarm, never a first contact."""


def load(path: Path) -> Kept:
    """Nothing kept if there is no file. Raises UnreadableStateError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Kept()
    except (OSError, ValueError) as error:
        raise UnreadableStateError from error
    try:
        fields = json.loads(text)
        if fields["version"] == 1:  # knew one root only
            root = fields["root_device"]
            fields |= {"version": _VERSION, "root_devices": [] if root is None else [root]}
        if fields["version"] != _VERSION:
            raise UnreadableStateError
        return Kept(
            contact=_read_contact(fields["contact"]),
            root_devices=tuple(str(one) for one in fields["root_devices"]),
            alarm=_read_alarm(fields["alarm"]),
            # Came later than the rest of this version.
            disputed=frozenset(str(one) for one in fields.get("disputed", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableStateError from error


def save(path: Path, kept: Kept) -> None:
    """Replace the file in one step; readable by this account only."""
    fields = {
        "version": _VERSION,
        "contact": None if kept.contact is None else _write_contact(kept.contact),
        "root_devices": list(kept.root_devices),
        "alarm": None if kept.alarm is None else _write_alarm(kept.alarm),
        "disputed": sorted(kept.disputed),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes files of mode 0600.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(fields, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def keep_evidence(path: Path, stem: str, evidence: Mapping[str, object]) -> str:
    """Write evidence beside `path`, never over an older file; its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number = 0
    while True:
        number += 1
        target = path.with_name(f"{path.stem}-{stem}-{number}.json")
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(evidence, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return target.name


def _write_contact(contact: Contact) -> dict[str, object]:
    verified = contact.verified
    return {
        "epoch": str(contact.epoch),
        "origin": contact.origin,
        "key_name": contact.key_name,
        "key": _text(contact.key),
        "accepted": contact.accepted,
        "size": verified.size,
        "root": _text(verified.root),
        "note": verified.note,
        "peaks": [_text(peak) for peak in verified.peaks],
    }


def _read_contact(fields: Any) -> Contact | None:
    if fields is None:
        return None
    size, note, accepted = fields["size"], fields["note"], fields["accepted"]
    if type(size) is not int or type(note) is not str or type(accepted) is not bool:
        raise UnreadableStateError
    peaks = tuple(_bytes(peak) for peak in fields["peaks"])
    if size < 0 or len(peaks) != size.bit_count():
        raise UnreadableStateError
    return Contact(
        epoch=UUID(fields["epoch"]),
        origin=str(fields["origin"]),
        key_name=str(fields["key_name"]),
        key=_bytes(fields["key"]),
        accepted=accepted,
        verified=Verified(size, _bytes(fields["root"]), note, peaks),
    )


def _write_alarm(alarm: WitnessAlarm) -> dict[str, object]:
    return {
        "kind": alarm.kind.value,
        "message": alarm.message,
        "at": alarm.at.isoformat(),
        "evidence": alarm.evidence,
    }


def _read_alarm(fields: Any) -> WitnessAlarm | None:
    if fields is None:
        return None
    return WitnessAlarm(
        kind=AlarmKind(fields["kind"]),
        message=str(fields["message"]),
        at=datetime.fromisoformat(fields["at"]),
        evidence=str(fields["evidence"]),
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if len(data) != 32:  # hashes and keys alike
        raise UnreadableStateError
    return data
