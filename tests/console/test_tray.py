"""New payments are told of once per burst, without a name, and a click leads to the row.

The rows, the model and the screens are real; time and the tray are the test's own, but for the last
tests, which take Qt's own tray icon.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QSystemTrayIcon

from console.announcer import LONGEST_SECONDS, QUIET_SECONDS, Announcer, Notice
from console.models.pending import PendingModel
from console.office import Office
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.tray import Tray, system_tray
from core.protocol.messages import AnswerKind, EnrollmentRow
from tests.console import samples
from tests.console.clockwork import Time
from tests.support.watch import ExpectedLogs
from tests.support.windows import dressed

QUIET = int(QUIET_SECONDS * 1000)
LONGEST = int(LONGEST_SECONDS * 1000)


@dataclass
class FakeTray:
    """Notes what it is told."""

    told: list[Notice] = field(default_factory=list)

    def tell(self, notice: Notice) -> None:
        self.told.append(notice)

    @property
    def texts(self) -> list[str]:
        return [notice.text.replace("\u00a0", " ") for notice in self.told]


class Counter:
    """An announcer before a real pending list, as the office has them."""

    def __init__(self) -> None:
        self.time, self.tray, self.wanted = Time(), FakeTray(), True
        self.model = PendingModel(samples.clock)
        self.announcer = Announcer(
            self.tray.tell,
            is_wanted=lambda: self.wanted,
            clock=self.time.clock,
            later=self.time.later,
        )

    def bring(self, *rows: EnrollmentRow, snapshot: bool = False) -> None:
        self.announcer.rows_came(rows, snapshot=snapshot, held=self.model.row)
        if snapshot:
            self.model.replace(rows)
        else:
            self.model.apply(rows)

    def wait(self, milliseconds: int = 2 * LONGEST) -> None:
        self.time.pass_to(self.time.now + milliseconds)


@pytest.fixture
def counter() -> Counter:
    """Connected, with three payments that waited already."""
    made = Counter()
    made.bring(*samples.rows(3), snapshot=True)
    return made


def claimed_again(row: EnrollmentRow) -> EnrollmentRow:
    """The same enrollment after a rejection and a second claim."""
    assert row.claim is not None
    claim = row.claim.model_copy(update={"id": UUID(int=1)})
    return row.model_copy(update={"version": row.version + 2, "claim": claim})


def test_one_payment_is_named_by_reference_and_amount_only(counter: Counter) -> None:
    new = samples.row(7, cents=125_000)
    counter.bring(new)
    counter.wait()
    shown = f"{new.reference[:4]}-{new.reference[4:]}"
    assert counter.tray.texts == [f"New payment {shown}, R 1 250.00"]
    assert counter.tray.told[0].enrollment == new.enrollment
    assert new.student.name.split()[0] not in counter.tray.texts[0]


def test_a_burst_of_forty_is_one_notice_about_the_oldest(counter: Counter) -> None:
    burst = [samples.row(number, cents=153_125) for number in range(10, 50)]
    for number, row in enumerate(burst):
        counter.time.pass_to(number * (QUIET - 1))
        if number * (QUIET - 1) < LONGEST - QUIET:
            counter.bring(row)
        else:
            counter.bring(*burst[number:])
            break
    counter.wait()
    assert counter.tray.texts == ["40 new payments, R 61 250.00"]
    # The higher the number, the longer it waits.
    assert counter.tray.told[0].enrollment == burst[-1].enrollment


def test_what_was_there_at_the_start_is_not_new(counter: Counter) -> None:
    counter.wait()
    assert counter.tray.told == []
    assert counter.time.due == []


def test_decisions_and_signatures_are_not_new_payments(counter: Counter) -> None:
    first, second, third = samples.rows(3)
    signed = samples.row(0, version=3, signed_by=samples.OTHER)
    counter.bring(signed)
    counter.bring(samples.approved(first), samples.approved(second))
    counter.bring(third)
    counter.wait()
    assert counter.tray.told == []


def test_a_second_claim_after_a_rejection_is_new(counter: Counter) -> None:
    row = samples.row(1)
    counter.bring(claimed_again(row))
    counter.wait()
    assert [notice.enrollment for notice in counter.tray.told] == [row.enrollment]


def test_after_an_outage_what_came_meanwhile_is_told(counter: Counter) -> None:
    counter.bring(*samples.rows(5), snapshot=True)
    counter.wait()
    assert [text.split(",")[0] for text in counter.tray.texts] == ["2 new payments"]


def test_what_was_decided_before_the_notice_is_left_out(counter: Counter) -> None:
    counter.bring(samples.row(7), samples.row(8))
    counter.bring(samples.approved(samples.row(7)))
    counter.wait()
    assert [notice.enrollment for notice in counter.tray.told] == [samples.row(8).enrollment]
    counter.bring(samples.row(9))
    counter.bring(samples.approved(samples.row(9)))
    counter.wait()
    assert len(counter.tray.told) == 1


def test_nobody_who_looks_at_the_window_is_told(counter: Counter) -> None:
    counter.wanted = False
    counter.bring(samples.row(7))
    counter.wait()
    counter.wanted = True
    counter.wait()
    assert counter.tray.told == []  # it was seen
    counter.bring(samples.row(8))
    counter.wait()
    assert len(counter.tray.told) == 1


def test_a_stream_without_a_pause_is_told_once_a_minute(counter: Counter) -> None:
    count = 3 * LONGEST // 1_000
    for number in range(count):
        counter.time.pass_to(number * 1_000)
        counter.bring(samples.row(10 + number))
    counter.wait()
    assert len(counter.tray.told) == 3
    assert sum(int(text.split()[0]) for text in counter.tray.texts) == count


@given(st.lists(st.integers(0, 2 * QUIET), min_size=1, max_size=20))
def test_each_burst_is_told_once_and_no_payment_is_lost(gaps: list[int]) -> None:
    counter = Counter()
    counter.bring(snapshot=True)
    for number, gap in enumerate(gaps):
        counter.time.pass_to(counter.time.now + gap)
        counter.bring(samples.row(number))
    counter.wait()
    pauses = sum(gap >= QUIET for gap in gaps[1:])
    assert len(counter.tray.told) == pauses + 1
    counts = [1 if text.startswith("New") else int(text.split()[0]) for text in counter.tray.texts]
    assert sum(counts) == len(gaps)


# --- in the office ---


@dataclass
class Watched:
    """An office whose announcer speaks to a fake tray, as the application wires the real one."""

    office: Office
    time: Time
    tray: FakeTray

    def click(self) -> None:
        """On the last notification."""
        self.office.open_payment(self.tray.told[-1].enrollment)


@pytest_asyncio.fixture
async def watched(theme: Theme) -> AsyncIterator[Watched]:
    time, tray, desk = Time(), FakeTray(), samples.FakeDesk()
    announcer = Announcer(tray.tell, is_wanted=lambda: True, clock=time.clock, later=time.later)
    errors: list[str] = []
    tasks = TaskRunner(lambda error, name: errors.append(f"{name}: {error!r}"))
    window = dressed(theme)
    office = Office(
        theme, desk, window=window, tasks=tasks, clock=samples.clock, announcer=announcer
    )
    window.show_page(office.shell)
    window.show()
    office.rows_came(samples.rows(3), snapshot=True)
    desk.know([samples.row(number) for number in range(20)])
    yield Watched(office, time, tray)
    await tasks.close()
    await desk.close()
    window.end()
    window.deleteLater()
    assert errors == []


async def test_a_click_opens_the_row(watched: Watched) -> None:
    new = samples.row(9, age=timedelta(0))
    watched.office.shell.open("settings")
    watched.office.rows_came((new,), snapshot=False)
    watched.time.pass_to(LONGEST)
    watched.click()
    assert watched.office.shell.current == "pending"
    assert watched.office.pending.table.current_key == new.enrollment


async def test_a_click_opens_a_row_that_the_filter_hides(watched: Watched) -> None:
    new = samples.row(9)
    watched.office.rows_came((new,), snapshot=False)
    watched.time.pass_to(LONGEST)
    watched.office.pending.filter.setText("nobody has this name")
    watched.click()
    assert watched.office.pending.table.current_key == new.enrollment
    assert watched.office.pending.filter.text() == ""


async def test_a_click_on_a_payment_that_is_decided_selects_no_other(watched: Watched) -> None:
    new = samples.row(9)
    watched.office.rows_came((new,), snapshot=False)
    watched.time.pass_to(LONGEST)
    watched.office.rows_came((samples.approved(new),), snapshot=False)
    watched.office.pending.filter.setText("Naledi")
    watched.click()
    assert watched.office.shell.current == "pending"
    assert watched.office.pending.table.current_key is None
    assert watched.office.pending.filter.text() == "Naledi"


async def test_the_answer_to_an_own_decision_is_no_news(watched: Watched) -> None:
    row = samples.row(1)
    changed = claimed_again(row)
    answer = samples.answered(samples.item(row), AnswerKind.CONFLICT_CHANGED, now=changed)
    watched.office.decisions_changed([answer])
    watched.time.pass_to(LONGEST)
    assert watched.tray.told == []


async def test_settings_asks_for_it_and_says_where_it_cannot_be(watched: Watched) -> None:
    settings, asked = watched.office.settings, list[bool]()
    watched.office.notify_wanted.connect(asked.append)
    settings.show_notifications(on=True, possible=True)
    assert settings.notify.isChecked()
    assert asked == []
    settings.notify.click()
    settings.notify.click()
    assert asked == [False, True]
    settings.show_notifications(on=True, possible=False)
    assert not settings.notify.isEnabled()
    assert "no tray" in settings.about_notifying.text()


# --- Qt's own icon ---


@pytest.fixture
def icon(theme: Theme) -> Iterator[Tray]:
    """The real class, not shown: test_on_a_desktop.py has a desktop for it."""
    window = dressed(theme)
    yield Tray(theme, window)
    window.deleteLater()


def test_the_icon_has_a_picture_and_a_menu(icon: Tray) -> None:
    asked: list[object] = []
    icon.open_wanted.connect(asked.append)
    icon.quit_wanted.connect(lambda: asked.append("quit"))
    assert not icon.icon().isNull()
    assert [action.text() for action in icon.menu.actions()] == ["Open", "Quit"]
    for action in icon.menu.actions():
        action.trigger()
    assert asked == [None, "quit"]


def test_a_click_on_the_notification_names_its_payment(icon: Tray) -> None:
    asked: list[object] = []
    icon.open_wanted.connect(asked.append)
    icon.tell(Notice("40 new payments", UUID(int=3)))
    icon.messageClicked.emit()
    icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    icon.activated.emit(QSystemTrayIcon.ActivationReason.Context)
    assert asked == [UUID(int=3), None]


def test_without_a_tray_there_is_no_icon(theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: False)
    window = dressed(theme)
    assert system_tray(theme, window) is None
    window.deleteLater()


def test_the_window_comes_back(theme: Theme, expected_logs: ExpectedLogs) -> None:
    window = dressed(theme)
    window.showMinimized()
    with expected_logs("does not support raise"):  # nobody is in front of anybody without a screen
        window.bring_to_front()
    assert window.isVisible()
    assert not window.isMinimized()
    window.end()
    window.deleteLater()
