"""`Copying`: keeps the encrypted copy of the pending list close behind what the backend tells."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

from console.enrollment import Enrollment
from console.entered import Entered
from console.meeting import Meeting
from core.client.errors import OfflineCopyError
from core.client.live import Applied
from core.client.offline_copy import CopyFile, OfflineCopy
from core.protocol.feed import Snapshot
from core.protocol.messages import EnrollmentRow

log = logging.getLogger(__name__)

SAVE_EVERY_SECONDS = 5.0


class Copying:
    """Knows the rows as the feed brought them, and from when they are.

    Run `run` as a task; `close` writes what is newest. All writing is done by one worker thread, in
    order. Where nothing may be kept, there are only rows.
    """

    def __init__(
        self,
        entered: Entered,
        *,
        meeting: Meeting,
        enrollment: Enrollment,
        epoch: Callable[[], UUID | None],
        now: Callable[[], datetime],
        pause: float = SAVE_EVERY_SECONDS,
    ) -> None:
        """`epoch` names the ledger that is followed; `pause`: seconds between two writings."""
        self._entered = entered
        self._meeting = meeting
        self._enrollment = enrollment
        self._epoch = epoch
        self._now = now
        self._pause = pause
        self._file: CopyFile | None = entered.copies
        self._changed = asyncio.Event()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="offline-copy")
        self._rows: dict[UUID, EnrollmentRow] = {}
        self._live = False
        self._kept_as_of: datetime | None = None
        self._as_of: datetime | None = None
        self.next_index: int | None = None
        """The first ledger index that the rows lack; None before there are any."""
        if entered.copy is not None:
            self._take(entered.copy.rows, snapshot=True)
            self.next_index = entered.copy.next_index
            self._as_of = self._kept_as_of = entered.copy.as_of

    @property
    def as_of(self) -> datetime | None:
        """When the rows were right for the last time (UTC): now, while they are live."""
        return self._now() if self._live else self._as_of

    def follow(self, applied: Applied) -> None:
        """What the feed brought."""
        if applied.snapshot is not None:
            self._take(applied.snapshot, snapshot=True)
        self._take(applied.changed, snapshot=False)
        size = size_after(applied)
        if size is not None:
            self.next_index, self._as_of = size, self._now()
            self._changed.set()

    def set_live(self, *, live: bool) -> None:
        """Whether the backend tells every change at once, from now on."""
        if self._live and not live:
            self._as_of = self._now()
            self._changed.set()
        self._live = live

    async def run(self) -> None:
        """Write after changes, with pauses; for ever, or not at all."""
        while self._file is not None:
            await self._changed.wait()
            await self._write(self._file)
            await asyncio.sleep(self._pause)

    async def close(self) -> None:
        """Write what is newer than the file; then nothing is written any more."""
        newer = self._changed.is_set() or self.as_of != self._kept_as_of
        if self._file is not None and newer:
            await self._write(self._file)
        self._worker.shutdown(wait=False)

    # --- inside ---

    def _take(self, rows: tuple[EnrollmentRow, ...], *, snapshot: bool) -> None:
        if snapshot:
            self._rows.clear()
        for row in rows:
            if row.waiting:
                self._rows[row.enrollment] = row
            else:
                self._rows.pop(row.enrollment, None)

    async def _write(self, file: CopyFile) -> None:
        self._changed.clear()
        copy = self._copy()
        if copy is None:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._worker, file.save, copy)
        except OfflineCopyError as error:
            log.warning("%s", error)
        else:
            self._kept_as_of = copy.as_of

    def _copy(self) -> OfflineCopy | None:
        as_of, epoch = self.as_of, self._epoch()
        if as_of is None or epoch is None or self.next_index is None:
            return None
        return OfflineCopy(
            officer=self._entered.officer,
            workspace=self._meeting.workspace,
            device=self._enrollment.device,
            rows=tuple(self._rows.values()),
            as_of=as_of,
            next_index=self.next_index,
            epoch=epoch,
        )


def size_after(applied: Applied) -> int | None:
    """How many entries the ledger has at least, as this batch tells."""
    if applied.entries:
        return applied.entries[-1].index + 1
    first = applied.events[0] if applied.events else None
    return first.size if isinstance(first, Snapshot) else None
