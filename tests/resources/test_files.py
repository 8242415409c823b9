"""Icons and fonts: present, whole, and usable by Qt and the browser."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PySide6.QtGui import QFont, QFontDatabase, QFontMetrics, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

import resources

ICONS = sorted(resources.path("icons").glob("*.svg"))
WEIGHTS = ("Regular", "Medium", "SemiBold")


def test_a_missing_resource_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"icons/nothing\.svg"):
        resources.path("icons", "nothing.svg")


def test_licences_are_shipped() -> None:
    assert "ISC" in resources.path("icons", "LICENSE").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE" in resources.path("fonts", "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("icon", ICONS, ids=lambda icon: icon.stem)
def test_icons_are_svg_that_takes_the_colour_of_the_text(icon: Path) -> None:
    root = ET.parse(icon).getroot()  # noqa: S314 - our own file, not an outside input
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox") == "0 0 24 24"
    assert root.get("stroke") == "currentColor"
    assert len(root) > 0


def test_qt_paints_an_icon(qapp: QApplication) -> None:
    assert qapp is not None
    renderer = QSvgRenderer(str(resources.path("icons", "inbox.svg")))
    assert renderer.isValid()
    image = QImage(48, 48, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    assert any(image.pixelColor(x, y).alpha() for x in range(48) for y in range(48))


@pytest.mark.parametrize("weight", WEIGHTS)
def test_qt_loads_the_font_with_tabular_figures(qapp: QApplication, weight: str) -> None:
    assert qapp is not None
    number = QFontDatabase.addApplicationFont(str(resources.path("fonts", f"Inter-{weight}.ttf")))
    try:
        assert "Inter" in QFontDatabase.applicationFontFamilies(number)[0]
        font = QFont(QFontDatabase.applicationFontFamilies(number)[0])
        font.setPixelSize(13)
        plain = QFontMetrics(font)
        assert plain.horizontalAdvance("1111") != plain.horizontalAdvance("8888")
        font.setFeature(QFont.Tag("tnum"), 1)
        metrics = QFontMetrics(font)
        assert metrics.horizontalAdvance("1111") == metrics.horizontalAdvance("8888")
    finally:
        QFontDatabase.removeApplicationFont(number)


@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_page_has_the_same_weights(weight: str) -> None:
    assert resources.path("fonts", f"Inter-{weight}.woff2").read_bytes()[:4] == b"wOF2"
