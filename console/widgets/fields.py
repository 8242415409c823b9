"""Facts beside their names, and a timeline: what a detail pane is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from console.theme import Theme, set_look
from console.widgets.basic import Icon, label, wrapped


@dataclass(frozen=True, slots=True)
class Field:
    """`changed` marks a fact that is another than a moment ago."""

    name: str
    text: str
    changed: bool = False


class FactLabel(QLabel):
    """Wraps between words; one word that is too long, as an address, is cut in its middle."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.fact = ""
        self.setFont(theme.font())
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setMinimumWidth(1)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def show_fact(self, text: str) -> None:
        self.fact = text
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        metrics, width = self.fontMetrics(), self.width()
        middle = Qt.TextElideMode.ElideMiddle
        fitting = [
            word
            if metrics.horizontalAdvance(word) <= width
            else metrics.elidedText(word, middle, width)
            for word in self.fact.split(" ")
        ]
        shown = " ".join(fitting)
        self.setText(shown)
        self.setToolTip(self.fact if shown != self.fact else "")


class FieldList(QWidget):
    """Names on the left, facts on the right; a fact can be selected and copied."""

    def __init__(self, theme: Theme, *, name_width: int = 104) -> None:
        super().__init__()
        self._theme = theme
        self._rows: list[tuple[QLabel, FactLabel]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnMinimumWidth(0, name_width)
        self._grid.setColumnStretch(1, 1)

    def show_fields(self, fields: Sequence[Field]) -> None:
        while len(self._rows) < len(fields):
            self._add_row()
        for number, (name, text) in enumerate(self._rows):
            used = number < len(fields)
            name.setVisible(used)
            text.setVisible(used)
            if used:
                field = fields[number]
                name.setText(field.name)
                text.show_fact(field.text)
                text.setAccessibleName(f"{field.name}: {field.text}")
                set_look(text, "changed" if field.changed else "")

    @property
    def shown(self) -> dict[str, str]:
        """The facts by their names, as they are shown."""
        return {n.text(): t.fact for n, t in self._rows if not n.isHidden()}

    def _add_row(self) -> None:
        name = label(self._theme, look="muted")
        text = FactLabel(self._theme)
        number = len(self._rows)
        self._grid.addWidget(name, number, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(text, number, 1, Qt.AlignmentFlag.AlignTop)
        self._rows.append((name, text))


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened: a drawing with its colour, what, and when and by whom."""

    icon: str
    tone: str
    text: str
    small: str


class Timeline(QWidget):
    """What happened, the newest first, along a thin line."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._moments: tuple[Moment, ...] = ()

    def show_moments(self, moments: Sequence[Moment]) -> None:
        """Put these in place of the former ones."""
        if tuple(moments) == self._moments:
            return
        self._moments = tuple(moments)
        while (item := self._layout.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        last = len(self._moments) - 1
        for number, moment in enumerate(self._moments):
            self._layout.addWidget(_MomentRow(self._theme, moment, last=number == last))

    @property
    def shown(self) -> tuple[Moment, ...]:
        return self._moments


class _MomentRow(QWidget):
    def __init__(self, theme: Theme, moment: Moment, *, last: bool) -> None:
        super().__init__()
        self._theme = theme
        self._last = last
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 12)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        text = wrapped(theme, moment.text)
        text.setFont(theme.font(weight=QFont.Weight.Medium))
        align = Qt.AlignmentFlag.AlignTop
        grid.addWidget(Icon(theme, moment.icon, moment.tone), 0, 0, align)
        grid.addWidget(text, 0, 1)
        grid.addWidget(wrapped(theme, moment.small, look="muted"), 1, 1)
        self.setAccessibleName(f"{moment.text}. {moment.small}")
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._last:
            return
        painter = QPainter(self)
        painter.setPen(self._theme.colour("border"))
        painter.drawLine(8, 22, 8, self.height() - 4)
        painter.end()
