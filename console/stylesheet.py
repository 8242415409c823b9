"""The style sheet, made from the design tokens. Widgets ask for a look by the property `look`."""

from __future__ import annotations

from resources import Palette, Tokens


def stylesheet(tokens: Tokens, colours: Palette) -> str:
    """Qt style sheet of the whole application for one theme. Fonts are set in code, not here:
    a style sheet would drop the tabular figures."""
    parts = (_surfaces, _labels, _buttons, _inputs, _rail, _notices, _table, _bars)
    return "\n".join(part(tokens, colours) for part in parts)


def _surfaces(tokens: Tokens, c: Palette) -> str:
    r = tokens.radius
    return f"""
QMainWindow, QDialog {{ background: {c.surface}; }}
QDialog {{ background: {c.surface_raised}; }}
QWidget[look="sheet"] {{ background: {c.surface_raised}; }}
QFrame[look="card"] {{ background: {c.surface_raised}; border: 1px solid {c.border};
  border-radius: {r.large}px; }}
QFrame[look="sunken"] {{ background: {c.surface}; border: 1px solid {c.border};
  border-radius: {r.medium}px; }}
QFrame[look="pane"] {{ background: {c.surface_raised}; border: none;
}}
QFrame[look="foot"] {{ background: {c.surface_raised}; border: none;
  border-top: 1px solid {c.border}; }}
QFrame[look="line"] {{ background: {c.border}; border: none; }}
QFrame[look="toolbar"] {{ background: {c.surface}; border: none;
  border-bottom: 1px solid {c.border}; }}
QFrame[look="palette"] {{ background: {c.surface_raised}; border: 1px solid {c.border_strong};
  border-radius: {r.large}px; }}
QScrollArea, QScrollArea > QWidget > QWidget[look="scrolled"] {{ background: transparent;
  border: none; }}
QToolTip {{ background: {c.surface_raised}; color: {c.text};
  border: 1px solid {c.border_strong}; padding: 4px 8px; }}
"""


def _labels(tokens: Tokens, c: Palette) -> str:
    r = tokens.radius
    return f"""
QLabel {{ color: {c.text}; background: transparent; }}
QLabel[look="muted"] {{ color: {c.text_muted}; }}
QLabel[look="warn"] {{ color: {c.warn}; }}
QLabel[look="danger"] {{ color: {c.danger}; }}
QLabel[look="ok"] {{ color: {c.ok}; }}
QLabel[look="changed"] {{ background: {c.warn_soft}; color: {c.text};
  border-radius: {r.small}px; }}
QLabel[look="key"] {{ color: {c.text_muted}; background: {c.surface};
  border: 1px solid {c.border}; border-radius: {r.small}px; padding: 1px 5px; }}
QLabel[look="demo"] {{ color: {c.warn}; background: {c.warn_soft};
  border-radius: {r.small}px; padding: 2px 6px; }}
"""


def _buttons(tokens: Tokens, c: Palette) -> str:
    r, s = tokens.radius, tokens.size
    return f"""
QPushButton {{ background: {c.surface_raised}; color: {c.text};
  border: 1px solid {c.border_strong}; border-radius: {r.medium}px;
  padding: 0 14px; min-height: {s.control - 2}px; }}
QPushButton:hover {{ background: {c.row_hover}; }}
QPushButton:pressed {{ background: {c.surface_sunken}; }}
QPushButton:focus {{ border: 2px solid {c.focus}; padding: 0 13px;
  min-height: {s.control - 4}px; }}
QPushButton:disabled {{ color: {c.text_muted}; background: {c.surface};
  border: 1px solid {c.border}; }}
QPushButton[look="primary"] {{ background: {c.accent}; color: {c.accent_text};
  border: 1px solid {c.accent}; }}
QPushButton[look="primary"]:hover {{ background: {c.accent_hover};
  border-color: {c.accent_hover}; }}
QPushButton[look="primary"]:focus {{ border: 2px solid {c.focus}; }}
QPushButton[look="primary"]:disabled {{ background: {c.surface_sunken}; color: {c.text_muted};
  border: 1px solid {c.border}; }}
QPushButton[look="danger"] {{ background: {c.danger}; color: {c.danger_text};
  border: 1px solid {c.danger}; }}
QPushButton[look="danger"]:focus {{ border: 2px solid {c.focus}; }}
QPushButton[look="danger"]:disabled {{ background: {c.surface_sunken}; color: {c.text_muted};
  border: 1px solid {c.border}; }}
QPushButton[look="quiet"], QToolButton {{ background: transparent; color: {c.text_muted};
  border: 1px solid transparent; border-radius: {r.medium}px; padding: 0 8px;
  min-height: {s.control - 2}px; }}
QToolButton {{ padding: 0; min-width: {s.control - 2}px; }}
QPushButton[look="quiet"]:hover, QToolButton:hover {{ background: {c.row_hover};
  color: {c.text}; }}
QPushButton[look="quiet"]:focus, QToolButton:focus {{ border: 1px solid {c.focus}; }}
QPushButton[look="quiet"]:checked, QToolButton:checked {{ background: {c.selection};
  color: {c.text}; }}
QPushButton[look="filter"] {{ text-align: left; padding: 0 26px 0 10px; }}
QPushButton[look="filter"][narrowed="true"] {{ background: {c.accent_soft};
  border: 1px solid {c.accent}; }}
QPushButton[look="filter"]:focus {{ border: 2px solid {c.focus}; padding: 0 25px 0 9px; }}
QPushButton[look="choice"] {{ text-align: left; padding: 0 12px; }}
QPushButton[look="choice"]:checked {{ background: {c.accent_soft};
  border: 1px solid {c.accent}; }}
QPushButton[look="choice"]:focus {{ border: 2px solid {c.focus}; padding: 0 11px; }}
"""


def _inputs(tokens: Tokens, c: Palette) -> str:
    r, s = tokens.radius, tokens.size
    return f"""
QLineEdit, QPlainTextEdit, QTextEdit {{ background: {c.surface_raised}; color: {c.text};
  border: 1px solid {c.border_strong}; border-radius: {r.medium}px;
  selection-background-color: {c.selection}; selection-color: {c.text}; }}
QLineEdit {{ padding: 0 8px; min-height: {s.control - 2}px; }}
QPlainTextEdit, QTextEdit {{ padding: 6px; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus {{ border: 2px solid {c.focus}; }}
QLineEdit:focus {{ padding: 0 7px; min-height: {s.control - 4}px; }}
QPlainTextEdit:focus, QTextEdit:focus {{ padding: 5px; }}
QLineEdit QToolButton {{ min-width: 0; min-height: 0; border: none;
  background: transparent; }}
QLineEdit:disabled {{ color: {c.text_muted}; background: {c.surface}; }}
QListView {{ background: transparent; border: none; outline: none; color: {c.text}; }}
QListView::item {{ padding: 0 12px; min-height: {s.row}px; border-radius: {r.small}px; }}
QListView::item:selected {{ background: {c.selection}; color: {c.text}; }}
QListView::item:disabled {{ color: {c.text_muted}; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: {c.border_strong}; border-radius: 3px; margin: 3px;
  min-height: 32px; min-width: 32px; }}
QScrollBar::handle:hover {{ background: {c.text_muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{ background: {c.surface_sunken}; border: none; border-radius: 2px;
  max-height: 4px; min-height: 4px; }}
QProgressBar::chunk {{ background: {c.accent}; border-radius: 2px; }}
QMenu {{ background: {c.surface_raised}; color: {c.text}; border: 1px solid {c.border_strong};
  padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: {r.small}px; }}
QMenu::item:selected {{ background: {c.selection}; }}
"""


def _rail(tokens: Tokens, c: Palette) -> str:
    r, s = tokens.radius, tokens.size
    return f"""
QFrame[look="rail"] {{ background: {c.surface_sunken}; border: none;
  border-right: 1px solid {c.border}; }}
QPushButton[look="rail"] {{ background: transparent; color: {c.text_muted}; border: none;
  border-radius: {r.medium}px; text-align: left; padding: 0 12px;
  min-height: {s.row}px; }}
QPushButton[look="rail"]:hover {{ background: {c.row_hover}; color: {c.text}; }}
QPushButton[look="rail"]:checked {{ background: {c.selection}; color: {c.text}; }}
QPushButton[look="rail"]:focus {{ border: 1px solid {c.focus}; padding: 0 11px;
  min-height: {s.row - 2}px; }}
QPushButton[look="rail-small"] {{ background: transparent; color: {c.text_muted}; border: none;
  border-radius: {r.medium}px; text-align: left; padding: 0 12px; min-height: 28px; }}
QPushButton[look="rail-small"]:hover {{ background: {c.row_hover}; color: {c.text}; }}
QPushButton[look="rail-small"]:focus {{ border: 1px solid {c.focus}; padding: 0 11px;
  min-height: 26px; }}
QPushButton[look="rail"]:disabled {{ color: {c.text_muted}; }}
"""


def _notices(tokens: Tokens, c: Palette) -> str:
    r = tokens.radius
    kinds = {
        "info": (c.accent_soft, c.accent),
        "warn": (c.warn_soft, c.warn),
        "danger": (c.danger_soft, c.danger),
    }
    banners = "\n".join(
        f'QFrame[look="banner-{kind}"] {{ background: {soft}; border: none;'
        f" border-bottom: 1px solid {strong}; }}"
        for kind, (soft, strong) in kinds.items()
    )
    return f"""
{banners}
QFrame[look="alarm"] {{ background: {c.danger_soft}; border: 2px solid {c.danger};
  border-radius: {r.large}px; }}
QFrame[look="notice-warn"] {{ background: {c.warn_soft}; border: 1px solid {c.warn};
  border-radius: {r.medium}px; }}
QFrame[look="notice-danger"] {{ background: {c.danger_soft}; border: 1px solid {c.danger};
  border-radius: {r.medium}px; }}
QFrame[look="notice-info"] {{ background: {c.accent_soft}; border: 1px solid {c.accent};
  border-radius: {r.medium}px; }}
QFrame[look="toast"] {{ background: {c.surface_raised}; border: 1px solid {c.border_strong};
  border-radius: {r.large}px; }}
"""


def _table(tokens: Tokens, c: Palette) -> str:
    s = tokens.size
    return f"""
QTableView {{ background: {c.surface_raised}; border: none; outline: none;
  selection-background-color: transparent; selection-color: {c.text}; }}
QTableView::item {{ border: none; padding: 0; }}
QHeaderView {{ background: {c.surface}; border: none; }}
QHeaderView::section {{ background: {c.surface}; color: {c.text_muted}; border: none;
  border-bottom: 1px solid {c.border}; padding: 0 12px; height: {s.control}px; }}
QHeaderView::section:hover {{ color: {c.text}; background: {c.row_hover}; }}
QHeaderView::down-arrow, QHeaderView::up-arrow {{ width: 0; height: 0; }}
"""


def _bars(tokens: Tokens, c: Palette) -> str:
    return f"""
QFrame[look="status"] {{ background: {c.surface_sunken}; border: none;
  border-top: 1px solid {c.border}; }}
QPushButton[look="state"], QPushButton[look="state-warn"], QPushButton[look="state-danger"] {{
  background: transparent; color: {c.text_muted}; border: 1px solid transparent;
  border-radius: {tokens.radius.small}px; padding: 0 4px; min-height: 24px; }}
QPushButton[look="state-warn"] {{ color: {c.warn}; }}
QPushButton[look="state-danger"] {{ color: {c.danger}; }}
QPushButton[look="state"]:hover, QPushButton[look="state-warn"]:hover,
QPushButton[look="state-danger"]:hover {{ background: {c.row_hover}; }}
QPushButton[look="state"]:focus, QPushButton[look="state-warn"]:focus,
QPushButton[look="state-danger"]:focus {{ border: 1px solid {c.focus}; }}
QSplitter::handle {{ background: {c.border}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
"""
