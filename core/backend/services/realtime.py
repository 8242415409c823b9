"""`RealTimePaymentSync`: follows the ledger by its index and tells everybody who listens.

Woken by each commit (of another node, too) and by a poll, so that a lost wake-up costs time and
never an entry. Each event is serialised once. Staff get every entry; a student gets the cards that
are theirs.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from core.backend.services.checkpoints import CheckpointSigner, SignedHead
from core.backend.services.identities import StaffIdentity, StudentIdentity
from core.backend.services.mailbox import FeedClosedError, Mailbox
from core.backend.services.rows import Rows, card_view
from core.backend.services.student_cards import read_cards
from core.backend.services.subscriptions import (
    Source,
    StaffSource,
    StudentSource,
    Subscription,
    dump,
    dump_checkpoint,
)
from core.backend.storage import ledger, queries
from core.backend.storage.errors import StorageError
from core.backend.storage.reader import Reader
from core.ledger.text import write_base64
from core.protocol.feed import Refuse, answer_hello
from core.protocol.messages import (
    CloseCode,
    EntryMessage,
    Hello,
    SnapshotRows,
    StudentCard,
    StudentCards,
    StudentSelf,
)

__all__ = ["FeedClosedError", "RealTimePaymentSync", "Subscription", "SyncLimits"]

_log = logging.getLogger(__name__)
# Sessions that ended this long before the last look are looked at again: commits come late, and
# another node's clock may be behind ours.
_OVERLAP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SyncLimits:
    """`queue`: messages that may wait for one listener; `poll_seconds`: how long news may hide."""

    queue: int = 1_000
    page: int = 200
    poll_seconds: float = 0.5
    checkpoint_seconds: float = 1.0


class RealTimePaymentSync:
    """`start` and `stop` on the event loop; `wake` from any thread."""

    def __init__(
        self,
        *,
        reader: Reader,
        rows: Rows,
        signer: CheckpointSigner,
        clock: Callable[[], datetime],
        limits: SyncLimits,
    ) -> None:
        self._reader = reader
        self._rows = rows
        self._signer = signer
        self._clock = clock
        self._limits = limits
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._position = 0  # every entry before this one was told
        self._checkpoint: SignedHead | None = None
        self._checkpoint_due = 0.0
        self._looked_at: datetime | None = None
        self._look_due = 0.0
        self._subscriptions: set[Subscription] = set()
        self._staff: set[Mailbox] = set()
        self._students: dict[UUID, set[Mailbox]] = defaultdict(set)

    # --- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Follow from the ledger's present end on."""
        self._loop = asyncio.get_running_loop()
        head = await self._reader.run(ledger.read_head)
        self._position = head.size
        self._looked_at = self._clock()
        await self._sign()
        self._task = asyncio.create_task(self._follow(), name="ledger-follower")

    async def stop(self) -> None:
        """Close every subscription with 1001 and end."""
        self._loop = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        for subscription in list(self._subscriptions):
            subscription.mailbox.close(CloseCode.GOING_AWAY, "The backend is stopping.")

    def wake(self, _size: int = 0) -> None:
        """There is news. Called by the writer and by the listener, in their own threads."""
        loop = self._loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self._woken.set)
        except RuntimeError:
            _log.debug("the loop ended before the last news")

    # --- subscriptions -------------------------------------------------------------------------

    async def subscribe_staff(self, hello: Hello, identity: StaffIdentity) -> Subscription:
        """A console's feed; the token of the hello was checked by the caller.

        Raises FeedClosedError for a hello that must be refused: another epoch, or ahead of us.
        """
        head = await self._reader.run(ledger.read_head)
        opening = answer_hello(hello, epoch=head.epoch, size=head.size)
        if isinstance(opening, Refuse):
            raise FeedClosedError(opening.code, "This console knows another ledger than this one.")
        source = StaffSource(self, opening, Mailbox(self._limits.queue))
        return self._keep(source, identity.session, identity.user, identity.expires_at)

    async def subscribe_student(self, identity: StudentIdentity) -> Subscription:
        """A student's feed: all cards, then each one that changes."""
        mailbox = Mailbox(self._limits.queue)
        self._students[identity.student].add(mailbox)
        source = StudentSource(lambda: self._read_cards(identity), mailbox)
        return self._keep(source, identity.session, identity.student, identity.expires_at)

    def _keep(
        self, source: Source, session: UUID, user: UUID, expires_at: datetime
    ) -> Subscription:
        kept = Subscription(
            source, session=session, user=user, expires_at=expires_at, forget=self._forget
        )
        self._subscriptions.add(kept)
        return kept

    def _forget(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        self._staff.discard(subscription.mailbox)
        of_student = self._students.get(subscription.user)
        if of_student is not None:
            of_student.discard(subscription.mailbox)
            if not of_student:
                del self._students[subscription.user]

    # --- what subscriptions read ---------------------------------------------------------------

    @property
    def position(self) -> int:
        """Every entry before this index was told to whoever is attached."""
        return self._position

    @property
    def checkpoint(self) -> SignedHead | None:
        """The newest one that was told."""
        return self._checkpoint

    def attach(self, mailbox: Mailbox) -> None:
        """From now on this mailbox gets every entry and checkpoint."""
        self._staff.add(mailbox)

    async def peaks(self, size: int) -> tuple[str, ...]:
        """Of the tree at `size`, in base64, so that a console can follow from there."""
        hashes = await self._reader.run(lambda c: ledger.peaks_at(c, size))
        return tuple(write_base64(peak) for peak in hashes)

    async def pending_page(self, after: queries.Place | None) -> queries.PendingPage:
        limit = self._limits.page
        return await self._reader.run(lambda c: queries.read_pending(c, after, limit))

    def snapshot_rows(self, page: queries.PendingPage) -> SnapshotRows:
        return SnapshotRows(rows=tuple(self._rows.enrollment_row(b) for b in page.bundles))

    async def entry_messages(self, begin: int, end: int) -> list[bytes]:
        """The first of these entries (a page at most), each serialised."""
        changes = await self._read(begin, min(self._limits.page, end - begin))
        return self._entry_messages(changes)

    async def _read_cards(self, identity: StudentIdentity) -> StudentCards:
        cards = await self._reader.run(lambda c: read_cards(c, identity.student))
        return StudentCards(
            student=StudentSelf(id=identity.student, name=identity.name), cards=cards
        )

    # --- following -----------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._limits.poll_seconds):
                    await self._woken.wait()
            except TimeoutError:
                pass  # the poll
            self._woken.clear()
            try:
                await self._advance()
                await self._sign()
                await self._end_sessions()
            except (SQLAlchemyError, StorageError, OSError) as error:
                # The next turn tries again from where this one stopped.
                _log.warning("the ledger could not be followed: %s", type(error).__name__)

    async def _advance(self) -> None:
        """Tell every entry that is new."""
        while True:
            changes = await self._read(self._position, self._limits.page)
            if not changes.entries:
                return
            for message in self._entry_messages(changes):
                for mailbox in self._staff:
                    mailbox.put(self._position, message)
                self._position += 1
            self._tell_students(changes)

    async def _read(self, begin: int, limit: int) -> queries.Changes:
        _, changes = await self._reader.run(lambda c: queries.read_changes(c, begin, limit))
        return changes

    def _entry_messages(self, changes: queries.Changes) -> list[bytes]:
        rows = {s: self._rows.enrollment_row(bundle) for s, bundle in changes.bundles.items()}
        return [
            dump(EntryMessage(index=e.index, leaf=e.leaf.decode(), row=rows.get(e.subject)))
            for e in changes.entries
        ]

    def _tell_students(self, changes: queries.Changes) -> None:
        for bundle in changes.bundles.values():
            mailboxes = self._students.get(bundle.enrollment.student)
            if not mailboxes:
                continue
            message = dump(StudentCard(card=card_view(bundle.course, bundle.enrollment)))
            for mailbox in mailboxes:
                mailbox.put(self._position, message)

    async def _sign(self) -> None:
        """A checkpoint over exactly what was told, so that it comes behind its last entry."""
        now = asyncio.get_running_loop().time()
        if now < self._checkpoint_due:
            return
        signed = await self._signer.sign(self._position)
        if signed is None:
            return
        self._checkpoint_due = now + self._limits.checkpoint_seconds
        self._checkpoint = signed
        for mailbox in self._staff:
            mailbox.put(signed.size, dump_checkpoint(signed))

    async def _end_sessions(self) -> None:
        """Close what belongs to ended sessions and disabled users."""
        loop_now = asyncio.get_running_loop().time()
        if loop_now < self._look_due or not self._subscriptions:
            return
        # Half a poll: whatever wakes us meanwhile, an ended session loses its socket in a second.
        self._look_due = loop_now + self._limits.poll_seconds / 2
        now = self._clock()
        since = (self._looked_at or now) - _OVERLAP
        ended = await self._reader.run(lambda c: queries.read_ended(c, since))
        self._looked_at = now
        for s in list(self._subscriptions):
            if s.session in ended.sessions or s.user in ended.disabled or s.expires_at <= now:
                s.mailbox.close(CloseCode.SIGN_IN_NEEDED, "Please sign in again.")
