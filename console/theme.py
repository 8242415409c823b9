"""The look: one object holds colours, fonts and icons, and tells widgets when they change."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtGui import QPalette as QtPalette
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QWidget

import resources
from console.stylesheet import stylesheet
from console.theme_choice import ThemeChoice, ThemeName
from resources import Palette

_FONT_FILES = ("Inter-Regular.ttf", "Inter-Medium.ttf", "Inter-SemiBold.ttf")
# Icons are drawn once for each of these, so that they are sharp on every screen.
_PIXEL_RATIOS = (1, 2, 3)


class Theme(QObject):
    """Colours by token name, fonts by role, icons tinted by token colour.

    Widgets that paint with colours of their own connect to `changed`.
    """

    changed = Signal()

    def __init__(self, application: QApplication, choice: ThemeChoice = ThemeChoice.SYSTEM) -> None:
        super().__init__(application)
        self.tokens = resources.load_tokens()
        self._application = application
        self._choice = choice
        self._drawings: dict[str, str] = {}
        self._pixmaps: dict[tuple[str, str, int, int], QPixmap] = {}
        _load_fonts()
        application.setStyle("Fusion")
        application.setFont(self.font())
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self._system_changed)
        self._apply()

    @property
    def choice(self) -> ThemeChoice:
        return self._choice

    @property
    def name(self) -> ThemeName:
        """The theme that is shown now."""
        return self._choice.shown

    @property
    def colours(self) -> Palette:
        return self.tokens.palette(self.name)

    def choose(self, choice: ThemeChoice) -> None:
        """Switch; every open window changes at once."""
        if choice is not self._choice:
            self._choice = choice
            self._apply()

    def colour(self, token: str) -> QColor:
        """The colour of a token such as `text_muted`."""
        return QColor(getattr(self.colours, token))

    def font(
        self, size: str = "text", *, weight: int = QFont.Weight.Normal, tabular: bool = False
    ) -> QFont:
        """Inter; `size` is text (13 px), heading (15) or title (20).

        `tabular` figures stand under each other: for columns of numbers, not for words.
        """
        font = QFont(self.tokens.font.family)
        font.setPixelSize(int(getattr(self.tokens.font, size)))
        font.setWeight(QFont.Weight(weight))
        if tabular:
            font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def icon(self, name: str, colour: str = "text_muted", size: int = 16) -> QIcon:
        """The drawing `name` from resources/icons in one token's colour."""
        icon = QIcon()
        for ratio in _PIXEL_RATIOS:
            icon.addPixmap(self.pixmap(name, colour, size, ratio=ratio))
        return icon

    def pixmap(
        self, name: str, colour: str = "text_muted", size: int = 16, *, ratio: int = 1
    ) -> QPixmap:
        """The same as a picture of `size` logical pixels, kept until the theme changes."""
        key = (name, colour, size, ratio)
        if key not in self._pixmaps:
            self._pixmaps[key] = self._draw(name, getattr(self.colours, colour), size, ratio)
        return self._pixmaps[key]

    def _draw(self, name: str, colour: str, size: int, ratio: int) -> QPixmap:
        if name not in self._drawings:
            file = resources.path("icons", f"{name}.svg")
            self._drawings[name] = file.read_text(encoding="utf-8")
        drawing = self._drawings[name].replace("currentColor", colour)
        pixmap = QPixmap(size * ratio, size * ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        QSvgRenderer(QByteArray(drawing.encode())).render(
            painter, QRectF(0, 0, size * ratio, size * ratio)
        )
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def _system_changed(self) -> None:
        if self._choice is ThemeChoice.SYSTEM:
            self._apply()

    def _apply(self) -> None:
        self._pixmaps.clear()
        self._application.setPalette(_qt_palette(self.colours))
        self._application.setStyleSheet(stylesheet(self.tokens, self.colours))
        self.changed.emit()


def set_look(widget: QWidget, look: str) -> None:
    """Give a widget another entry of the style sheet while it is shown."""
    if widget.property("look") == look:
        return
    widget.setProperty("look", look)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def _load_fonts() -> None:
    for name in _FONT_FILES:
        QFontDatabase.addApplicationFont(str(resources.path("fonts", name)))


def _qt_palette(colours: Palette) -> QtPalette:
    role = QtPalette.ColorRole
    palette = QtPalette()
    for qt_role, colour in {
        role.Window: colours.surface,
        role.WindowText: colours.text,
        role.Base: colours.surface_raised,
        role.AlternateBase: colours.surface,
        role.Text: colours.text,
        role.Button: colours.surface_raised,
        role.ButtonText: colours.text,
        role.BrightText: colours.danger,
        role.Highlight: colours.selection,
        role.HighlightedText: colours.text,
        role.Link: colours.accent,
        role.LinkVisited: colours.accent,
        role.ToolTipBase: colours.surface_raised,
        role.ToolTipText: colours.text,
        role.PlaceholderText: colours.text_muted,
        role.Light: colours.surface_raised,
        role.Midlight: colours.border,
        role.Mid: colours.border,
        role.Dark: colours.border_strong,
        role.Shadow: colours.border_strong,
        role.Accent: colours.accent,
    }.items():
        palette.setColor(qt_role, QColor(colour))
    for disabled in (role.Text, role.ButtonText, role.WindowText):
        palette.setColor(QtPalette.ColorGroup.Disabled, disabled, QColor(colours.text_muted))
    return palette
