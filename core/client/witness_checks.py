"""What a witness checks, without files or network: each check passes or raises BrokenError."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from core.client.witness_file import AlarmKind, Contact, Verified
from core.ledger import devices, tree
from core.ledger.checkpoint import Checkpoint, open_checkpoint
from core.ledger.errors import CheckpointError, LeafError, LedgerError, ProofError
from core.ledger.keys import PUBLIC_BYTES, fingerprint
from core.ledger.leaf import Leaf, decode
from core.ledger.merkle import HASH_BYTES, verify_consistency
from core.ledger.text import decode_base64, read_base64
from core.protocol.messages import ConsistencyProof, LedgerHead, Workspace


class BrokenError(Exception):
    """Something does not hold. `theirs` is the backend's own text that shows it."""

    def __init__(self, kind: AlarmKind, message: str, theirs: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.theirs = theirs


def read_key(workspace: Workspace) -> bytes:
    """The key that the workspace says its checkpoints are signed with (32 bytes)."""
    try:
        return read_base64(workspace.checkpoint_key, PUBLIC_BYTES)
    except LeafError as error:
        raise BrokenError(
            AlarmKind.BAD_CHECKPOINT,
            "The backend's ledger key is not a key.",
            workspace.checkpoint_key,
        ) from error


def open_note(note: str, key_name: str, key: bytes) -> Checkpoint:
    """The checkpoint of a note that this key signed."""
    try:
        return open_checkpoint(note, key_name, key)
    except CheckpointError as error:
        message = "A checkpoint of the ledger is not rightly signed."
        raise BrokenError(AlarmKind.BAD_CHECKPOINT, message, note) from error


def open_known(note: str, contact: Contact) -> Checkpoint:
    """The same, of the ledger that is known."""
    checkpoint = open_note(note, contact.key_name, contact.key)
    if checkpoint.origin != contact.origin:
        message = "A checkpoint belongs to another ledger than the one this console knows."
        raise BrokenError(AlarmKind.OTHER_LEDGER, message, note)
    return checkpoint


def first_contact(workspace: Workspace, head: LedgerHead, *, accepted: bool) -> Contact:
    """The ledger of this head, under the key that the backend says is its own."""
    key, name = read_key(workspace), workspace.checkpoint_name
    checkpoint = open_note(head.note, name, key)
    return Contact(
        epoch=head.epoch,
        origin=checkpoint.origin,
        key_name=name,
        key=key,
        accepted=accepted,
        verified=read_head(head, checkpoint),
    )


def check_identity(contact: Contact, workspace: Workspace | None, head: LedgerHead) -> None:
    """The ledger that is known, under the key that was pinned for it."""
    if workspace is not None and (
        read_key(workspace) != contact.key or workspace.checkpoint_name != contact.key_name
    ):
        message = "The key that signs the ledger is not the one this console has pinned."
        raise BrokenError(AlarmKind.KEY_CHANGED, message, workspace.checkpoint_key)
    if head.epoch != contact.epoch:
        message = "The backend shows another ledger than the one this console knows."
        raise BrokenError(AlarmKind.OTHER_LEDGER, message, head.note)


def read_peaks(peaks: Sequence[str], size: int) -> tuple[bytes, ...] | None:
    """The peaks of a tree of `size` leaves from base64; None if they cannot be."""
    try:
        read = tuple(read_base64(peak, HASH_BYTES) for peak in peaks)
    except LeafError:
        return None
    return read if len(read) == size.bit_count() else None


def read_head(head: LedgerHead, checkpoint: Checkpoint) -> Verified:
    """The tree of a head whose note is `checkpoint`: the peaks must give the signed root."""
    peaks = read_peaks(head.peaks, checkpoint.size)
    if (
        peaks is None
        or head.size != checkpoint.size
        or tree.root_from_peaks(peaks) != checkpoint.root
    ):
        message = "The ledger's tree does not give the root that was signed."
        raise BrokenError(AlarmKind.BAD_CHECKPOINT, message, head.note)
    return Verified(checkpoint.size, checkpoint.root, head.note, peaks)


def check_not_shorter(verified: Verified, size: int, theirs: str) -> None:
    if size < verified.size:
        message = (
            f"The ledger has {size} entries, but this console has verified {verified.size}: "
            "entries were cut off."
        )
        raise BrokenError(AlarmKind.REWOUND, message, theirs)


def check_same(verified: Verified, checkpoint: Checkpoint, theirs: str) -> None:
    """Two checkpoints of one size must have one root."""
    if checkpoint.size == verified.size and checkpoint.root != verified.root:
        message = f"There are two different ledgers with {verified.size} entries."
        raise BrokenError(AlarmKind.FORKED, message, theirs)


def check_continues(old: Verified, new: Verified, proof: ConsistencyProof) -> None:
    """`new` must hold all of `old`, unchanged."""
    try:
        hashes = [decode_base64(item) for item in proof.hashes]
        verify_consistency(old.size, new.size, hashes, old.root, new.root)
    except (LeafError, ProofError) as error:
        message = "Entries that this console has verified were changed or removed afterwards."
        raise BrokenError(AlarmKind.FORKED, message, new.note) from error


def leaf_of_interest(text: str) -> Leaf | None:
    """The leaf if it is signed and readable; most leaves are not worth decoding."""
    if '"signed":null' in text:
        return None
    try:
        return decode(text.encode())
    except LedgerError:
        return None


def check_root_device(leaf: Leaf, pinned: Collection[str], theirs: str) -> None:
    """A root device other than the pinned ones would be able to enroll anybody."""
    if leaf.action != devices.ENROLLED or leaf.facts.get("root") is not True:
        return
    try:
        found = fingerprint(read_base64(leaf.facts.get("public_key"), PUBLIC_BYTES))
    except LeafError:
        found = "unreadable"
    if found not in pinned:
        message = "Another first administrator's device appeared in the ledger."
        raise BrokenError(AlarmKind.ROOT_DEVICE_CHANGED, message, theirs)


def check_roots(pinned: Collection[str], told: Sequence[str]) -> None:
    """Once a root is pinned, the backend tells of no other."""
    other = [one for one in told if one not in pinned]
    if pinned and other:
        message = "Another first administrator's device appeared than those this console knows."
        raise BrokenError(AlarmKind.ROOT_DEVICE_CHANGED, message, ", ".join(other))
