"""The outbox as a file: what may happen to a decision that waits. Synchronous, for one thread.

`outbox.Outbox` is for everybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from core.client import outbox_changes as changes
from core.client.backoff import CAP_SECONDS
from core.client.errors import OutboxError
from core.client.file_lock import FileLock
from core.client.outbox_items import (
    WAITING_STATES,
    Draft,
    Notice,
    OutboxItem,
    OutboxState,
    OutboxSummary,
    Sign,
    SignWithdrawal,
)
from core.client.outbox_opening import open_file, open_in_memory
from core.client.outbox_rows import read_time, write_time
from core.client.outbox_table import MAX_N
from core.client.sealing import Sealer
from core.protocol.messages import DecisionAnswer

BATCH = 50
KEPT_FOR = timedelta(days=30)
# Of each officer: a clock that is years ahead at one start must not empty the history.
KEPT_NEWEST = 200
# A clock that was set back must not hold a decision until it catches up.
_NEVER_LATER = timedelta(seconds=2 * CAP_SECONDS)
_IN_USE = (
    "Another Bursar console on this computer uses this outbox already. Close it, then try again."
)
_NOT_THERE = "This decision is not in the outbox."
_NO_NUMBERS = (
    "This console's key has used up its numbers and signs no more decisions. It needs a new key:"
    " ask your administrator to revoke this one."
)
_OPEN = (
    "officer = ? AND dismissed = 0 AND state <> 'accepted' "
    "AND NOT (state = 'withdrawn' AND settled_at IS NOT NULL)"
)
_HISTORY = (
    "officer = ? AND (dismissed = 1 OR state = 'accepted' "
    "OR (state = 'withdrawn' AND settled_at IS NOT NULL))"
)
_WAITING = "officer = ? AND state IN ('queued', 'sending')"
_QUEUED = (
    "state = 'queued' AND officer = ? AND NOT EXISTS ("
    "  SELECT 1 FROM items AS other WHERE other.enrollment = mine.enrollment "
    "  AND other.officer = mine.officer AND other.seq < mine.seq "
    "  AND other.state IN ('queued', 'sending'))"
)
_DUE = f"{_QUEUED} AND (not_before <= ? OR not_before > ?)"
_OVER = "(state IN ('accepted', 'withdrawn') OR dismissed = 1)"
# Equal times share a place, so that a decision and its withdrawal go together.
_OLD = (
    f"{_OVER} AND settled_at < ? AND seq NOT IN (SELECT seq FROM ("  # noqa: S608 - constants above
    "  SELECT seq, rank() OVER (PARTITION BY officer ORDER BY settled_at DESC) AS place"
    f"  FROM items WHERE {_OVER} AND settled_at IS NOT NULL) WHERE place <= ?)"
)
_WITHDRAWAL_LOST = (
    "kind = 'decision' AND state = 'withdrawn' AND settled_at IS NULL AND NOT EXISTS ("
    "  SELECT 1 FROM items AS other WHERE other.device = mine.device "
    "  AND other.n = mine.n AND other.kind = 'withdrawal')"
)


class OutboxFile:
    """Use it from the thread that opened it. Methods raise sqlite3.Error and OutboxError.

    `path` None: a queue in memory, that ends with the program. `now` is for notices and for when
    an answer came; it decides nothing about sending.
    """

    def __init__(
        self,
        path: Path | None,
        sealer: Sealer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now = now
        self._lock: FileLock | None = None
        if path is None:
            self._table = open_in_memory(sealer)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        if not lock.acquire():
            raise OutboxError(_IN_USE)
        try:
            self._table = open_file(path, sealer, now())
        except BaseException:
            lock.release()
            raise
        self._lock = lock

    def close(self) -> None:
        self._table.close()
        if self._lock is not None:
            self._lock.release()

    # --- writing ---

    def add(self, draft: Draft, sign: Sign) -> OutboxItem:
        """Number, sign and store a decision in one transaction; numbers are never used twice."""
        with self._table.transaction():
            n = self._table.next_n(draft.device)
            if n > MAX_N:
                raise OutboxError(_NO_NUMBERS)
            item = changes.queued(draft, n, sign(n))
            self._table.raise_next_n(str(draft.device), n + 1)
            self._table.insert(item)
        return item

    def discard(self, item: UUID, sign: SignWithdrawal) -> tuple[OutboxItem, OutboxItem]:
        """The officer takes a waiting decision back: it never leaves, its withdrawal does.

        Gives both. `sign` is called only where this is allowed; else DecisionError.
        """
        with self._table.transaction():
            decision = self._stored(item)
            changes.check_discardable(decision)
            gone, withdrawal = changes.discarded(decision, sign(decision))
            self._table.update(gone)
            self._table.insert(withdrawal)
        return gone, withdrawal

    def learn_next_n(self, device: UUID, n: int) -> None:
        """The backend has seen all numbers below `n` from this device, perhaps more than we."""
        with self._table.transaction():
            self._table.raise_next_n(str(device), n)

    def next_batch(self, *, officer: UUID, now: datetime, limit: int = BATCH) -> list[OutboxItem]:
        """Due items of one officer, now marked as being sent: at most one per enrollment.

        A later one about an enrollment waits until the earlier one has its answer. Whatever key
        signed them: they are ready to go, also where that key is gone.
        """
        latest = write_time(now + _NEVER_LATER)
        values = (str(officer), write_time(now), latest, limit)
        with self._table.transaction():
            items = self._select(_DUE, values, tail="seq LIMIT ?")
            self._table.mark_sending([item.id for item in items])
        return [replace(item, state=OutboxState.SENDING) for item in items]

    def answer(self, answer: DecisionAnswer, state: OutboxState) -> OutboxItem:
        """Store the final answer; one that came before stays."""
        self.answer_many([(answer, state)])
        return self.get(answer.id)

    def answer_many(
        self, answers: Sequence[tuple[DecisionAnswer, OutboxState]]
    ) -> list[OutboxItem]:
        """Store final answers in one transaction: the items that changed, in order.

        A withdrawal is followed by the decision that it takes back.
        """
        changed: list[OutboxItem] = []
        with self._table.transaction():
            for answer, state in answers:
                item = self._find(answer.id)
                if item is not None and item.state in WAITING_STATES:
                    settled = changes.answered(item, answer, state, self._now())
                    self._table.update(settled)
                    changed += [settled, *self._settle_withdrawn(settled)]
        return changed

    def _settle_withdrawn(self, withdrawal: OutboxItem) -> list[OutboxItem]:
        decision = None if withdrawal.withdraws is None else self._find(withdrawal.withdraws)
        if decision is None or decision.state is not OutboxState.WITHDRAWN:
            return []
        settled = changes.settled_by_withdrawal(decision, withdrawal)
        self._table.update(settled)
        return [settled]

    def postpone(
        self, item: UUID, *, until: datetime, code: str, message: str
    ) -> OutboxItem | None:
        """Back to the queue, due at `until`; None if it was not being sent (any more)."""
        changed = self.postpone_many([item], until=lambda _: until, code=code, message=message)
        return changed[0] if changed else None

    def postpone_many(
        self,
        items: Sequence[UUID],
        *,
        until: Callable[[OutboxItem], datetime],
        code: str,
        message: str,
    ) -> list[OutboxItem]:
        """The same for many in one transaction: those that were being sent, in order."""
        changed = []
        with self._table.transaction():
            for one in items:
                item = self._find(one)
                if item is not None and item.state is OutboxState.SENDING:
                    later = changes.postponed(item, until(item), code, message)
                    self._table.update(later)
                    changed.append(later)
        return changed

    def give_to_person(self, item: UUID, *, code: str, message: str) -> OutboxItem:
        """It cannot go on by itself; `retry` puts it back."""
        return self._change(item, lambda found: changes.given_to_person(found, code, message))

    def retry(self, item: UUID, now: datetime) -> OutboxItem:
        """A person wants it tried (again) now."""
        return self._change(item, lambda found: changes.retried(found, now))

    def dismiss(self, item: UUID) -> OutboxItem:
        """Its officer has seen how it ended: off the list. Raises DecisionError before the end."""
        return self._change(item, changes.dismissed)

    def mark_confirmed(self, items: Sequence[UUID]) -> None:
        """This console checked that the ledger holds these as they were signed."""
        with self._table.transaction():
            for one in items:
                item = self._find(one)
                if item is not None:
                    self._table.update(replace(item, confirmed=True))

    def release(self, officer: UUID, now: datetime) -> None:
        """Everything that this officer has waiting is due now."""
        with self._table.transaction():
            where = "officer = ? AND state = 'queued' AND not_before > ?"
            for item in self._select(where, (str(officer), write_time(now))):
                self._table.update(replace(item, not_before=now))

    def sweep(self) -> int:
        """Start-up: what was being sent when the console ended is queued again; how many.

        The decision's id makes a second sending safe.
        """
        with self._table.transaction():
            for decision in self._select(_WITHDRAWAL_LOST, ()):
                self._table.update(changes.undiscarded(decision))
            return self._table.sweep()

    def prune(self, now: datetime, *, keep: int = KEPT_NEWEST) -> int:
        """Forget what ended over 30 days ago and needs nobody; how many.

        Never what was not seen to its end, nor what the ledger has still to be held against, nor
        the newest `keep` endings of an officer.
        """
        with self._table.transaction():
            old = self._select(_OLD, (write_time(now - KEPT_FOR), keep))
            done = [item.id for item in old if not changes.is_to_confirm(item)]
            for item in done:
                self._table.delete(item)
        return len(done)

    def dismiss_notice(self, notice: int) -> None:
        """Somebody has read it; what it tells of stays where it is."""
        with self._table.transaction():
            self._table.drop_notice(notice)

    def take(self, items: Sequence[OutboxItem]) -> list[OutboxItem]:
        """Take over items of another file as they are; what is here already stays as it is.

        Gives those that cannot be taken, because another one has their number.
        """
        clashing = []
        with self._table.transaction():
            for item in items:
                if self._find(item.id) is not None:
                    continue
                number = (str(item.device), item.n, item.kind.value)
                if self._table.count("device = ? AND n = ? AND kind = ?", number)[0]:
                    clashing.append(item)
                    continue
                self._table.insert(item)
                self._table.raise_next_n(str(item.device), item.n + 1)
        return clashing

    def tell(
        self, at: datetime, message: str, *, path: Path | None, items: Sequence[UUID] = ()
    ) -> None:
        """A notice of something that was set aside elsewhere."""
        with self._table.transaction():
            self._table.add_notice(at, message, path=path, items=[str(item) for item in items])

    # --- reading ---

    def get(self, item: UUID) -> OutboxItem:
        with self._table.transaction():
            return self._stored(item)

    def waiting_for(self, officer: UUID) -> list[OutboxItem]:
        """Without an answer yet, in the order they were made."""
        return self._read(_WAITING, (str(officer),))

    def open_for(self, officer: UUID) -> list[OutboxItem]:
        """What still waits and what somebody should look at, in the order they were made."""
        return self._read(_OPEN, (str(officer),))

    def history_for(self, officer: UUID, limit: int) -> list[OutboxItem]:
        """Accepted, withdrawn for good, or dismissed: the newest first."""
        newest = "coalesce(settled_at, created_at) DESC, seq DESC LIMIT ?"
        return self._read(_HISTORY, (str(officer), limit), tail=newest)

    def unconfirmed(self, officer: UUID, limit: int) -> list[OutboxItem]:
        """Accepted with an index, and not yet held against the ledger: the oldest first."""
        found = self._read("officer = ? AND state = 'accepted' AND confirmed = 0", (str(officer),))
        return [item for item in found if changes.is_to_confirm(item)][:limit]

    def others_waiting(self, officer: UUID) -> int:
        """How many decisions of other officers wait in this file."""
        where = "officer <> ? AND state IN ('queued', 'sending')"
        return self._table.count(where, (str(officer),))[0]

    def unanswered(self) -> int:
        """How many decisions of anybody have no answer yet."""
        return self._table.count("state IN ('queued', 'sending', 'needs_person')", ())[0]

    def summary(self, officer: UUID) -> OutboxSummary:
        waiting, oldest = self._table.count(_WAITING, (str(officer),))
        attention, _ = self._table.count(
            "officer = ? AND dismissed = 0 AND state IN ('conflict', 'refused', 'needs_person')",
            (str(officer),),
        )
        return OutboxSummary(waiting, None if oldest is None else read_time(oldest), attention)

    def next_due(self, officer: UUID) -> datetime | None:
        """When the next decision that waits for nothing but its time is due; None if none does."""
        return self._table.earliest_due(_QUEUED, (str(officer),))

    def notices(self) -> tuple[Notice, ...]:
        """What was set aside, oldest first."""
        return self._table.notices()

    def _read(self, where: str, values: Sequence[object], tail: str = "seq") -> list[OutboxItem]:
        with self._table.transaction():
            return self._select(where, values, tail)

    def _select(self, where: str, values: Sequence[object], tail: str = "seq") -> list[OutboxItem]:
        return self._table.select(where, values, tail=tail, at=self._now())

    def _find(self, item: UUID) -> OutboxItem | None:
        found = self._select("id = ?", (str(item),))
        return found[0] if found else None

    def _stored(self, item: UUID) -> OutboxItem:
        found = self._find(item)
        if found is None:
            raise OutboxError(_NOT_THERE)
        return found

    def _change(self, item: UUID, change: Callable[[OutboxItem], OutboxItem]) -> OutboxItem:
        with self._table.transaction():
            found = self._stored(item)
            changed = change(found)
            if changed != found:
                self._table.update(changed)
        return changed
