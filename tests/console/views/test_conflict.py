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
from console.views.wording import NOTHING_SEEN_CHANGED
from core.client.errors import OutboxError, UnreachableError
from core.client.outbox import OutboxItem
from core.domain.decisions import Decision, ReasonCode, Verdict
from core.protocol.messages import AnswerKind, EnrollmentRow, Note, TimelineEntry
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


@pytest.mark.parametrize("verdict", [Verdict.APPROVE, Verdict.REJECT])
def test_where_nothing_shown_changed_it_says_so(
    window: QWidget, theme: Theme, verdict: Verdict
) -> None:
    now = samples.row(5, version=3)
    dialog = ConflictDialog(theme, conflict(verdict, now), now, window, at=samples.NOW)
    assert not any(differs for *_, differs in dialog.facts)
    assert dialog.words.text().endswith(NOTHING_SEEN_CHANGED)
    assert "Look at what changed" not in dialog.words.text()
    assert "What happened since" in texts(dialog)


def test_reference_and_email_are_compared(window: QWidget, theme: Theme) -> None:
    student = SEEN.student.model_copy(update={"email": "another@example.org"})
    now = SEEN.model_copy(
        update={"version": 3, "student": student, "reference": samples.reference(77)}
    )
    dialog = ConflictDialog(theme, conflict(now=now), now, window, at=samples.NOW)
    assert [name for name, *_, differs in dialog.facts if differs] == ["Reference", "Email"]
    assert texts(dialog).count("Changed") == 2


def happened(*versions: int) -> tuple[TimelineEntry, ...]:
    """A card that failed again and again."""
    return tuple(
        TimelineEntry(
            index=1_300 + version,
            leaf=samples.leaf(
                "card.failed", {"failure": "declined"}, before=version - 1, after=version
            ),
            actor_name="Card provider",
        )
        for version in versions
    )


def test_the_latest_of_what_happened_since_is_shown(window: QWidget, theme: Theme) -> None:
    dialog = ConflictDialog(theme, conflict(), NOW, window, at=samples.NOW)
    dialog.show_history(happened(1, 2, 3, 4, 5, 6))
    assert [moment.small.rsplit(" ", 1)[1] for moment in dialog.since.shown] == [
        "1\u00a0306", "1\u00a0305", "1\u00a0304",
    ]  # fmt: skip
    assert {moment.text for moment in dialog.since.shown} == {"The card payment failed: declined"}
    assert "1 entry before these." in texts(dialog)


def test_a_history_that_says_nothing_newer_is_told(window: QWidget, theme: Theme) -> None:
    dialog = ConflictDialog(theme, conflict(), NOW, window, at=samples.NOW)
    dialog.show_history(happened(1, 2))
    assert dialog.since.shown == ()
    assert "Its history tells nothing newer yet." in texts(dialog)


def test_what_an_older_console_signed_says_since_when(window: QWidget, theme: Theme) -> None:
    item = replace(rejection(), shown=None)
    dialog = ConflictDialog(theme, item, NOW, window, at=samples.NOW)
    dialog.show_history(happened(1, 2, 3))
    assert len(dialog.since.shown) == 1
    assert dialog.words.text().endswith("Look at what changed.")


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


async def test_the_newest_conflict_is_the_one_made_last_whatever_key_signed_it(
    opened: OpenOffice, theme: Theme
) -> None:
    """A new key counts from one again."""
    told: list[str] = []
    tasks = TaskRunner(lambda error, name: told.append(f"{name}: {error!r}"))
    opened.desk.post(replace(conflict(), id=UUID(int=1), device=UUID(int=1), n=40))
    opened.desk.post(conflict(Verdict.REJECT))
    opened.bring(NOW)
    again(opened, theme, tasks, told).open_for(SEEN.enrollment)
    dialog = await dialog_in(opened)
    assert dialog.ok.text() == "Reject again"
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    await until(lambda: not tasks.is_running("again"), what="the end")
    await tasks.close()
    assert told == []


async def test_what_happened_since_is_fetched(opened: OpenOffice, theme: Theme) -> None:
    told: list[str] = []
    tasks = TaskRunner(lambda error, name: told.append(f"{name}: {error!r}"))
    opened.desk.happened = happened(3)
    opened.bring(samples.row(5, version=3))
    again(opened, theme, tasks, told).open(conflict(now=samples.row(5, version=3)))
    dialog = await dialog_in(opened)
    low = dialog.height()
    await until(lambda: dialog.since.shown, what="the history")
    assert [moment.text for moment in dialog.since.shown] == ["The card payment failed: declined"]
    await until(lambda: dialog.height() > low, what="room for it")
    dialog.reject()
    await until(lambda: not tasks.is_running("again"), what="the end")
    await tasks.close()
    assert told == []


async def test_without_a_connection_it_is_said_that_the_history_is_missing(
    opened: OpenOffice, theme: Theme
) -> None:
    tasks = TaskRunner(lambda _error, _name: None)
    opened.desk.problem = UnreachableError("The backend cannot be reached.")
    again(opened, theme, tasks, []).open(conflict())
    dialog = await dialog_in(opened)
    words = "History: The backend cannot be reached."
    await until(lambda: words in texts(dialog), what="the words")
    dialog.reject()
    await until(lambda: not tasks.is_running("again"), what="the end")
    await tasks.close()


async def test_a_closed_comparison_asks_for_nothing_more(opened: OpenOffice, theme: Theme) -> None:
    told: list[str] = []
    tasks = TaskRunner(lambda error, name: told.append(f"{name}: {error!r}"))
    again(opened, theme, tasks, told).open(conflict())
    (await dialog_in(opened)).reject()
    await until(lambda: not tasks.is_running("again"), what="the end")
    await until(lambda: not tasks.is_running("what happened since"), what="nothing is asked")
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
    opened.office.decisions_changed([conflict()])
    assert not opened.office.pending.detail.again.isHidden()
    opened.press(Qt.Key.Key_G)
    opened.office.pending.detail.again.click()
    assert wanted == [SEEN.enrollment, SEEN.enrollment]
