"""The officer's own queue in memory, behind the port that windows ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from core.client.errors import ClientError
from core.client.outbox import ItemKind, Notice, OutboxItem, OutboxState


@dataclass
class FakeQueue:
    """An `OutboxPort` that keeps what it is told. `queue_problem` fails whatever comes next;
    `on_change` hears of every item that changes, as an office does.
    """

    posted: dict[UUID, OutboxItem] = field(default_factory=dict)
    others: int = 0
    set_aside: list[Notice] = field(default_factory=list)
    queue_did: list[str] = field(default_factory=list)
    queue_problem: ClientError | None = None
    on_change: Callable[[OutboxItem], None] = lambda _item: None

    def post(self, *items: OutboxItem) -> None:
        """These are in the file."""
        self.posted |= {item.id: item for item in items}

    async def outbox_items(self) -> list[OutboxItem]:
        await self._answer()
        return list(self.posted.values())

    async def others_waiting(self) -> int:
        await self._answer()
        return self.others

    async def notices(self) -> tuple[Notice, ...]:
        await self._answer()
        return tuple(self.set_aside)

    async def dismiss_notice(self, notice: int) -> None:
        await self._answer(f"read {notice}")
        self.set_aside = [one for one in self.set_aside if one.id != notice]

    async def retry_item(self, item: UUID) -> None:
        await self._answer(f"retry {item.int}")
        self._change(item, state=OutboxState.QUEUED)

    async def discard_item(self, item: UUID) -> None:
        await self._answer(f"discard {item.int}")
        decision = self._change(item, state=OutboxState.WITHDRAWN)
        withdrawal = replace(
            decision,
            id=UUID(int=item.int + 50_000),
            kind=ItemKind.WITHDRAWAL,
            withdraws=item,
            state=OutboxState.QUEUED,
        )
        self.post(withdrawal)
        self.on_change(withdrawal)

    async def dismiss_item(self, item: UUID) -> None:
        await self._answer(f"dismiss {item.int}")
        if item in self.posted:
            self._change(item, dismissed=True)

    def _change(self, item: UUID, **fields: object) -> OutboxItem:
        changed = replace(self.posted[item], **fields)  # type: ignore[arg-type]  # the fake's own fields
        self.posted[item] = changed
        self.on_change(changed)
        return changed

    async def _answer(self, did: str = "") -> None:
        await asyncio.sleep(0)
        problem, self.queue_problem = self.queue_problem, None
        if problem is not None:
            raise problem
        if did:
            self.queue_did.append(did)
