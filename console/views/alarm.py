"""The alarm of the ledger's witness: red, over everything, until a person deals with it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from console.theme import Theme
from console.widgets.basic import Button, Icon, centred, label, wrapped
from console.widgets.fields import Field, FieldList
from console.words import whole
from core.client.witness import WitnessStatus
from core.client.witness_file import WitnessAlarm


class AlarmOverlay(QWidget):
    """Covers its parent: nothing can be decided on a ledger that may have been changed."""

    accept_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parent = parent
        self.setAccessibleName("Ledger alarm")
        self._words = wrapped(theme)
        self.fields = FieldList(theme, name_width=160)
        self.copy = Button(theme, "Copy details", icon="copy", on_click=self._copy)
        self.accept = Button(
            theme, "Take this ledger anyway…", look="danger", on_click=self.accept_wanted.emit
        )
        self._build(theme)
        parent.installEventFilter(self)
        self.hide()

    def tell(self, status: WitnessStatus) -> None:
        """Show or hide, by what the witness says."""
        alarm = status.alarm
        self.setVisible(alarm is not None)
        if alarm is None:
            return
        self._words.setText(
            f"{alarm.message} Decisions are stopped on this console. Call your administrator, and"
            " show them this page."
        )
        key = status.key_fingerprint or "not known"
        verified = "nothing" if status.verified_to is None else whole(status.verified_to)
        self.fields.show_fields(
            [
                Field("What", alarm.kind.value.replace("_", " ")),
                Field("When", f"{alarm.at.astimezone():%d %B %Y, %H:%M:%S}"),
                Field("Verified before", f"to entry {verified}"),
                Field("Ledger key", key),
                Field("Both sides are kept in", evidence_words(alarm)),
            ]
        )
        self.setGeometry(self._parent.rect())
        self.raise_()
        self.copy.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._parent and event.type() == QEvent.Type.Resize:
            self.setGeometry(self._parent.rect())
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        shade = self._theme.colour("overlay")
        shade.setAlphaF(self._theme.tokens.overlay_percent / 100)
        painter = QPainter(self)
        painter.fillRect(self.rect(), shade)
        painter.end()

    def _build(self, theme: Theme) -> None:
        card = QFrame()
        card.setProperty("look", "alarm")
        card.setFixedWidth(620)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(Icon(theme, "shield-alert", "danger", size=24))
        top.addWidget(label(theme, "The ledger cannot be trusted", size="title"), 1)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self.copy)
        foot.addStretch(1)
        foot.addWidget(self.accept)
        inner = QVBoxLayout(card)
        inner.setContentsMargins(28, 24, 28, 24)
        inner.setSpacing(14)
        inner.addLayout(top)
        inner.addWidget(self._words)
        inner.addWidget(self.fields)
        inner.addLayout(foot)
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        layout.addLayout(centred(card))
        layout.addStretch(2)

    def _copy(self) -> None:
        lines = [self._words.text(), *(f"{n}: {t}" for n, t in self.fields.shown.items())]
        QGuiApplication.clipboard().setText("\n".join(lines))


def evidence_words(alarm: WitnessAlarm) -> str:
    """The file with both sides, or that there is none yet."""
    return alarm.evidence or "no file yet: this computer's disk takes nothing"
