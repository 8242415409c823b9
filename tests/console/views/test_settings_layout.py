"""Settings is longer than a window: every line of it can be read all the same."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel

from tests.console.fixtures import OpenOffice
from tests.support.waiting import until


@pytest.mark.parametrize("width", [960, 1280, 1920])
async def test_no_words_are_cut_off(opened: OpenOffice, width: int) -> None:
    opened.window.resize(width, 600)
    opened.office.shell.open("settings")
    opened.office.settings.about_notifying.setText("some more words " * 60)

    def cut() -> list[str]:
        labels = [one for one in opened.office.settings.findChildren(QLabel) if one.isVisible()]
        assert labels
        return [one.text() for one in labels if one.height() < one.heightForWidth(one.width())]

    await until(lambda: not cut(), what="every line whole, once Qt has laid them out")
