"""`CheckpointSigner`: signs the ledger's head, and stops where it was rewound or altered."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from core.backend.services.errors import InvalidError, NotFoundError
from core.backend.storage import ledger
from core.backend.storage.reader import Reader
from core.backend.storage.writer import Writer
from core.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from core.ledger.errors import CheckpointError, ProofError
from core.ledger.keys import SigningKey
from core.ledger.merkle import verify_consistency
from core.ledger.text import write_base64
from core.ledger.tree import prove_consistency, root_at
from core.protocol.messages import ConsistencyProof, LedgerHead

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The newest checkpoint: over the first `size` entries."""

    size: int
    note: str


class RewoundError(Exception):
    """The ledger does not go on from the last checkpoint; the message says how."""


class CheckpointSigner:
    """Its last checkpoint is kept in `state_file`, outside of the database, and each new one must
    be consistent with it: a restored backup stops the signing instead of rewriting history.

    Each node signs what it has told its own consoles, one node at a time.
    """

    def __init__(
        self, *, reader: Reader, writer: Writer, key: SigningKey, name: str, state_file: Path
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._key = key
        self._name = name
        self._state_file = state_file
        self.latest: SignedHead | None = None
        self.stopped: str | None = None

    @property
    def public(self) -> bytes:
        """The 32 bytes of the key that signs."""
        return self._key.public

    async def sign(self, size: int) -> SignedHead | None:
        """Sign the first `size` entries; None where it was signed already, where another node is
        signing just now, or where signing has stopped.

        The caller decides how often.
        """
        if self.stopped is not None or size == 0:
            return None
        if self.latest is not None and self.latest.size == size:
            return None
        try:
            made = await self._reader.run(lambda c: self._make(c, size))
        except RewoundError as error:
            self.stopped = str(error)
            _log.error("checkpoints are not signed any more: %s", error)
            return None
        if made is None:
            return None
        head, is_new = made
        if is_new:
            await self._writer.run(lambda c: ledger.write_checkpoint(c, head.size, head.note))
        self.latest = head
        return head

    async def head(self) -> LedgerHead:
        """The newest checkpoint with the tree's peaks. Raises NotFoundError before the first."""
        return await self._reader.run(self._read_head)

    async def consistency(self, size1: int, size2: int) -> ConsistencyProof:
        """Raises InvalidError for sizes between which there is no proof."""
        return await self._reader.run(lambda c: _prove(c, size1, size2))

    def _read_head(self, connection: Connection) -> LedgerHead:
        newest = ledger.read_checkpoint(connection)
        if newest is None:
            raise NotFoundError("no_checkpoint", "No checkpoint has been signed yet.")
        size, note = newest
        peaks = ledger.peaks_at(connection, size)
        epoch = ledger.read_head(connection).epoch
        return LedgerHead(
            epoch=epoch, size=size, note=note, peaks=tuple(write_base64(p) for p in peaks)
        )

    def _make(self, connection: Connection, size: int) -> tuple[SignedHead, bool] | None:
        """The checkpoint at `size`, and whether the database lacks it; None where it is not its
        turn: another node signs now, or more was signed already."""
        if not ledger.may_sign(connection):
            return None
        read = ledger.node_reader(connection)
        try:
            root = root_at(size, read)
        except ProofError as error:
            raise RewoundError(f"the stored tree is damaged: {error}") from error
        last = self._last()
        if last is not None:
            _check_length(last, connection)
            if last.size > size:
                return None  # more than that was signed already
            _check(last, size, root, connection)
        # The same bytes on every node: where another has signed this size, it is remembered here.
        note = sign_checkpoint(Checkpoint(self._name, size, root), self._name, self._key)
        _write_atomically(self._state_file, json.dumps({"note": note}))
        stored = ledger.read_checkpoint(connection)
        return SignedHead(size, note), stored is None or stored[0] != size

    def _last(self) -> Checkpoint | None:
        """The last checkpoint by our own memory, which nobody can rewind with the database."""
        try:
            text = self._state_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            return open_checkpoint(json.loads(text)["note"], self._name, self.public)
        except (ValueError, KeyError, TypeError, CheckpointError) as error:
            raise RewoundError(f"the kept checkpoint cannot be read: {error}") from error


def _check_length(last: Checkpoint, connection: Connection) -> None:
    size = ledger.read_head(connection).size
    if last.size > size:
        raise RewoundError(f"the ledger has {size} entries, but {last.size} were signed before")


def _check(last: Checkpoint, size: int, root: bytes, connection: Connection) -> None:
    try:
        proof = prove_consistency(last.size, size, ledger.node_reader(connection))
        verify_consistency(last.size, size, proof, last.root, root)
    except ProofError as error:
        raise RewoundError("the signed entries are not the ones that are stored now") from error


def _prove(connection: Connection, size1: int, size2: int) -> ConsistencyProof:
    if size2 > ledger.read_head(connection).size:
        raise InvalidError("no_proof", "The ledger is not that long.")
    try:
        proof = prove_consistency(size1, size2, ledger.node_reader(connection))
    except ProofError as error:
        raise InvalidError("no_proof", "There is no proof between these sizes.") from error
    return ConsistencyProof(size1=size1, size2=size2, hashes=tuple(write_base64(h) for h in proof))


def _write_atomically(path: Path, text: str) -> None:
    """The old content or the new, whatever happens in between; on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
