"""Lasting objects are left out of later looks for garbage; what is garbage is still found."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from console.runtime import garbage


class Knot:
    """Refers to itself: only a look for garbage finds it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def by_itself() -> Iterator[None]:
    """As Python starts."""
    gc.enable()
    yield
    gc.disable()
    gc.unfreeze()


def test_only_the_windows_thread_looks(qapp: QApplication) -> None:
    """A worker that makes many objects would free what belongs to the window in its own thread."""
    freed_in: list[int] = []

    class Part:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            freed_in.append(threading.get_ident())

    parent = QObject(qapp)
    garbage.look_from_here(parent)
    Part()
    worker = threading.Thread(target=lambda: [[number] for number in range(50_000)])
    worker.start()
    worker.join()
    assert freed_in == []
    timer = parent.findChild(QTimer)
    assert timer is not None
    assert timer.isActive()
    made = [[number] for number in range(1_000)]
    timer.timeout.emit()
    assert freed_in == [threading.get_ident()]
    assert len(made) == 1_000
    parent.deleteLater()


def test_it_looks_no_more_often_than_python_would() -> None:
    looks: list[int] = []

    def note(phase: str, about: dict[str, int]) -> None:
        if phase == "start":
            looks.append(about["generation"])

    gc.disable()
    gc.collect()
    gc.callbacks.append(note)
    made: list[list[int]] = []
    for _ in range(200):
        made += [[number] for number in range(1_000)]
        garbage.look()
        garbage.look()  # nothing is due
    gc.callbacks.remove(note)
    assert len(looks) == 200
    assert 15 <= looks.count(1) <= 20
    assert 1 <= looks.count(2) <= 2


def test_what_was_there_is_not_looked_at_again() -> None:
    before = gc.get_freeze_count()
    garbage.settle()
    assert gc.get_freeze_count() > before


def test_bulk_makes_no_pause_and_keeps_what_it_made_out_of_later_looks() -> None:
    looks: list[str] = []
    callback = lambda phase, _: looks.append(phase)  # noqa: E731 - removed again by identity
    with garbage.bulk():
        before = gc.get_freeze_count()
        gc.callbacks.append(callback)
        made = [[number] for number in range(50_000)]
        gc.callbacks.remove(callback)
    assert looks == []
    assert gc.isenabled()
    assert gc.get_freeze_count() - before >= len(made)


def test_bulk_inside_bulk_ends_with_the_outer_one() -> None:
    with garbage.bulk():
        with garbage.bulk():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_garbage_from_before_and_after_is_still_found() -> None:
    early = weakref.ref(Knot())
    with garbage.bulk():
        pass
    late = weakref.ref(Knot())
    gc.collect()
    assert early() is None
    assert late() is None
