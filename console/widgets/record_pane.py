"""The right pane beside a table: a head, a body that scrolls, and a foot with what can be done."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from console.theme import Theme
from console.widgets.basic import Button, Icon, IconButton, label
from console.widgets.frames import edge_to_edge, scrolled
from console.widgets.notices import EmptyState


class RecordPane(QFrame):
    """Whoever derives from it fills `body` and `foot` and tells `show_head` what to say."""

    close_wanted = Signal()

    def __init__(self, theme: Theme, *, hint: str) -> None:
        """`hint` is what it says while nothing is selected."""
        super().__init__()
        self.setProperty("look", "pane")
        self._icon = Icon(theme, "circle-dot", "text_muted")
        self._state = label(theme, size="heading")
        self._title = label(theme, size="title")
        self._copied = ""
        self._reference = Button(theme, "", look="quiet", icon="copy", on_click=self.copy_reference)
        self._reference.setToolTip("Copy the reference (C)")
        self.body = QVBoxLayout()
        self.foot = QFrame()
        self.foot.setProperty("look", "foot")
        self._scroll = scrolled(self.body)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(EmptyState(theme, icon="panel-right", text=hint))
        self._pages.addWidget(self._page(theme))

    def show_nothing(self) -> None:
        """Nothing is selected."""
        self.foot.hide()
        self._pages.setCurrentIndex(0)

    def show_page(self, *, from_the_top: bool) -> None:
        if from_the_top:
            self._scroll.verticalScrollBar().setValue(0)
        self._pages.setCurrentIndex(1)

    def show_head(self, *, icon: str, tone: str, state: str, title: str, reference: str) -> None:
        """`reference` as people read it; empty where there is none."""
        self._icon.show_icon(icon, tone)
        self._state.setText(state)
        self._title.setText(title)
        self._copied = reference
        self._reference.setText(f" {reference}")
        self._reference.setAccessibleName(f"Copy reference {reference}")
        self._reference.setVisible(bool(reference))

    def copy_reference(self) -> None:
        """Put the reference on the clipboard."""
        if self._copied:
            QGuiApplication.clipboard().setText(self._copied)

    def _page(self, theme: Theme) -> QWidget:
        page = QWidget()
        edge_to_edge(page, self._head(theme), self._scroll, self.foot, grows=self._scroll)
        return page

    def _head(self, theme: Theme) -> QVBoxLayout:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._icon)
        top.addWidget(self._state, 1)
        top.addWidget(
            IconButton(theme, "panel-right", "Hide details (D)", on_click=self.close_wanted.emit)
        )
        named = QHBoxLayout()
        named.addWidget(self._title)
        named.addStretch(1)
        named.addWidget(self._reference)
        head = QVBoxLayout()
        head.setContentsMargins(20, 10, 12, 10)
        head.setSpacing(0)
        head.addLayout(top)
        head.addLayout(named)
        return head
