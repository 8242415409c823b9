"""Queue files beside the one in use: what waits in them, and how it is brought over. Blocks."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from core.client.errors import OutboxError
from core.client.file_lock import FileLock
from core.client.outbox_file import OutboxFile
from core.client.outbox_items import WAITING_STATES, Notice, OutboxItem, OutboxState
from core.client.outbox_opening import SIDES, key_fits, open_file, read_copy
from core.client.private_files import copy_aside
from core.client.sealing import Sealer

_WAITS = frozenset({*WAITING_STATES, OutboxState.NEEDS_PERSON})


def waiting_in(path: Path) -> Mapping[UUID, int]:
    """How many decisions of each officer have no answer yet in a queue file, read without its key.

    The file is neither locked nor changed; one that is not there or cannot be read as a queue
    holds nothing. Raises OutboxError.
    """
    if not path.exists():
        return {}
    try:
        remains = read_copy(path)
    except (OSError, sqlite3.Error) as error:
        raise OutboxError(f"Another queue on this computer cannot be read: {path}") from error
    waiting: Counter[UUID] = Counter()
    for row in (*remains.rows, *remains.old_rows):
        if row["state"] in _WAITS:
            waiting[_officer(row["officer"])] += 1
    return waiting


def take_over(into: OutboxFile, path: Path, sealer: Sealer, at: datetime) -> bool:
    """Bring everything of the queue file `path` into `into`; that file is set aside, whole.

    Nothing comes twice, also where an earlier attempt broke off. False, and nothing is done, where
    another console has the file open or its key is not that of `sealer`. Raises sqlite3.Error,
    OSError or OutboxError.
    """
    lock = FileLock(path)
    if not lock.acquire():
        return False
    try:
        if not key_fits(path, sealer, at):
            return False
        items, notices = _everything(path, sealer, at)
        clashing = into.take(items)
        for notice in notices:
            into.tell(at, notice.message, path=notice.path, items=notice.items)
        into.tell(at, _brought(len(items), len(clashing)), path=_set_aside(path, at))
    finally:
        lock.release()
    return True


def give_up(into: OutboxFile, path: Path, at: datetime) -> bool:
    """Set a queue file aside whose key is gone, with a notice of it in `into`.

    False where another console has it open. Raises as `take_over`.
    """
    lock = FileLock(path)
    if not lock.acquire():
        return False
    try:
        count = sum(waiting_in(path).values())
        into.tell(at, _lost(count), path=_set_aside(path, at))
    finally:
        lock.release()
    return True


def _everything(
    path: Path, sealer: Sealer, at: datetime
) -> tuple[list[OutboxItem], tuple[Notice, ...]]:
    """In the order it was made; the caller holds the lock."""
    table = open_file(path, sealer, at)
    try:
        with table.transaction():
            items = table.select("1", (), tail="seq", at=at)
        return [_at_rest(item) for item in items], table.notices()
    finally:
        table.close()


def _at_rest(item: OutboxItem) -> OutboxItem:
    """The decision's id makes a second sending safe."""
    sending = item.state is OutboxState.SENDING
    return replace(item, state=OutboxState.QUEUED) if sending else item


def _set_aside(path: Path, at: datetime) -> Path:
    """The log goes first: without its file it would pass for a damaged queue."""
    kept = copy_aside(path, at, sides=SIDES)
    for side in (*reversed(SIDES), ""):
        path.with_name(path.name + side).unlink(missing_ok=True)
    return kept


def _officer(text: object) -> UUID:
    """Of a row that may be damaged: somebody's it is."""
    try:
        return UUID(str(text))
    except ValueError:
        return UUID(int=0)


def _brought(came: int, clashing: int) -> str:
    told = f"{_decisions(came - clashing)} from another queue of this console came into this one."
    if clashing:
        told += (
            f" {_decisions(clashing)} could not: the number was used again. Look at the pending"
            " list, and decide again what is still open."
        )
    return f"{told} The other file was kept."


def _lost(count: int) -> str:
    was = "was" if count == 1 else "were"
    return (
        f"{_decisions(count)} in another queue of this console {was} sealed with a key that is"
        " gone, and cannot be sent. The file was kept. Look at the pending list, and decide again"
        " what is still open."
    )


def _decisions(count: int) -> str:
    return "1 decision" if count == 1 else f"{count} decisions"
