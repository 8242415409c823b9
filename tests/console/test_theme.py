"""Colours, fonts and icons of both themes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QLabel

from console.theme import Theme, set_look
from console.theme_choice import ThemeChoice
from console.widgets.basic import Button, Icon


@pytest.fixture
def restored(theme: Theme) -> Iterator[Theme]:
    yield theme
    theme.choose(ThemeChoice.LIGHT)


def test_the_house_font_is_loaded_and_figures_stand_under_each_other(theme: Theme) -> None:
    assert "Inter" in QFontDatabase.families()
    font = theme.font("title", tabular=True)
    assert font.pixelSize() == theme.tokens.font.title
    assert [bytes(tag.toString().data()).decode() for tag in font.featureTags()] == ["tnum"]
    assert theme.font().featureTags() == []
    assert min(theme.font(size).pixelSize() for size in ("text", "heading", "title")) >= 12


def test_a_choice_changes_palette_and_style_sheet_and_is_told(
    restored: Theme, qapp: QApplication
) -> None:
    told: list[str] = []
    restored.changed.connect(lambda: told.append(restored.name))
    restored.choose(ThemeChoice.DARK)
    restored.choose(ThemeChoice.DARK)
    assert told == ["dark"]
    dark = restored.tokens.dark
    assert qapp.palette().color(QPalette.ColorRole.Base).name() == dark.surface_raised
    assert dark.accent in qapp.styleSheet()
    restored.choose(ThemeChoice.SYSTEM)
    assert restored.name in {"light", "dark"}


def test_icons_take_the_colour_of_their_token(restored: Theme) -> None:
    for choice in (ThemeChoice.LIGHT, ThemeChoice.DARK):
        restored.choose(choice)
        image = restored.pixmap("check", "danger", 32, ratio=2).toImage()
        assert image.width() == 64
        strongest = max(
            (image.pixelColor(x, y) for x in range(64) for y in range(64)), key=lambda c: c.alpha()
        )
        assert strongest.name() == restored.colours.danger
        assert restored.icon("check", "ok").availableSizes()


def test_a_look_can_change_while_it_is_shown(theme: Theme) -> None:
    label = QLabel("x")
    set_look(label, "danger")
    label.ensurePolished()
    assert label.palette().color(QPalette.ColorRole.WindowText).name() == theme.colours.danger
    set_look(label, "warn")
    assert label.palette().color(QPalette.ColorRole.WindowText).name() == theme.colours.warn


def test_a_button_has_room_for_its_shortcut(theme: Theme) -> None:
    with_key, without = Button(theme, "Approve", hint="A"), Button(theme, "Approve")
    assert with_key.hint == "A"
    assert with_key.sizeHint().width() > without.sizeHint().width()
    with_key.resize(with_key.sizeHint())
    without.resize(with_key.sizeHint())
    assert with_key.grab().toImage() != without.grab().toImage()


def test_icons_repaint_with_the_theme(restored: Theme) -> None:
    icon = Icon(restored, "inbox", "text")
    light = icon.grab().toImage()
    restored.choose(ThemeChoice.DARK)
    assert icon.grab().toImage() != light
