"""`What the student sees`: the course card as the student's page shows it, drawn small."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from console.theme import Theme
from console.widgets.basic import Button, ElidedLabel, label, wrapped
from core.domain.course_card import CardAction
from core.domain.money import format_rand
from core.protocol.messages import CardView


class StudentCardPreview(QFrame):
    """Shows one `CardView`; its button is a picture, not a control."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("look", "sunken")
        self._title = ElidedLabel(theme)
        self._title.setFont(theme.font(weight=600))
        self._price = label(theme, look="muted")
        self._message = wrapped(theme, look="muted")
        self._button = Button(theme, "")
        self._button.setEnabled(False)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self._title, 1)
        top.addWidget(self._price)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 12)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self._message)
        layout.addWidget(self._button)

    def show_card(self, card: CardView) -> None:
        self._title.set_text(card.title)
        self._price.setText(format_rand(card.price_cents))
        self._message.setText(card.message)
        self._message.setVisible(bool(card.message))
        waits = card.action == CardAction.WAIT
        self._button.setText(f" {card.label}" if waits else card.label)
        self._button.set_icon("clock" if waits else "")
        state = "can be pressed" if card.enabled else "cannot be pressed"
        self.setAccessibleName(f"The student sees: {card.label}, {state}. {card.message}")

    @property
    def label_text(self) -> str:
        """The words on the student's button."""
        return self._button.text().strip()
