"""The rejection dialog: by keyboard, and never by accident."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QWidget

from console.theme import Theme
from console.views.reject import MAX_NOTE, RejectDialog
from console.views.wording import REJECT_REASONS
from core.domain.decisions import ReasonCode
from tests.console import samples


@pytest.fixture
def dialog(theme: Theme) -> Iterator[RejectDialog]:
    parent = QWidget()
    made = RejectDialog(theme, samples.row(1), parent)
    made.show()
    yield made
    parent.deleteLater()


def test_keys_choose_and_control_enter_rejects(dialog: RejectDialog) -> None:
    assert dialog.reason is None
    assert not dialog.ok.isEnabled()
    for number, reason in enumerate(REJECT_REASONS, 1):
        QTest.keyClicks(dialog, str(number))
        assert dialog.reason is reason
    QTest.keyClicks(dialog, "1")
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.choices[ReasonCode.NO_PAYMENT_FOUND].isChecked()
    assert dialog.note is None


def test_without_a_reason_nothing_is_rejected(dialog: RejectDialog) -> None:
    QTest.keyClick(dialog, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert dialog.isVisible()
    assert dialog._problem.text() == "Choose a reason."


def test_another_reason_needs_words(dialog: RejectDialog) -> None:
    dialog.fill(ReasonCode.OTHER, "  ")
    assert not dialog.ok.isEnabled()
    dialog.fill(ReasonCode.OTHER, " It was for another college. ")
    assert dialog.ok.isEnabled()
    assert dialog.note == "It was for another college."


def test_too_many_words_are_refused(dialog: RejectDialog) -> None:
    dialog.fill(ReasonCode.WRONG_AMOUNT, "x" * (MAX_NOTE + 1))
    assert not dialog.ok.isEnabled()
    dialog.fill(ReasonCode.WRONG_AMOUNT, "x" * MAX_NOTE)
    assert dialog.ok.isEnabled()


def test_digits_typed_into_the_words_choose_nothing(dialog: RejectDialog) -> None:
    QTest.keyClicks(dialog._note, "1250")
    assert dialog.reason is None
    assert dialog.note == "1250"


def test_escape_cancels(dialog: RejectDialog) -> None:
    QTest.keyClicks(dialog, "1")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.result() == QDialog.DialogCode.Rejected
