"""What one listener is sent, step by step: from the database until it has caught up, then live."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from core.backend.services.checkpoints import SignedHead
from core.backend.services.mailbox import Mailbox
from core.backend.storage import queries
from core.protocol.feed import Resume, TakeSnapshot
from core.protocol.messages import (
    CheckpointMessage,
    CloseCode,
    Message,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotRows,
    StudentCards,
)


def dump(message: Message) -> bytes:
    """A message as it travels."""
    return message.model_dump_json().encode()


def dump_checkpoint(signed: SignedHead) -> bytes:
    return dump(CheckpointMessage(size=signed.size, note=signed.note))


class Source(Protocol):
    """Gives the next messages, perhaps none yet; waits where there is nothing to say.

    Once it is `following`, all that it gives is what comes to the mailbox.
    """

    mailbox: Mailbox
    following: bool

    async def more(self) -> list[bytes]: ...


class Subscription:
    """What one connection is sent: iterate it; FeedClosedError says how to close the socket.

    `session`, `user` (a student's id, too) and `expires_at` tell when it has to end.
    """

    def __init__(
        self,
        source: Source,
        *,
        session: UUID,
        user: UUID,
        expires_at: datetime,
        forget: Callable[[Subscription], None],
    ) -> None:
        self.mailbox = source.mailbox
        self.session = session
        self.user = user
        self.expires_at = expires_at
        self._source = source
        self._ready: list[bytes] = []
        self._forget = forget

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> bytes:
        self.mailbox.check()
        while not self._ready:
            self._ready.extend(await self._source.more())
            self.mailbox.check()
        return self._ready.pop(0)

    @property
    def following(self) -> bool:
        """Everything that was to be told first is told; the rest is what comes to the mailbox."""
        return self._source.following and not self._ready

    def close(self) -> None:
        """The socket is gone: nothing is kept for it any more."""
        self.mailbox.close(CloseCode.GOING_AWAY, "The connection was closed.")
        self._forget(self)


class LiveLedger(Protocol):
    """What a staff source needs of the follower: its place, its reads, and to be told of news."""

    @property
    def position(self) -> int: ...
    @property
    def checkpoint(self) -> SignedHead | None: ...
    async def peaks(self, size: int) -> tuple[str, ...]: ...
    async def pending_page(self, after: queries.Place | None) -> queries.PendingPage: ...
    def snapshot_rows(self, page: queries.PendingPage) -> SnapshotRows: ...
    async def entry_messages(self, begin: int, end: int) -> list[bytes]: ...
    def attach(self, mailbox: Mailbox) -> None: ...


class StaffSource:
    """A console's feed: opening, snapshot pages, the entries it lacks, then what happens."""

    def __init__(self, live: LiveLedger, opening: Resume | TakeSnapshot, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.following = False
        self._live = live
        self._opening = opening
        self._next = opening.next if isinstance(opening, Resume) else opening.size
        self._after: queries.Place | None = None
        self._step: Callable[[], Awaitable[list[bytes]]] = self._open

    async def more(self) -> list[bytes]:
        return await self._step()

    async def _open(self) -> list[bytes]:
        opening = self._opening
        if isinstance(opening, Resume):
            self._step = self._catch_up
            return [dump(opening.opening)]
        self._step = self._page
        peaks = await self._live.peaks(opening.size)
        return [dump(SnapshotBegin(epoch=opening.epoch, size=opening.size, peaks=peaks))]

    async def _page(self) -> list[bytes]:
        page = await self._live.pending_page(self._after)
        messages = [dump(self._live.snapshot_rows(page))]
        self._after = page.next_after
        if self._after is None:
            messages.append(dump(SnapshotEnd()))
            self._step = self._catch_up
        return messages

    async def _catch_up(self) -> list[bytes]:
        end = self._live.position
        if self._next < end:
            entries = await self._live.entry_messages(self._next, end)
            self._next += len(entries)
            return entries + self._checkpoint_here()
        # Nothing was awaited since the comparison: no entry can come between. But the client may
        # have come with entries that the follower has not told yet.
        self.mailbox.skip_before(self._next)
        self._live.attach(self.mailbox)
        self._step, self.following = self.mailbox.take, True
        return self._checkpoint_here()

    def _checkpoint_here(self) -> list[bytes]:
        """The newest checkpoint, where it is over just what was sent; twice does no harm."""
        checkpoint = self._live.checkpoint
        if checkpoint is None or checkpoint.size != self._next:
            return []
        return [dump_checkpoint(checkpoint)]


class StudentSource:
    """A student's feed: all cards, then each one that changes. Listening began before the cards
    are read, so that a change in between comes twice and never not at all."""

    def __init__(self, read_all: Callable[[], Awaitable[StudentCards]], mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.following = False
        self._read_all: Callable[[], Awaitable[StudentCards]] | None = read_all

    async def more(self) -> list[bytes]:
        if self._read_all is not None:
            read_all, self._read_all = self._read_all, None
            messages = [dump(await read_all())]
            self.following = True
            return messages
        return await self.mailbox.take()
