"""What stands above the outbox, and what it says while it is empty."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from console.views.outbox_words import Group
from core.client.outbox import Notice
from tests.console import samples
from tests.console.fixtures import OpenOffice
from tests.console.views.test_outbox_screen import WAITING, outbox_of
from tests.support.waiting import until


async def test_what_was_set_aside_is_told_with_its_place_until_it_is_read(
    opened: OpenOffice,
) -> None:
    kept = Path("/somewhere/outbox.damaged-1.db")
    notices = [
        Notice(id=1, at=samples.NOW, message="The outbox was damaged.", path=kept, items=()),
        Notice(id=2, at=samples.NOW, message="A row was.", path=None, items=(UUID(int=1),)),
    ]
    opened.desk.set_aside = list(notices)
    screen = await outbox_of(opened, WAITING)
    await until(lambda: len(screen.notices.strips) == 2, what="the notices")
    first, second = screen.notices.strips
    assert first.words.text() == "The outbox was damaged."
    assert first.small.text().endswith(f"kept at {kept}")
    assert "1 decision" in second.small.text()
    first.close_it.click()
    await until(lambda: len(screen.notices.strips) == 1, what="one less")
    assert opened.desk.queue_did == ["read 1"]
    screen.notices.strips[0].close_it.click()
    await until(screen.notices.isHidden, what="none left")


async def test_what_others_left_here_is_said_in_one_line(opened: OpenOffice) -> None:
    screen = await outbox_of(opened)
    opened.desk.others = 2
    opened.office.outboxing.reload()
    await until(lambda: screen.notices.others, what="the line")
    assert screen.notices.others == (
        "2 decisions of another officer wait on this computer; they go out when that officer"
        " signs in."
    )
    opened.desk.others = 1
    opened.office.outboxing.reload()
    await until(lambda: screen.notices.others.startswith("1 decision of"), what="one left")
    assert "it goes out when" in screen.notices.others


async def test_an_empty_outbox_says_so_and_leads_on(opened: OpenOffice) -> None:
    screen = await outbox_of(opened)
    assert screen.empty.text == "No decision is in this outbox."
    screen.empty._button.click()
    assert opened.office.shell.current == "pending"
    opened.office.commands.trigger("open outbox")
    screen.show_group(Group.NEEDS_YOU)
    assert screen.empty.text == "Nothing needs you."
    screen.empty._button.click()
    assert screen.model.group is None
    opened.office.decisions_changed([WAITING])
    await until(screen.model.rowCount, what="the decision")
    screen.filter.setText("nothing like it")
    assert screen.empty.text == "No decision matches the filter."
    screen.empty._button.click()
    assert screen.filter.text() == ""
