"""The stored ledger: its head, its entries and the nodes of its tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from core.backend.storage.keys import among
from core.backend.storage.tables import checkpoints, ledger_entries, ledger_head, ledger_nodes
from core.ledger.leaf import Leaf, encode
from core.ledger.merkle import leaf_hash
from core.ledger.tree import NodeId, Read, append, peaks

# PostgreSQL tells the other nodes on this channel that the ledger grew.
CHANNEL = "bursar_ledger"
# PostgreSQL's advisory lock of whoever signs a checkpoint: "bursarcp" as a number.
_SIGNING_LOCK = int.from_bytes(b"bursarcp")
_TELL = select(func.pg_notify(CHANNEL, ""))


@dataclass(frozen=True, slots=True)
class Head:
    """`peaks`: the hashes of the complete subtrees that make up the tree, left to right."""

    epoch: UUID
    size: int
    peaks: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """`leaf` is the exact bytes; `subject` such as `enrollment:<id>`. The last four repeat it."""

    index: int
    leaf: bytes
    leaf_hash: bytes
    subject: str
    at: datetime
    actor: str
    action: str


def read_head(connection: Connection) -> Head:
    columns = ledger_head.c
    row = connection.execute(select(columns.epoch, columns.size, columns.peaks)).one()
    return Head(row.epoch, row.size, row.peaks)


def append_entries(connection: Connection, head: Head, leaves: Sequence[Leaf]) -> Head:
    """Write the leaves behind the head; call inside the writing transaction only."""
    if not leaves:
        return head
    encoded = [encode(leaf) for leaf in leaves]
    hashes = [leaf_hash(data) for data in encoded]
    connection.execute(
        ledger_entries.insert(),
        [
            {
                "index": head.size + i,
                "leaf": encoded[i],
                "leaf_hash": hashes[i],
                "subject": leaf.subject,
                "at": leaf.time,
                "actor": leaf.actor,
                "action": leaf.action,
            }
            for i, leaf in enumerate(leaves)
        ],
    )
    tree = append(head.size, head.peaks, hashes)
    if tree.nodes:
        connection.execute(
            ledger_nodes.insert(),
            [{"level": node.level, "index": node.index, "hash": h} for node, h in tree.nodes],
        )
    connection.execute(ledger_head.update().values(size=tree.size, peaks=tree.peaks))
    if connection.dialect.name == "postgresql":
        connection.execute(_TELL)  # heard by nobody before the commit
    return Head(head.epoch, tree.size, tree.peaks)


def read_entries(connection: Connection, begin: int, end: int) -> list[StoredEntry]:
    """The entries from `begin` up to, not including, `end`, in order."""
    index = ledger_entries.c.index
    query = select(ledger_entries).where(index >= begin, index < end).order_by(index)
    return [StoredEntry(**row) for row in connection.execute(query).mappings()]


def read_subject_entries(connection: Connection, subject: str, limit: int) -> list[StoredEntry]:
    """The newest `limit` entries about a subject, oldest first."""
    query = (
        select(ledger_entries)
        .where(ledger_entries.c.subject == subject)
        .order_by(ledger_entries.c.index.desc())
        .limit(limit)
    )
    return [StoredEntry(**row) for row in connection.execute(query).mappings()][::-1]


def node_reader(connection: Connection) -> Read:
    """What `core.ledger.tree` reads nodes with."""

    def read(ids: Sequence[NodeId]) -> Mapping[NodeId, bytes]:
        leaves = [node.index for node in ids if node.level == 0]
        inner = {node for node in ids if node.level > 0}
        found: dict[NodeId, bytes] = {}
        if leaves:
            c = ledger_entries.c
            rows = connection.execute(select(c.index, c.leaf_hash).where(c.index.in_(leaves)))
            found.update((NodeId(0, row[0]), row[1]) for row in rows)
        if inner:
            n = ledger_nodes.c
            query = select(n.level, n.index, n.hash).where(among(n.level, n.index, inner))
            nodes = connection.execute(query)
            found.update((NodeId(row[0], row[1]), row[2]) for row in nodes)
        return found

    return read


def peaks_at(connection: Connection, size: int) -> tuple[bytes, ...]:
    """The peaks that the tree had at `size` leaves. Raises KeyError for a tree that lacks them."""
    ids = peaks(size)
    hashes = node_reader(connection)(ids) if ids else {}
    return tuple(hashes[node] for node in ids)


def may_sign(connection: Connection) -> bool:
    """Whether no other node signs a checkpoint now; holds until this transaction ends."""
    if connection.dialect.name != "postgresql":
        return True
    query = select(func.pg_try_advisory_xact_lock(_SIGNING_LOCK))
    return bool(connection.execute(query).scalar_one())


def read_checkpoint(connection: Connection) -> tuple[int, str] | None:
    """Size and note of the newest checkpoint."""
    query = select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.size, row.note)


def write_checkpoint(connection: Connection, size: int, note: str) -> None:
    """Keep it, unless another node was first to sign this size."""
    known = select(checkpoints.c.size).where(checkpoints.c.size == size)
    if connection.execute(known).first() is None:
        connection.execute(checkpoints.insert(), {"size": size, "note": note})
