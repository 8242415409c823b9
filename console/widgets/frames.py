"""How the large parts of a screen stand together: edge to edge, and a list beside its pane."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QScrollArea, QSplitter, QVBoxLayout, QWidget

from console.theme import Theme

_LIST_WIDTH = 900
_LEAST_PANE_WIDTH = 320


def edge_to_edge(
    owner: QWidget, *parts: QWidget | QLayout, grows: QWidget | QLayout
) -> QVBoxLayout:
    """Fill `owner` with parts, one below the other; `grows`, one of them, takes the room left."""
    column = QVBoxLayout(owner)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for part in parts:
        share = 1 if part is grows else 0
        if isinstance(part, QLayout):
            column.addLayout(part, share)
        else:
            column.addWidget(part, share)
    return column


def list_and_pane(owner: QWidget, theme: Theme, rows: QWidget, pane: QWidget) -> None:
    """Fill `owner` with a list and, at its right, the pane of the chosen line.

    The line between them can be dragged; in another window size the pane keeps its width.
    """
    split = QSplitter(Qt.Orientation.Horizontal)
    split.addWidget(rows)
    split.addWidget(pane)
    split.setStretchFactor(0, 1)
    split.setStretchFactor(1, 0)
    split.setChildrenCollapsible(False)
    split.setHandleWidth(1)
    split.setSizes([_LIST_WIDTH, theme.tokens.size.detail])
    pane.setMinimumWidth(_LEAST_PANE_WIDTH)
    edge_to_edge(owner, split, grows=split)


def scrolled(body: QLayout) -> QScrollArea:
    """What a pane tells, from above to below, scrolled where it is longer than the pane."""
    inside = QWidget()
    inside.setProperty("look", "scrolled")
    body.setContentsMargins(20, 4, 20, 16)
    body.setSpacing(12)
    inside.setLayout(body)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(inside)
    return area
