"""Consoles that are broken on purpose: queue, sender, confirmer, and what an officer does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from core.client.confirming import Confirmer
from core.client.errors import OutboxError
from core.client.outbox import ItemKind, Outbox, OutboxItem, OutboxState
from tests.simulator.build import Build
from tests.simulator.console import Console

EVERY = 3  # a mistake that comes with each of so many


def _is_hit(item: OutboxItem) -> bool:
    return item.kind is ItemKind.DECISION and item.n % EVERY == 1


def _delete(outbox: Outbox, items: list[OutboxItem]) -> None:
    table = outbox._file._table
    with table.transaction():
        for item in items:
            table.delete(item.id)


class _DroppingOutbox(Outbox):
    async def next_batch(self, **wanted: Any) -> list[OutboxItem]:
        items = await super().next_batch(**wanted)
        _delete(self, [item for item in items if _is_hit(item)])
        return [item for item in items if not _is_hit(item)]


class SenderDropsItems(Build):
    """Loses what could not be sent at once."""

    outbox = _DroppingOutbox


class _ForgivenOutbox(Outbox):
    async def next_batch(self, **wanted: Any) -> list[OutboxItem]:
        items = await super().next_batch(**wanted)
        dropped = [item for item in items if item.kind is ItemKind.DECISION]
        if not dropped or not await self.notices():
            return items
        _delete(self, dropped)
        return [item for item in items if item.kind is not ItemKind.DECISION]


class DeletesAfterNotice(Build):
    """Loses everything, once anything was ever set aside."""

    outbox = _ForgivenOutbox


class _RewritingOutbox(Outbox):
    async def next_batch(self, **wanted: Any) -> list[OutboxItem]:
        items = await super().next_batch(**wanted)
        table = self._file._table
        with table.transaction():
            for item in (item for item in items if _is_hit(item)):
                tidy = json.dumps(json.loads(item.payload)).encode()
                table.delete(item.id)
                table.insert(replace(item, payload=tidy))
        return items


class ItemsAreRewritten(Build):
    """What was signed is written down anew in a nicer way."""

    outbox = _RewritingOutbox


class _ShutOutbox(Outbox):
    @classmethod
    async def open(cls, path: Path | None, *parts: Any, **more: Any) -> Outbox:
        if path is not None and _is_there(path):
            raise OutboxError("The outbox on this computer cannot be used.")
        return await super().open(path, *parts, **more)


def _is_there(path: Path) -> bool:
    return path.exists()


class QueueOpensOnce(Build):
    outbox = _ShutOutbox


class _LazyOutbox(Outbox):
    async def next_batch(self, **wanted: Any) -> list[OutboxItem]:
        items = await super().next_batch(**wanted)
        for item in items:
            if _is_hit(item):
                await self.mark_postponed_many(
                    [item.id], until=_keep, code="later", message="It will be sent later."
                )
        return [item for item in items if not _is_hit(item)]

    async def next_due(self, _officer: UUID) -> datetime | None:
        return None


def _keep(item: OutboxItem) -> datetime:
    return item.not_before


class SenderForgetsItems(Build):
    """Some decisions are never due."""

    outbox = _LazyOutbox


class _StuckOutbox(Outbox):
    async def next_batch(self, **wanted: Any) -> list[OutboxItem]:
        items = await super().next_batch(**wanted)
        for item in items:
            if _is_hit(item):
                await self.mark_needs_person(
                    item.id, code="whatever", message="Something went wrong."
                )
        return [item for item in items if not _is_hit(item)]


class SenderGivesUp(Build):
    """Some decisions are given to a person, for no cause."""

    outbox = _StuckOutbox


class DiscardIsSilent(Build):
    """A decision is taken off the list, and no withdrawal tells the ledger."""

    async def discard(self, console: Console, item: OutboxItem) -> None:
        if console.outbox is None or item.state is not OutboxState.QUEUED:
            return
        table = console.outbox._file._table
        with table.transaction():
            table.update(replace(item, state=OutboxState.WITHDRAWN))
        console.desk.tell(f"n={item.n} silently discarded")


class _IdleConfirmer(Confirmer):
    async def catch_up(self) -> bool:
        return True


class NobodyConfirms(Build):
    """What was accepted is never looked up in the ledger."""

    confirmer = _IdleConfirmer


class _FailingOutbox(Outbox):
    async def learn_next_n(self, device: UUID, n: int) -> None:
        raise RuntimeError(f"number {n} of {device}")


class TaskFails(Build):
    outbox = _FailingOutbox
