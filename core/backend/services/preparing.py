"""Signed decisions and withdrawals before they come to the writer: read, and their signatures and
words checked. Everything that can change meanwhile is checked by the writer (`deciding.py`,
`withdrawing.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from core.backend.services.commands import DecideCommand, WithdrawCommand
from core.backend.services.identities import StaffIdentity
from core.backend.storage import lookups
from core.backend.storage.records import Device, Note
from core.backend.storage.vault import Vault
from core.domain.decisions import Decision
from core.domain.money import MAX_CENTS
from core.ledger.canonical import MAX_INT
from core.ledger.commitments import commit
from core.ledger.errors import LeafError
from core.ledger.keys import SIGNATURE_BYTES, verify
from core.ledger.text import read_base64
from core.protocol.messages import AnswerKind, DecisionAnswer, DecisionBatch, SignedDecision
from core.protocol.messages import Note as NoteBody
from core.protocol.signing import PayloadError, Withdrawal, read_decision, read_withdrawal

_HEX32 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Early:
    """An item that got its answer before it came to the writer."""

    answer: DecisionAnswer


Prepared = Early | DecideCommand | WithdrawCommand


def prepare(
    connection: Connection, vault: Vault, officer: StaffIdentity, batch: DecisionBatch
) -> list[Prepared]:
    """One per item, in order. For a reading thread: signatures cost about 0.1 ms each."""
    read = [_read(item) for item in batch.items]
    devices = {made.device for made in read if made is not None}
    known = {d.id: d for d in lookups.read_devices(connection, devices)} if devices else {}
    pairs = zip(batch.items, read, strict=True)
    return [_prepare_one(vault, officer, item, made, known) for item, made in pairs]


def _prepare_one(
    vault: Vault,
    officer: StaffIdentity,
    item: SignedDecision,
    made: Decision | Withdrawal | None,
    devices: Mapping[UUID, Device],
) -> Prepared:
    if made is None:
        return _early(item.id, "unreadable", "This decision cannot be read.")
    if made.officer != officer.user:
        return _early(item.id, "not_yours", "Somebody else made this decision.")
    device = devices.get(made.device)
    if device is None:
        message = "This device waits for an administrator."
        return _early(item.id, "device_pending", message, AnswerKind.TRANSIENT)
    if device.user_id != officer.user:
        return _early(item.id, "not_yours", "This device is somebody else's.")
    signature = _read_signature(item.signature)
    payload = item.payload.encode()
    if signature is None or not verify(device.public_key, payload, signature):
        return _early(item.id, "bad_signature", "The signature does not hold.")
    if not _note_fits(item.note, made):
        message = "The words are not the ones that were signed."
        return _early(item.id, "wrong_note", message)
    if isinstance(made, Withdrawal):
        return WithdrawCommand(
            withdrawal=made, payload=payload, signature=signature, session=officer.session
        )
    return DecideCommand(
        decision=made,
        payload=payload,
        signature=signature,
        session=officer.session,
        note=_seal(vault, item.note, made),
    )


def _seal(vault: Vault, note: NoteBody | None, decision: Decision) -> Note | None:
    if note is None or decision.reason_commitment is None:
        return None
    commitment = decision.reason_commitment
    plain = json.dumps([note.text, note.salt]).encode()
    return Note(commitment, vault.seal(plain, place=f"notes/{commitment}"))


def _read(item: SignedDecision) -> Decision | Withdrawal | None:
    """What was signed, None where it cannot be read. The canonical form tells which it is."""
    payload = item.payload.encode()
    made: Decision | Withdrawal
    try:
        made = read_decision(payload)
    except PayloadError:
        try:
            made = read_withdrawal(payload)
        except PayloadError:
            return None
    # The largest number is not taken, or there would be none for the next decision.
    fits = made.id == item.id and made.n < MAX_INT
    if isinstance(made, Decision):
        fits = fits and _has_no_words(made)
    return made if fits else None


def _has_no_words(decision: Decision) -> bool:
    """Free text has no way into the ledger: hashes are hashes, and money has its limit."""
    reason = decision.reason_commitment
    return (
        _HEX32.fullmatch(decision.seen) is not None
        and (reason is None or _HEX32.fullmatch(reason) is not None)
        and (decision.amount_received or 0) <= MAX_CENTS
    )


def _read_signature(text: str) -> bytes | None:
    try:
        return read_base64(text, SIGNATURE_BYTES)
    except LeafError:
        return None


def _note_fits(note: NoteBody | None, made: Decision | Withdrawal) -> bool:
    """No words without their commitment; a commitment may come without its words."""
    if note is None:
        return True
    if isinstance(made, Withdrawal):
        return False
    try:
        return commit(bytes.fromhex(note.salt), note.text) == made.reason_commitment
    except (LeafError, ValueError):
        return False


def _early(id_: UUID, code: str, message: str, kind: AnswerKind = AnswerKind.REFUSED) -> Early:
    return Early(DecisionAnswer(id=id_, kind=kind, code=code, message=message))
