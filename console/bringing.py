"""Queues of one backend that are not the one in use: brought over where that can be, else told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from console.elsewhere import Behind, Elsewhere
from console.keeping import QUEUE, Kept, SafeKeeping, Way, file_of
from console.runtime.work import in_thread
from core.client.errors import OutboxError, SecretStoreError
from core.client.outbox import Outbox
from core.client.outbox_others import waiting_in
from core.client.sealing import load_sealer
from core.client.secrets import SecretStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Bringing:
    """`folder` holds the queue in use, `others` are folders of the same backend; `now` is UTC."""

    keeping: SafeKeeping
    kept: Kept
    folder: Path
    others: tuple[Path, ...]
    now: Callable[[], datetime]

    async def into(self, outbox: Outbox, officer: UUID) -> tuple[Elsewhere, ...]:
        """Bring what waits in other queues into `outbox`; gives what goes on waiting there.

        Nothing is brought into a queue that ends with the program, and no trouble with another
        queue keeps anybody from working with this one.
        """
        left = []
        for way, path in self._files():
            waiting: Mapping[UUID, int] = {}
            try:
                waiting = await in_thread(waiting_in, path)
                behind = await self._bring(way, path, outbox) if waiting else None
            except OutboxError:
                behind = Behind.TROUBLE
            if behind is not None:
                mine = waiting.get(officer, 0)
                left.append(Elsewhere(behind, mine, sum(waiting.values()) - mine))
        return tuple(left)

    def _files(self) -> Iterator[tuple[Way, Path]]:
        for folder in (self.folder, *self.others):
            for way in (Way.KEYRING, Way.PASSPHRASE):
                if (folder, way) != (self.folder, self.kept.way):
                    yield way, folder / file_of(way, *QUEUE)

    async def _bring(self, way: Way, path: Path, outbox: Outbox) -> Behind | None:
        """None: its decisions wait there no more."""
        lost = way is Way.PASSPHRASE and not await self.keeping.has_passphrase()
        closed = Behind.KEYRING if way is Way.KEYRING else Behind.PASSPHRASE
        if not self.kept.durability.remembered:
            return Behind.NOTHING if lost else closed
        store = self.kept.store if way is self.kept.way else await self.keeping.other(way)
        if store is None and not lost:
            return closed
        try:
            done = await self._take(store, path, outbox)
        except SecretStoreError:  # it answered a moment ago
            return closed
        return None if done else Behind.CONSOLE

    async def _take(self, store: SecretStore | None, path: Path, outbox: Outbox) -> bool:
        """With a key that is not there any more, or is another one, nobody can read it."""
        if store is not None:
            sealer = await in_thread(load_sealer, store)
            if await outbox.take_over(path, sealer, self.now()):
                return True
        return await outbox.give_up(path, self.now())
