"""The copy of the list follows what the backend tells, and says from when it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest_asyncio

from console.copying import Copying
from console.enrollment import Enrollment
from console.entered import Entered
from console.meeting import Meeting
from core.client.live import Applied
from core.client.offline_copy import CopyFile, OfflineCopy
from core.client.sealing import Sealer
from core.protocol.feed import Entry, Snapshot
from core.protocol.messages import EnrollmentRow
from tests.console import samples
from tests.support.waiting import until
from tests.support.watch import ExpectedLogs

EPOCH = UUID(int=4)
KEY = bytes(32)


@dataclass
class Clock:
    now: datetime = samples.NOW

    def __call__(self) -> datetime:
        return self.now

    def tick(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)


@dataclass
class Kit:
    """A copy file, and what is built on it; each `new` is another run of the console."""

    path: Path
    entered: Entered
    clock: Clock = field(default_factory=Clock)

    @property
    def file(self) -> CopyFile:
        return CopyFile(self.path, Sealer(KEY))

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()

    def new(self, *, pause: float = 0.0) -> Copying:
        entered = replace(self.entered, copies=self.file)
        enrollment = Enrollment(
            entered, on_change=lambda _device: None, on_news=lambda: None, new_id=lambda: EPOCH
        )
        return Copying(
            entered,
            meeting=Meeting(entered, enrollment),
            enrollment=enrollment,
            epoch=lambda: EPOCH,
            now=self.clock,
            pause=pause,
        )


@pytest_asyncio.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    entered = samples.entered(demo=False)
    yield Kit(tmp_path / "list.sealed", entered)
    await entered.api.aclose()


def snapshot(*rows: EnrollmentRow, size: int = 10) -> Applied:
    return Applied((Snapshot(size, rows),))


def entry(index: int, row: EnrollmentRow) -> Applied:
    return Applied((Entry(index, "{}", row),))


def load(kit: Kit) -> OfflineCopy:
    copy = kit.file.load()
    assert copy is not None
    return copy


async def test_closing_keeps_the_newest_of_all(kit: Kit) -> None:
    copying = kit.new()
    one, two, three = samples.rows(3)
    copying.follow(snapshot(one, two))
    copying.set_live(live=True)
    copying.follow(entry(10, samples.approved(one)))
    copying.follow(entry(11, three))
    kit.clock.tick(5)  # nothing happens, and the list is still true
    await copying.close()
    kept = load(kit)
    assert {row.enrollment for row in kept.rows} == {two.enrollment, three.enrollment}
    assert (kept.next_index, kept.epoch, kept.as_of) == (12, EPOCH, kit.clock.now)
    assert kept.officer == kit.entered.officer
    assert b"Khumalo" not in kit.content


async def test_after_a_loss_the_time_stands_still(kit: Kit) -> None:
    copying = kit.new()
    copying.follow(snapshot(*samples.rows(2)))
    copying.set_live(live=True)
    kit.clock.tick(2)
    copying.set_live(live=False)
    lost_at = kit.clock.now
    kit.clock.tick(60)
    copying.set_live(live=False)
    assert copying.as_of == lost_at
    await copying.close()
    assert load(kit).as_of == lost_at


async def test_it_writes_after_changes_and_not_more_often_than_said(kit: Kit) -> None:
    copying = kit.new(pause=3_600)
    running = asyncio.create_task(copying.run())
    one, two = samples.rows(2)
    copying.follow(snapshot(one))
    await until(kit.file.load, what="the first writing")
    copying.follow(entry(10, two))
    await asyncio.sleep(0)
    assert len(load(kit).rows) == 1  # an hour has not passed
    running.cancel()
    await asyncio.wait([running])
    await copying.close()
    assert len(load(kit).rows) == 2


async def test_a_run_that_never_heard_of_the_backend_leaves_the_copy_as_it_is(kit: Kit) -> None:
    first = kit.new()
    first.follow(snapshot(*samples.rows(3)))
    await first.close()
    before, copy = kit.content, load(kit)
    second = Kit(kit.path, replace(kit.entered, copy=copy), kit.clock).new()
    kit.clock.tick(600)
    assert second.as_of == copy.as_of
    assert second.next_index == 10
    second.follow(Applied(()))
    await second.close()
    assert kit.content == before


async def test_nothing_is_written_before_there_is_a_list(kit: Kit) -> None:
    copying = kit.new()
    copying.set_live(live=True)
    await copying.close()
    assert kit.file.load() is None


async def test_a_disk_that_refuses_costs_only_the_copy(
    kit: Kit, expected_logs: ExpectedLogs
) -> None:
    blocked = kit.path.parent / "not a folder"
    blocked.write_text("")
    broken = Kit(blocked / "list.sealed", kit.entered).new()
    broken.follow(snapshot(*samples.rows(1)))
    with expected_logs("cannot be written on this computer"):
        await broken.close()
