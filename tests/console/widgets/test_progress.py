"""A bar that only shows when work takes long."""

from __future__ import annotations

from console.widgets.progress import APPEARS_AFTER_MS, SlowProgress
from tests.support.waiting import until


async def test_quick_work_shows_nothing_and_slow_work_a_bar() -> None:
    bar = SlowProgress()
    bar.begin()
    assert not bar.isVisible()
    assert bar._appear.interval() == APPEARS_AFTER_MS
    bar.end()
    assert not bar._appear.isActive()
    bar.begin()
    await until(bar.isVisible, what="the bar")
    bar.end()
    assert not bar.isVisible()
    bar.deleteLater()
