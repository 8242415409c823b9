"""`ledger verify`: the whole ledger of a database, entry by entry, without writing a byte."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from core.backend.storage.engine import open_engine, read_transaction, sqlite_file
from core.backend.storage.tables import checkpoints, ledger_entries, ledger_head, ledger_nodes
from core.ledger import tree
from core.ledger.checkpoint import Checkpoint, open_checkpoint
from core.ledger.errors import CheckpointError, VerificationError
from core.ledger.merkle import leaf_hash
from core.ledger.verification import LogVerifier, Report

_PAGE = 1000
_BEFORE_ALL = -(2**62)  # entries below 0 must be seen, to be refused


class CannotReadError(Exception):
    """There is no ledger that could be read; the message is one line for a person."""


@dataclass(frozen=True)
class CheckpointKey:
    """Who signs checkpoints: the name in the note and the public key (32 bytes)."""

    name: str
    public: bytes


@dataclass(frozen=True)
class Verified:
    """What held. `checkpoint_size` is None where there is no checkpoint or no key to check it."""

    report: Report
    checkpoint_size: int | None


def verify_ledger(
    database: str, *, key: CheckpointKey | None = None, trusted_roots: Set[str] | None = None
) -> Verified:
    """Verify the ledger in `database`, a URL or the path of a SQLite file (a copy will do).

    Raises VerificationError where anything does not hold, CannotReadError where nothing could be
    read.
    """
    try:
        with _opened(database) as connection:
            return _verify(connection, key, trusted_roots)
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise CannotReadError("The database cannot be read, or holds no ledger.") from error


@contextmanager
def _opened(database: str) -> Iterator[Connection]:
    engine = _engine(database)
    try:
        with read_transaction(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def _engine(database: str) -> Engine:
    path = sqlite_file(database) if "://" in database else Path(database)
    if path is None:
        return open_engine(database)
    if not path.is_file():
        raise CannotReadError(f"There is no database file {path}.")
    # A database without its log is one that nobody writes to: read it without a trace beside it.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    address = f"file:{quote(path.resolve().as_posix())}?{mode}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, isolation_level=None)

    return create_engine("sqlite://", creator=connect, poolclass=StaticPool)


def _verify(
    connection: Connection, key: CheckpointKey | None, trusted_roots: Set[str] | None
) -> Verified:
    head = connection.execute(select(ledger_head.c.size, ledger_head.c.peaks)).one_or_none()
    if head is None:
        raise CannotReadError("The database holds no ledger.")
    checkpoint = _last_checkpoint(connection, key)
    verifier = LogVerifier(trusted_roots=trusted_roots)
    stored = _StoredTree(connection)
    marked = checkpoint.size if checkpoint else 0
    root_there = tree.root_from_peaks(())
    for page in _pages(connection):
        for index, leaf, stored_hash in page:
            verifier.add(index, leaf)
            if stored_hash != leaf_hash(leaf):
                raise VerificationError("its stored hash is not the hash of its bytes", index)
        hashes = [stored_hash for _, _, stored_hash in page]
        upto = marked - stored.size
        if 0 < upto <= len(hashes):
            root_there = stored.follow(hashes[:upto])
            hashes = hashes[upto:]
        stored.follow(hashes)
    if len(head.peaks) != head.size.bit_count():
        raise VerificationError("the stored head does not fit its own size")
    report = verifier.finish(head.size, tree.root_from_peaks(head.peaks))
    stored.finish()
    if checkpoint and checkpoint.root != root_there:
        raise VerificationError(
            f"the signed checkpoint of {checkpoint.size} entries is of another ledger"
        )
    return Verified(report, checkpoint.size if checkpoint else None)


class _StoredTree:
    """Holds the stored inner nodes, which proofs are made of, against the leaves."""

    def __init__(self, connection: Connection) -> None:
        self.size = 0
        self._connection = connection
        self._peaks: tuple[bytes, ...] = ()
        self._nodes = 0

    def follow(self, hashes: Sequence[bytes]) -> bytes:
        """Grow by these leaves; the new root. Raises VerificationError."""
        appended = tree.append(self.size, self._peaks, hashes)
        levels: dict[int, dict[int, bytes]] = defaultdict(dict)
        for node, node_hash in appended.nodes:
            levels[node.level][node.index] = node_hash
        for level, expected in levels.items():
            if self._read(level, min(expected), max(expected)) != expected:
                raise VerificationError(
                    f"the stored tree is not that of the entries, level {level}"
                )
        self.size, self._peaks = appended.size, appended.peaks
        self._nodes += len(appended.nodes)
        return appended.root

    def finish(self) -> None:
        """Nothing may be stored beside what the leaves give. Raises VerificationError."""
        if self._connection.scalar(select(func.count()).select_from(ledger_nodes)) != self._nodes:
            raise VerificationError("the stored tree has nodes that no entry accounts for")

    def _read(self, level: int, first: int, last: int) -> dict[int, bytes]:
        n = ledger_nodes.c
        query = select(n.index, n.hash).where(n.level == level, n.index.between(first, last))
        return {row[0]: row[1] for row in self._connection.execute(query)}


def _pages(connection: Connection) -> Iterator[Sequence[tuple[int, bytes, bytes]]]:
    entries = ledger_entries.c
    columns = select(entries.index, entries.leaf, entries.leaf_hash).order_by(entries.index)
    last = _BEFORE_ALL
    while page := connection.execute(columns.where(entries.index > last).limit(_PAGE)).all():
        yield [(row[0], row[1], row[2]) for row in page]
        last = page[-1][0]


def _last_checkpoint(connection: Connection, key: CheckpointKey | None) -> Checkpoint | None:
    last = select(checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1)
    note = connection.scalar(last)
    if note is None or key is None:
        return None
    try:
        return open_checkpoint(note, key.name, key.public)
    except CheckpointError as error:
        raise VerificationError(f"the last checkpoint does not hold: {error}") from error
