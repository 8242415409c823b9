"""A ledger that can be made to lie, and a witness that watches it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from core.client.errors import UnreachableError
from core.client.witness import Witness, WitnessStatus
from core.client.witness_file import AlarmKind
from core.ledger import merkle, tree
from core.ledger.checkpoint import Checkpoint, sign_checkpoint
from core.ledger.keys import SigningKey
from core.ledger.leaf import Leaf, Signed, encode
from core.protocol.feed import CheckpointSeen, Entry, Snapshot
from core.protocol.messages import (
    AUDIT_PAGE_ROWS,
    AuditEntry,
    AuditPage,
    ConsistencyProof,
    InclusionProof,
    LedgerHead,
    Workspace,
)
from tests.client.build import START, Clock, device_key
from tests.protocol.build import EPOCH

NAME = "bursar.test/ledger"
KEY = SigningKey(b"\x05" * 32)
OTHER_KEY = SigningKey(b"\x06" * 32)


class Ledger:
    """A ledger in memory that answers as the backend does. Its methods can be made to lie."""

    def __init__(self, *, key: SigningKey = KEY, epoch: UUID = EPOCH) -> None:
        self.leaves: list[str] = []
        self.key = key
        self.epoch = epoch
        self.reachable = True
        self.refused = 0  # questions, while it was not
        self.signed_size: int | None = None
        self.hidden: set[int] = set()
        self.asked: list[str] = []

    def grow(self, count: int, mark: str = "leaf") -> list[Entry]:
        start = len(self.leaves)
        self.leaves += [f'{{"{mark}":{start + i},"signed":null}}' for i in range(count)]
        return [Entry(i, self.leaves[i], None) for i in range(start, len(self.leaves))]

    def add(self, leaf: str) -> Entry:
        self.leaves.append(leaf)
        return Entry(len(self.leaves) - 1, leaf, None)

    def hashes(self, size: int) -> list[bytes]:
        return [merkle.leaf_hash(leaf.encode()) for leaf in self.leaves[:size]]

    def note(self, size: int | None = None, *, origin: str = NAME) -> str:
        size = len(self.leaves) if size is None else size
        return sign_checkpoint(
            Checkpoint(origin, size, merkle.root(self.hashes(size))), NAME, self.key
        )

    def checkpoint(self, size: int | None = None) -> CheckpointSeen:
        size = len(self.leaves) if size is None else size
        return CheckpointSeen(size, self.note(size))

    def workspace(self) -> Workspace:
        return Workspace(
            name="Test", demo=True, threshold_cents=None, checkpoint_name=NAME,
            checkpoint_key=base64.b64encode(self.key.public).decode(),
        )  # fmt: skip

    def snapshot(self, *, with_peaks: bool = True) -> Snapshot:
        peaks = tree.append(0, (), self.hashes(len(self.leaves))).peaks if with_peaks else ()
        encoded = tuple(base64.b64encode(peak).decode() for peak in peaks)
        return Snapshot(len(self.leaves), (), encoded)

    def answers(self) -> None:
        """Raises UnreachableError while it cannot be reached."""
        if not self.reachable:
            self.refused += 1
            raise UnreachableError("gone")

    async def ledger_head(self) -> LedgerHead:
        self.answers()
        size = len(self.leaves) if self.signed_size is None else self.signed_size
        peaks = tree.append(0, (), self.hashes(size)).peaks
        return LedgerHead(
            epoch=self.epoch, size=size, note=self.note(size),
            peaks=tuple(base64.b64encode(peak).decode() for peak in peaks),
        )  # fmt: skip

    async def consistency(self, size1: int, size2: int) -> ConsistencyProof:
        self.answers()
        proof = merkle.consistency_proof(self.hashes(size2), size1)
        hashes = tuple(base64.b64encode(item).decode() for item in proof)
        return ConsistencyProof(size1=size1, size2=size2, hashes=hashes)

    async def audit_page(
        self, wanted: Mapping[str, str], *, before: int | None = None, limit: int = 100
    ) -> AuditPage:
        assert not wanted
        assert 1 <= limit <= AUDIT_PAGE_ROWS
        self.asked.append("page")
        self.answers()
        end = len(self.leaves) if before is None else before
        shown = range(end - 1, max(end - limit, 0) - 1, -1)
        return AuditPage(
            size=len(self.leaves),
            entries=tuple(
                AuditEntry(index=i, leaf=self.leaves[i], actor_name="A", about="", reference=None)
                for i in shown
                if i not in self.hidden
            ),
        )

    async def inclusion(self, index: int, size: int) -> InclusionProof:
        self.asked.append("proof")
        self.answers()
        proof = merkle.inclusion_proof(self.hashes(size), index)
        hashes = tuple(base64.b64encode(item).decode() for item in proof)
        return InclusionProof(index=index, size=size, hashes=hashes)


class Desk:
    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.path = path / "witness.json"
        self.ledger = ledger
        self.told: list[WitnessStatus] = []
        self.witness: Witness

    async def open(self) -> Witness:
        self.witness = await Witness.open(
            self.path, source=self.ledger, on_change=self.told.append, now=Clock()
        )
        return self.witness

    async def start(self) -> Witness:
        """Open, meet, and accept the first contact."""
        witness = await self.open()
        await witness.meet(self.ledger.workspace())
        await witness.accept_first_contact()
        return witness

    def verified_to(self) -> int | None:
        return self.witness.status.verified_to

    def alarm(self) -> AlarmKind | None:
        alarm = self.witness.status.alarm
        return None if alarm is None else alarm.kind

    def evidence(self) -> dict[str, object]:
        alarm = self.witness.status.alarm
        assert alarm is not None
        found: dict[str, object] = json.loads(self.path.with_name(alarm.evidence).read_text())
        return found


def decision_leaf(
    number: int, payload: bytes, signature: bytes, action: str = "enrollment.approved"
) -> str:
    device = device_key()
    leaf = Leaf(
        entry_id=UUID(int=number), time=START, actor=f"user:{device.user}", device=device.id,
        action=action, subject=f"enrollment:{UUID(int=9)}", before=1, after=2,
        facts={}, signed=Signed(payload, signature),
    )  # fmt: skip
    return encode(leaf).decode()
