"""The comparison of what was seen with what is, and deciding once more from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from console.again import Again
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.views.conflict import ConflictDialog
from core.client.errors import OutboxError
from core.client.outbox import OutboxItem
from core.domain.decisions import Decision, ReasonCode, Verdict
from core.protocol.messages import AnswerKind, EnrollmentRow, Note
from core.protocol.signing import decision_payload
from tests.console import samples
from tests.console.fixtures import OpenOffice
from tests.support.waiting import until

SEEN = samples.row(5)
NOW = samples.row(5, version=3, claim_cents=200_000)


def conflict(
    verdict: Verdict = Verdict.APPROVE,
    now: EnrollmentRow = NOW,
    kind: AnswerKind = AnswerKind.CONFLICT_CHANGED,
) -> OutboxItem:
    return samples.answered(samples.item(SEEN, verdict=verdict), kind, now=now)


def rejection() -> OutboxItem:
    """A rejection with a reason and words."""
    item = conflict(Verdict.REJECT)
    decision = Decision(
        id=item.id,
        officer=item.officer,
        device=item.device,
        n=item.n,
        as_of=0,
        enrollment=item.enrollment,
        expected_version=SEEN.version,
        seen="0" * 64,
        verdict=Verdict.REJECT,
        reason_code=ReasonCode.WRONG_AMOUNT,
        reason_commitment=None,
        amount_received=None,
    )
    note = Note(text="Half of it came.", salt="ab" * 16)
    return replace(item, payload=decision_payload(decision), note=note)


@pytest.fixture
def window(qapp: QApplication) -> Iterator[QWidget]:
    """What a dialog lies over; it takes the dialog with it."""
    made = QWidget()
    yield made
    made.deleteLater()
    qapp.processEvents()


def texts(dialog: ConflictDialog) -> list[str]:
    return [found.text() for found in dialog.findChildren(QLabel)]


def test_only_what_changed_is_marked(window: QWidget, theme: Theme) -> None:
    dialog = ConflictDialog(theme, conflict(), NOW, window, at=samples.NOW)
    changed = {name: (before, now) for name, before, now, differs in dialog.facts if differs}
    assert changed == {"Amount": ("R\u00a02\u00a0899.50", "R\u00a02\u00a0000.00")}
    assert texts(dialog).count("Changed") == 1
    assert "It changed while you decided" in texts(dialog)
    assert dialog.ok.text() == "Approve R\u00a02\u00a0000.00"
    assert any(text.startswith("What you saw, ") for text in texts(dialog))


def test_a_rejection_keeps_its_reason_and_words(window: QWidget, theme: Theme) -> None:
    dialog = ConflictDialog(theme, rejection(), NOW, window, at=samples.NOW)
    assert dialog.ok.text() == "Reject again"
    assert "Reason: The amount is wrong" in texts(dialog)
    assert "Your words: Half of it came." in texts(dialog)


def test_whoever_was_first_is_named_with_the_time(window: QWidget, theme: Theme) -> None:
    gone = samples.approved(SEEN)
    item = conflict(now=gone, kind=AnswerKind.CONFLICT_DECIDED)
    dialog = ConflictDialog(theme, item, gone, window, at=samples.NOW)
    assert "Approved by T. Mokoena, " in dialog.words.text()
    assert dialog.ok.text() == "Take it off the list"


def test_what_an_older_console_did_not_keep_is_not_made_up(window: QWidget, theme: Theme) -> None:
    item = replace(conflict(), shown=None)
    dialog = ConflictDialog(theme, item, NOW, window, at=samples.NOW)
    assert {before for _, before, _, _ in dialog.facts} == {"not kept"}
    assert "Changed" not in texts(dialog)


async def dialog_in(opened: OpenOffice) -> ConflictDialog:
    def found() -> ConflictDialog | None:
        dialogs = opened.window.findChildren(ConflictDialog)
        return next((dialog for dialog in dialogs if dialog.isVisible()), None)

    await until(found, what="the comparison")
    dialog = found()
    assert dialog is not None
    return dialog


def again(opened: OpenOffice, theme: Theme, tasks: TaskRunner, told: list[str]) -> Again:
    return Again(
        theme,
        opened.desk,
        window=opened.window,
        tasks=tasks,
        tell=lambda kind, text: told.append(f"{kind}: {text}"),
        row_of=opened.office.model.row,
        clock=samples.clock,
    )


async def test_one_click_decides_about_the_newest_row(opened: OpenOffice, theme: Theme) -> None:
    told: list[str] = []
    tasks = TaskRunner(lambda error, name: told.append(f"{name}: {error!r}"))
    opened.desk.post(conflict())
    newest = samples.row(5, version=4, claim_cents=210_000)
    opened.bring(newest)
    again(opened, theme, tasks, told).open_for(SEEN.enrollment)
    dialog = await dialog_in(opened)
    dialog.ok.click()
    await until(lambda: opened.desk.decided, what="the decision")
    assert opened.desk.decided == [(newest, Verdict.APPROVE, None, None)]
    await until(lambda: opened.desk.posted[conflict().id].dismissed, what="the old one gone")
    await tasks.close()
    assert told == []


async def test_closing_it_decides_nothing(opened: OpenOffice, theme: Theme) -> None:
    told: list[str] = []
    tasks = TaskRunner(lambda error, name: told.append(f"{name}: {error!r}"))
    again(opened, theme, tasks, told).open(conflict())
    dialog = await dialog_in(opened)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    await until(lambda: not tasks.is_running("again"), what="the end")
    assert opened.desk.decided == []
    await tasks.close()


async def test_what_somebody_else_decided_is_taken_off_the_list(
    opened: OpenOffice, theme: Theme
) -> None:
    told: list[str] = []
    tasks = TaskRunner(lambda error, name: told.append(f"{name}: {error!r}"))
    item = conflict(now=samples.approved(SEEN), kind=AnswerKind.CONFLICT_DECIDED)
    opened.desk.post(item)
    again(opened, theme, tasks, told).open(item)
    (await dialog_in(opened)).ok.click()
    await until(lambda: opened.desk.posted[item.id].dismissed, what="it off the list")
    assert opened.desk.decided == []
    await tasks.close()


async def test_a_queue_that_fails_is_told(opened: OpenOffice, theme: Theme) -> None:
    told: list[str] = []
    tasks = TaskRunner(lambda error, name: told.append(f"{name}: {error!r}"))
    opened.desk.queue_problem = OutboxError("The outbox cannot be used.")
    again(opened, theme, tasks, told).open_for(UUID(int=5))
    await until(lambda: told, what="the words")
    assert told == ["danger: The outbox cannot be used."]
    await tasks.close()


async def test_g_asks_for_the_comparison(opened: OpenOffice) -> None:
    wanted: list[UUID] = []
    opened.office.pending.again_wanted.connect(wanted.append)
    opened.bring(SEEN)
    await opened.select(SEEN)
    opened.press(Qt.Key.Key_G)
    assert wanted == []
    opened.office.decision_changed(conflict())
    assert not opened.office.pending.detail.again.isHidden()
    opened.press(Qt.Key.Key_G)
    opened.office.pending.detail.again.click()
    assert wanted == [SEEN.enrollment, SEEN.enrollment]
